package io.github.eft4j.tensor;

/**
 * The inner loops of {@link JvmOps}. All implementations give the same bits: each number they write
 * comes from a sequence of IEEE operations that is fixed here, whatever the width of a register.
 *
 * <p>Sums of products have {@value #SUMS} partial sums: number i is added to partial sum i mod
 * {@value #SUMS} by a fused multiply-add, in order of i, beginning with 0; {@link Memory#tree} adds
 * the partial sums up.
 *
 * <p>Memory is given by addresses; floats lie in a row and need no alignment unless stated.
 * Implementations trust their callers.
 */
interface Kernels {
  /** The number of partial sums of a sum of products. */
  int SUMS = 16;

  /** The number of positions whose keys lie together, one a lane. */
  int LANES = 16;

  /** The number of positions between two looks at the greatest score, and of a page of a cache. */
  int PAGE = 64;

  /** The number of sums of {@value #SUMS} partial sums that {@link #dots} may keep at a time. */
  int DOTS_SUMS = 128;

  /** The number of tokens that {@link #packedDots} may keep the sums of at a time. */
  int PACKED_TOKENS = 128;

  /** The number of weights that {@link #dots} may turn into float32 at a time. */
  int DOTS_PANEL = 2048;

  /** The size in bytes of the working memory that kernels are given, at an alignment of 64. */
  int SCRATCH_BYTES = 8192;

  /**
   * The width of the registers.
   *
   * @return the width in bits, 0 for scalar code
   */
  int vectorBits();

  /**
   * Turns stored weights into float32, as {@link Dequantize} does.
   *
   * @param type how they are stored
   * @param weights their address
   * @param count the number of weights, a multiple of the block size
   * @param out address of the first {@value #SUMS} floats
   * @param stride bytes from {@value #SUMS} floats to the next {@value #SUMS}: 64 where they follow
   *     one another
   */
  default void dequantize(WeightType type, long weights, int count, long out, long stride) {
    dequantize(type, weights, 0, 1, count, out, 0, stride);
  }

  /**
   * Turns the same columns of some rows into float32.
   *
   * @param type how they are stored
   * @param weights address of the first row's
   * @param rowBytes bytes from one stored row to the next
   * @param rows the number of rows
   * @param count the number of weights of a row, a multiple of the block size
   * @param out address of the first row's first {@value #SUMS} floats
   * @param rowStride bytes from one row's floats to the next one's
   * @param stride bytes from {@value #SUMS} floats of a row to its next {@value #SUMS}
   */
  void dequantize(
      WeightType type,
      long weights,
      long rowBytes,
      int rows,
      int count,
      long out,
      long rowStride,
      long stride);

  /**
   * The number of tokens that {@link #tile} takes.
   *
   * @return the number of tokens
   */
  int tileTokens();

  /**
   * The number of rows that {@link #tile} takes.
   *
   * @return the number of rows
   */
  int tileRows();

  /**
   * Adds to sums of products: sums[t][r] += x[t] · w[r], as {@value #SUMS} partial sums each.
   *
   * @param x address of the tokens: [rounds][tileTokens][{@value #SUMS}] floats
   * @param tokens the number of tokens that matter; the sums of the others become anything
   * @param w address of the rows: [rounds][tileRows][{@value #SUMS}] floats
   * @param rounds the number of floats of a token or row, in units of {@value #SUMS}
   * @param sums holds [tileTokens][tileRows][{@value #SUMS}] floats
   * @param at index of the first of them
   */
  void tile(long x, int tokens, long w, int rounds, float[] sums, int at);

  /**
   * Adds partial sums up, as {@link Memory#tree} does.
   *
   * @param sums holds [count][{@value #SUMS}] floats
   * @param at index of the first of them
   * @param count the number of sums
   * @param out address of {@code count} floats
   */
  void trees(float[] sums, int at, int count, long out);

