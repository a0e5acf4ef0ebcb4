package io.github.eft4j.tensor;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Several linear layers of one input. A task is a range of one layer's rows; it writes those
 * columns of the outputs. Reused, so that a call allocates nothing.
 *
 * <p>Weights that were packed at load are multiplied with rounded activations, see {@link Packed}.
 * With others one token or few are multiplied with the weights as they are stored, where there is a
 * kernel for that. Others are packed into tiles, and the weights dequantised into tiles block by
 * block, small enough for the first-level cache:
 *
 * <pre>
 *  tokens    [block of columns][tile][round][tileTokens][SUMS]   once, for all tasks
 *  weights   [round][tileRows][SUMS]           a block of columns of a few rows at a time
 *  sums      [tile][tileTokens][tileRows][SUMS]
 * </pre>
 */
final class LinearJob implements WorkerPool.Tasks {
  /** Rows of a task come in multiples of this: some for each stream of a kernel. */
  private static final int ROW_UNIT = 24;

  /** Rows of a task where they are packed: a group for each of four streams. */
  private static final int PACKED_TASK_ROWS = 4 * Packed.ROWS;

  /**
   * Rows of a task where weights are dequantised for several tokens: whole tiles of every kernel.
   */
  private static final int TILED_TASK_ROWS = 48;

  /** Tasks a thread, so that one that is held up delays the others little. */
  private static final int TASKS_PER_THREAD = 8;

  /**
   * Bytes of weights of a task, about: where the streams of one kernel lie further apart, memory
   * delivers up to a sixth less.
   */
  private static final long TASK_BYTES = 1 << 20;

  /**
   * Tokens that are multiplied together, whole tiles; more would push their sums out of the cache.
   */
  private static final int TOKEN_BLOCK = 132;

  /** Bytes of a tile's tokens and rows, at most, so that they stay in the first-level cache. */
  private static final int TILE_BYTES = 24 << 10;

  /** Of this the columns that are multiplied together are a multiple: every block size. */
  private static final int COLUMN_UNIT = 256;

  /**
   * Rows of tiles that are multiplied together: more sums would push the tokens out of the cache.
   */
  private static final int PANELS = 4;

  /** Columns of tokens that are rounded in one task. */
  private static final int ROUNDED_COLUMNS = 1024;

  /** Rows that are dequantised together for one token. */
  private static final int GROUP_OF_ONE = 8;

  private static final int SUMS = Kernels.SUMS;
  private static final long ROUND = 4L * SUMS;

  private final Kernels kernels;
  private final Scratch[] scratch;
  private final Scratch packed = new Scratch();
  private final WorkerPool.Tasks packing = (token, _) -> pack(token);
  private final int tileTokens;
  private final int tileRows;

  /** Bytes of a tile's tokens, and rows, in one round. */
  private final long tokensRound;

  private final long rowsRound;

  /** Columns that are multiplied together. */
  private final int columnBlock;

  /** Rows that are multiplied together with several tokens. */
  private final int tiledRows;

  /** Floats of a tile's sums. */
  private final int tileSums;

  // Of the present call.
  private List<Linear> layers = List.of();
  private List<INDArray> outs = List.of();
  private int tokens;
  private int columns;
  private int rounds;

  /** The tokens; a single one is padded to whole rounds. */
  private long x;

  /** The tokens in tiles, where a layer needs them. */
  private long tiles;

  private long unpacked;

  /** The tokens with their activations rounded, where a layer needs them. */
  private final Rounded rounded = new Rounded(WeightType.Q4_0);

  private final Rounded roundedForFives = new Rounded(WeightType.Q5_0);
  private final Rounded roundedForSixes = new Rounded(WeightType.Q6_K);
  private final Rounded finelyRounded = new Rounded(WeightType.Q8_0);
  private final List<Rounded> roundings =
      List.of(rounded, roundedForFives, roundedForSixes, finelyRounded);

  private int rows;
  private int threads;

