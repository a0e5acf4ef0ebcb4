package io.github.eft4j.tensor;

/**
 * Attention with linear biases (Press et al., ICLR 2022, <a
 * href="https://arxiv.org/abs/2108.12409">arXiv 2108.12409</a>) as Falcon computes it: slopes and
 * products are rounded to bfloat16 whatever the model's own precision, and the bias is added before
 * the scores are scaled.
 *
 * @param slopes one slope a head, already rounded to bfloat16; not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // read once a score: a list would box
public record Alibi(float[] slopes) {
  /**
   * The slopes of a number of heads: powers of two for the largest power of two that is not above
   * {@code heads}, and every other power of twice as many for the rest.
   *
   * @param heads the number of attention heads
   * @return the slopes
   */
  public static Alibi ofHeads(int heads) {
    int power = Integer.highestOneBit(heads);
    float[] slopes = new float[heads];
    for (int h = 0; h < heads; h++) {
      double exponent = h < power ? -8.0 * (h + 1) / power : -4.0 * (2 * (h - power) + 1) / power;
      slopes[h] = roundToBfloat16((float) Math.pow(2, exponent));
    }
    return new Alibi(slopes);
  }

  /**
   * The bias of a key's score.
   *
   * @param head the query's head
   * @param position the key's position
   * @return the bias, to be added to the product of query and key before scaling
   */
  public float bias(int head, int position) {
    return roundToBfloat16(slopes[head] * roundToBfloat16(position));
  }

  /** Rounds to the nearest number with eight significant bits, ties to even. */
  private static float roundToBfloat16(float x) {
    int bits = Float.floatToRawIntBits(x);
    return Float.intBitsToFloat((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  }
}