  /**
   * Whether {@link #dots} is the best way to multiply some tokens with weights of a type.
   *
   * @param type the type
   * @param tokens the number of tokens
   * @return true if it is; for one token and F32 it always is
   */
  boolean dotsRead(WeightType type, int tokens);

  /**
   * Products of few tokens with rows of weights, read as they are stored.
   *
   * @param type how the weights are stored
   * @param x address of the first token; the others follow it
   * @param tokens the number of tokens, for which {@link #dotsRead} is true
   * @param w address of the first row; the others follow it
   * @param rows the number of rows
   * @param columns the length of a row, a multiple of {@value #SUMS} and of the block size
   * @param out address of {@code rows} floats for the first token
   * @param outStride bytes from one token's results to the next one's
   * @param sums working memory, {@link #dotsMemory} floats
   */
  void dots(
      WeightType type,
      long x,
      int tokens,
      long w,
      int rows,
      int columns,
      long out,
      long outStride,
      float[] sums);

  /**
   * Rounds the activations of one token for {@link #packedDots}, as {@link Packed} says. The
   * integers are those nearest to x · (127 / m), or x · (4096 / m), where both operations are
   * rounded, and even in case of a tie.
   *
   * @param type the weights' type
   * @param x address of {@code columns} floats
   * @param columns the number of columns, whole blocks
   * @param out holds the blocks
   * @param at index of the first of them
   * @param together the number of tokens that lie together, a result of {@link #packedTokens}
   */
  void quantize(WeightType type, long x, int columns, int[] out, int at, int together);

  /**
   * Ints from a block of one token to the same block of the next, among tokens that lie together.
   *
   * @param type the weights' type
   * @param together the number of tokens that lie together
   * @return the number of ints, at most {@link Packed#activationInts}
   */
  default int tokenInts(WeightType type, int together) {
    return Packed.activationInts(type);
  }

  /**
   * The number of tokens that {@link #packedDots} best multiplies together.
   *
   * @param type the weights' type
   * @param first the first of them, 0 or where others that lie together end
   * @param tokens how many tokens there are in all
   * @return the number of tokens; may be greater than {@code tokens - first}
   */
  int packedTokens(WeightType type, int first, int tokens);

  /**
   * Products of tokens with rows of packed weights: of as many as are best multiplied in one go.
   *
   * @param type the weights' type, one that is packed
   * @param x holds the tokens in tiles, {@code [columns / 32][together]} blocks each, see {@link
   *     Packed}; how many lie together is {@link #packedTokens} of the first one, and that one lies
   *     where as many blocks of {@link Packed#activationInts} would end as there are before it
   * @param first the first token to multiply, one with which a tile begins
   * @param tokens how many tokens there are in all
   * @param w address of the first group of rows; the others follow it
   * @param rows the number of rows
   * @param columns the length of a row
   * @param out address of {@code rows} floats for token 0
   * @param outStride bytes from one token's results to the next one's
   * @param sums address of working memory, {@link #packedMemory} floats, at an alignment of 64:
   *     where a register crosses a cache line, what was just stored takes long to load
   * @return the number of tokens that were multiplied: whole tiles, or all that there were
   */
  int packedDots(
      WeightType type,
      int[] x,
      int first,
      int tokens,
      long w,
      int rows,
      int columns,
      long out,
      long outStride,
      long sums);

  /**
   * The size of the working memory of {@link #dots}.
   *
   * @return the number of floats
   */
  static int dotsMemory() {
    return DOTS_SUMS * SUMS + DOTS_PANEL;
  }

  /**
   * The size of the working memory of {@link #packedDots}: sums, and three times as much for what a
   * kernel keeps besides, such as the scales of blocks; or the sums of {@value #PACKED_TOKENS}
   * tokens, and a block of 128 rows.
   *
   * @return the number of floats
   */
  static int packedMemory() {
    int rows = 4 * Packed.ROWS;
    return Math.max(4 * DOTS_SUMS * SUMS, rows * (PACKED_TOKENS + Packed.COLUMNS + 2));
  }