  LinearJob(Kernels kernels, Scratch[] scratch) {
    this.kernels = kernels;
    this.scratch = scratch;
    tileTokens = kernels.tileTokens();
    tileRows = kernels.tileRows();
    tokensRound = tileTokens * ROUND;
    rowsRound = tileRows * ROUND;
    int columnBytes = 4 * (tileTokens + tileRows);
    columnBlock = TILE_BYTES / (COLUMN_UNIT * columnBytes) * COLUMN_UNIT;
    tiledRows = PANELS * tileRows;
    tileSums = tileTokens * tileRows * SUMS;
  }

  void run(WorkerPool pool, int threads, INDArray x, List<Linear> layers, List<INDArray> outs) {
    this.layers = layers;
    this.outs = outs;
    tokens = Arrays2d.rows(x);
    columns = Arrays2d.columns(x);
    rounds = (columns + SUMS - 1) / SUMS;
    this.threads = threads;
    rows = 0;
    boolean inTiles = false;
    for (int i = 0; i < roundings.size(); i++) {
      roundings.get(i).wanted = false;
    }
    for (int i = 0; i < layers.size(); i++) {
      JvmMatrix weight = (JvmMatrix) layers.get(i).weight();
      rows += weight.rows();
      inTiles |= isTiled(weight);
      rounded(weight).wanted |= weight.isPacked();
    }
    long at = Arrays2d.address(x);
    for (int i = 0; i < roundings.size(); i++) {
      if (roundings.get(i).wanted) {
        roundings.get(i).all(at, pool);
      }
    }
    this.x = tokens == 1 ? padded(at) : at;
    if (inTiles) {
      packAll(at, pool);
    }
    int tasks = 0;
    for (int i = 0; i < layers.size(); i++) {
      tasks += tasks(layers.get(i));
    }
    pool.run(tasks, threads, this);
    this.layers = List.of();
    this.outs = List.of();
  }

  private static int roundUp(int n, int unit) {
    return (n + unit - 1) / unit * unit;
  }

  private int tasks(Linear layer) {
    int taskRows = taskRows((JvmMatrix) layer.weight());
    return (layer.weight().rows() + taskRows - 1) / taskRows;
  }

  private int taskRows(JvmMatrix weight) {
    if (isTiled(weight)) {
      return TILED_TASK_ROWS;
    }
    int unit = weight.isPacked() ? PACKED_TASK_ROWS : ROW_UNIT;
    int most = (int) Math.max(1, TASK_BYTES / (weight.type().bytes(columns) * unit)) * unit;
    return Math.min(roundUp(rows / (threads * TASKS_PER_THREAD) + 1, unit), most);
  }

  /** Whether the tokens are multiplied with the weights as they are stored. */
  private boolean isRead(JvmMatrix weight) {
    return columns % SUMS == 0 && kernels.dotsRead(weight.type(), tokens);
  }

  /** Whether tokens and weights are packed into tiles. */
  private boolean isTiled(JvmMatrix weight) {
    return tokens > 1 && !weight.isPacked() && !isRead(weight);
  }

  private Rounded rounded(JvmMatrix weight) {
    return switch (weight.type()) {
      case Q8_0 -> finelyRounded;
      case Q5_0, Q5_K -> roundedForFives;
      case Q6_K -> roundedForSixes;
      default -> rounded;
    };
  }

  /** A single token with zeros behind it, so that it consists of whole rounds. */
  private long padded(long address) {
    if (columns % SUMS == 0) {
      return address;
    }
    long to = packed.reserve(rounds * ROUND);
    Memory.copy(address, to, 4L * columns);
    Memory.zero(to + 4L * columns, rounds * ROUND - 4L * columns);
    return to;
  }

  /** Packs the tokens into tiles, with zeros for missing columns and tokens. */
  private void packAll(long address, WorkerPool pool) {
    unpacked = address;
    long bytes = ROUND * rounds * roundUp(tokens, tileTokens);
    tiles = packed.reserve(bytes);
    if (columns % SUMS != 0 || tokens % tileTokens != 0) {
      Memory.zero(tiles, bytes);
    }
    pool.run(tokens, threads, packing);
  }