  /**
   * Root-mean-square norm of one row.
   *
   * @param x address of n floats
   * @param weight address of n floats
   * @param n the length of a row
   * @param epsilon added to the mean square
   * @param out address of n floats; may be x
   * @param scratch address of working memory
   */
  void rmsNorm(long x, long weight, int n, float epsilon, long out, long scratch);

  /**
   * Layer norm of one row.
   *
   * @param x address of n floats
   * @param weight address of n floats
   * @param bias address of n floats
   * @param n the length of a row
   * @param epsilon added to the variance
   * @param out address of n floats; may be x
   * @param scratch address of working memory
   */
  void layerNorm(long x, long weight, long bias, int n, float epsilon, long out, long scratch);

  /**
   * gate / (1 + exp(−gate)) · up.
   *
   * @param gate address of n floats
   * @param up address of n floats
   * @param n the number of floats
   * @param out address of n floats; may be gate or up
   */
  void siluGate(long gate, long up, int n, long out);

  /**
   * x / 2 · (1 + erf(x / √2)).
   *
   * @param x address of n floats
   * @param n the number of floats
   * @param out address of n floats; may be x
   */
  void gelu(long x, int n, long out);

  /**
   * a + b.
   *
   * @param a address of n floats
   * @param b address of n floats
   * @param n the number of floats
   * @param out address of n floats; may be a or b
   */
  void add(long a, long b, int n, long out);

  /**
   * Rotates the pairs (x[i], x[i + n]) of one head in place: (a, b) becomes (a cos − b sin, b cos +
   * a sin), where the second product is rounded and the first is not.
   *
   * @param x address of 2n floats
   * @param cos address of n floats
   * @param sin address of n floats
   * @param n half the size of the head
   */
  void rotateHalves(long x, long cos, long sin, int n);

  /**
   * Rotates the pairs (x[2i], x[2i + 1]) of one head in place, in the same way.
   *
   * @param x address of 2n floats
   * @param cos address of n floats
   * @param sin address of n floats
   * @param n half the size of the head
   */
  void rotatePairs(long x, long cos, long sin, int n);

  /**
   * Attends from one query to the keys and values of one page, and goes on with what earlier pages
   * left (streaming softmax, Milakov and Gimelshein 2018, <a
   * href="https://arxiv.org/abs/1805.02867">arXiv 1805.02867</a>). With s the scores (q·k + bias) ·
   * scale, m the greatest score so far and m' that of the earlier pages, {@code sums} and {@code
   * out} are multiplied by exp(m' − m) where that is not 1, and then get exp(s − m), position i in
   * partial sum i mod {@value #SUMS}, and exp(s − m) · v added, in order of positions.
   *
   * @param query address of {@code headSize} floats
   * @param keys address of the page's keys: for each {@value #LANES} positions {@code headSize}
   *     times {@value #LANES} floats
   * @param values address of the page's values: for each position {@code stride} floats
   * @param positions the number of positions, 1 to {@value #PAGE}
   * @param headSize the size of a head
   * @param stride {@code headSize} rounded up to a multiple of {@value #LANES}
   * @param biases address of {@value #PAGE} floats to be added to the products, or 0
   * @param scale factor of the scores
   * @param greatest the greatest score of the earlier pages, −∞ before the first
   * @param sums address of {@value #SUMS} floats, 0 before the first page
   * @param out address of {@code stride} floats, 0 before the first page
   * @param scratch address of working memory
   * @return the greatest score so far
   */
  float attend(
      long query,
      long keys,
      long values,
      int positions,
      int headSize,
      int stride,
      long biases,
      float scale,
      float greatest,
      long sums,
      long out,
      long scratch);

  /**
   * Ends what {@link #attend} did page by page: divides by the sum.
   *
   * @param sums address of {@value #SUMS} floats
   * @param stride the number of floats
   * @param out address of {@code stride} floats
   */
  void finishAttention(long sums, int stride, long out);
}