  private void pack(int token) {
    int allTokens = roundUp(tokens, tileTokens);
    for (int column = 0; column < columns; column += columnBlock) {
      int width = Math.min(columnBlock, columns - column);
      long block = tiles + column / SUMS * (allTokens * ROUND);
      long tile = block + token / tileTokens * ((width + SUMS - 1) / SUMS * tokensRound);
      kernels.dequantize(
          WeightType.F32,
          unpacked + 4L * (token * (long) columns + column),
          width,
          tile + token % tileTokens * ROUND,
          tokensRound);
    }
  }

  @Override
  public void run(int task, int worker) {
    int layer = 0;
    int left = task;
    while (left >= tasks(layers.get(layer))) {
      left -= tasks(layers.get(layer));
      layer++;
    }
    Linear linear = layers.get(layer);
    JvmMatrix matrix = (JvmMatrix) linear.weight();
    int taskRows = taskRows(matrix);
    int from = left * taskRows;
    int to = Math.min(from + taskRows, matrix.rows());
    long out = Arrays2d.address(outs.get(layer));
    if (matrix.isPacked()) {
      multiplyPacked(matrix, from, to, out, scratch[worker]);
    } else if (isRead(matrix)) {
      kernels.dots(
          matrix.type(),
          x,
          tokens,
          matrix.row(from),
          to - from,
          columns,
          out + 4L * from,
          4L * matrix.rows(),
          scratch[worker].floats(Kernels.dotsMemory()));
    } else if (tokens == 1) {
      multiplyOne(matrix, from, to, out, scratch[worker]);
    } else {
      for (int first = from; first < to; first += tiledRows) {
        int rows = Math.min(tiledRows, to - first);
        for (int t = 0; t < tokens; t += TOKEN_BLOCK) {
          multiply(matrix, first, rows, t, Math.min(TOKEN_BLOCK, tokens - t), out, scratch[worker]);
        }
      }
    }
    INDArray bias = linear.bias();
    if (bias != null) {
      long biasAt = Arrays2d.address(bias) + 4L * from;
      for (int t = 0; t < tokens; t++) {
        long at = out + 4L * ((long) t * matrix.rows() + from);
        kernels.add(at, biasAt, to - from, at);
      }
    }
  }

  private void multiplyPacked(JvmMatrix matrix, int from, int to, long out, Scratch memory) {
    WeightType type = matrix.type();
    int[] x = rounded(matrix).blocks;
    long sums = memory.reserve(4L * Kernels.packedMemory());
    int t = 0;
    while (t < tokens) {
      t +=
          kernels.packedDots(
              type,
              x,
              t,
              tokens,
              matrix.packed(from),
              to - from,
              columns,
              out + 4L * from,
              4L * matrix.rows(),
              sums);
    }
  }

  private void multiplyOne(JvmMatrix matrix, int from, int to, long out, Scratch memory) {
    WeightType type = matrix.type();
    long rowBytes = rounds * ROUND;
    long panel = memory.reserve(GROUP_OF_ONE * rowBytes);
    for (int first = from; first < to; first += GROUP_OF_ONE) {
      int count = Math.min(GROUP_OF_ONE, to - first);
      kernels.dequantize(
          type, matrix.row(first), type.bytes(columns), count, columns, panel, rowBytes, ROUND);
      if (columns % SUMS != 0) {
        for (int r = 0; r < count; r++) {
          Memory.zero(panel + r * rowBytes + 4L * columns, rowBytes - 4L * columns);
        }
      }
      float[] sums = memory.floats(Kernels.dotsMemory());
      kernels.dots(WeightType.F32, x, 1, panel, count, rounds * SUMS, out + 4L * first, 0, sums);
    }
  }

  /** Multiplies some tokens, whole tiles but for the last, with some rows. */
  private void multiply(
      JvmMatrix matrix,
      int firstRow,
      int rows,
      int firstToken,
      int count,
      long out,
      Scratch memory) {
    int tokenTiles = (count + tileTokens - 1) / tileTokens;
    int panels = (rows + tileRows - 1) / tileRows;
    long panelBytes = columnBlock / SUMS * rowsRound;
    int panelSums = tokenTiles * tileSums;
    long panel = memory.reserve(panelBytes);
    float[] sums = memory.floats(panels * panelSums);
    Arrays.fill(sums, 0, panels * panelSums, 0);
    int allTokens = roundUp(tokens, tileTokens);
    for (int column = 0; column < columns; column += columnBlock) {
      int width = Math.min(columnBlock, columns - column);
      int widthRounds = (width + SUMS - 1) / SUMS;
      long tokensAt =
          tiles + column / SUMS * (allTokens * ROUND) + (long) firstToken * widthRounds * ROUND;
      for (int p = 0; p < panels; p++) {
        int panelRows = Math.min(tileRows, rows - p * tileRows);
        fill(matrix, firstRow + p * tileRows, panelRows, column, width, panel);
        addProducts(tokensAt, count, panel, widthRounds, sums, p * panelSums);
      }
    }
    for (int t = 0; t < count; t++) {
      long to = out + 4L * ((long) (firstToken + t) * matrix.rows() + firstRow);
      for (int p = 0; p < panels; p++) {
        int at = p * panelSums + t / tileTokens * tileSums + t % tileTokens * tileRows * SUMS;
        int first = p * tileRows;
        kernels.trees(sums, at, Math.min(tileRows, rows - first), to + 4L * first);
      }
    }
  }

  /** Dequantises some columns of the rows of a tile. */
  private void fill(JvmMatrix matrix, int firstRow, int rows, int column, int width, long panel) {
    long stride = rowsRound;
    WeightType type = matrix.type();
    if (rows < tileRows || width % SUMS != 0) {
      Memory.zero(panel, (width + SUMS - 1) / SUMS * stride);
    }
    kernels.dequantize(
        type,
        matrix.row(firstRow) + type.bytes(column),
        type.bytes(columns),
        rows,
        width,
        panel,
        ROUND,
        stride);
  }

  private void addProducts(long tokensAt, int count, long panel, int width, float[] sums, int at) {
    long tileBytes = width * tokensRound;
    int tile = 0;
    for (int t = 0; t < count; t += tileTokens) {
      kernels.tile(
          tokensAt + tile * tileBytes,
          Math.min(tileTokens, count - t),
          panel,
          width,
          sums,
          at + tile * tileSums);
      tile++;
    }
  }

  /** Tokens with their activations rounded: those that are multiplied together lie together. */
  private final class Rounded implements WorkerPool.Tasks {
    private final WeightType type;
    private final int blockInts;
    private final Scratch memory = new Scratch();
    private int[] blocks = {};
    private long from;

    /** Parts of the columns. */
    private int parts;

    /** Whether the present product needs them. */
    private boolean wanted;

    /** For weights that are packed like those of a type. */
    Rounded(WeightType type) {
      this.type = type;
      blockInts = Packed.activationInts(type);
    }

    void all(long x, WorkerPool pool) {
      from = x;
      int last = 0;
      int tiles = 0;
      while (last < tokens) {
        last += kernels.packedTokens(type, last, tokens);
        tiles++;
      }
      int size = Math.multiplyExact(columns / Packed.COLUMNS * blockInts, last);
      blocks = memory.ints(size);
      if (last > tokens) {
        Arrays.fill(blocks, 0, size, 0);
      }
      parts = (columns + ROUNDED_COLUMNS - 1) / ROUNDED_COLUMNS;
      if (tokens == 1) {
        for (int part = 0; part < parts; part++) {
          run(part, 0);
        }
      } else {
        pool.run(tiles * parts, threads, this);
      }
    }

    /** Rounds some columns of the tokens of a tile: those lie side by side in the same lines. */
    @Override
    public void run(int task, int worker) {
      int first = 0;
      int together = kernels.packedTokens(type, 0, tokens);
      for (int tile = task / parts; tile > 0; tile--) {
        first += together;
        together = kernels.packedTokens(type, first, tokens);
      }
      int column = task % parts * ROUNDED_COLUMNS;
      int count = Math.min(ROUNDED_COLUMNS, columns - column);
      int ints = kernels.tokenInts(type, together);
      int at =
          columns / Packed.COLUMNS * blockInts * first + column / Packed.COLUMNS * together * ints;
      for (int t = 0; t < Math.min(together, tokens - first); t++) {
        long token = from + 4L * ((first + t) * (long) columns + column);
        kernels.quantize(type, token, count, blocks, at + t * ints, together);
      }
    }
  }
}
