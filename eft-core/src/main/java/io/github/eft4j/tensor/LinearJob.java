package io.github.eft4j.tensor;

import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Several linear layers of one input. A task is a range of one layer's rows; it writes those
 * columns of the outputs. Reused, so that a call allocates nothing.
 *
 * <p>Weights that were packed at load are multiplied with rounded activations, see {@link Nibbles}.
 * With others one token, or a few, packed in groups, are multiplied with the weights as they are
 * stored, where there is a kernel for that. Others are packed into tiles, and the weights
 * dequantised into tiles block by block, small enough for the first-level cache:
 *
 * <pre>
 *  tokens    [block of columns][tile][round][tileTokens][SUMS]   once, for all tasks
 *  weights   [round][tileRows][SUMS]           a block of columns of a few rows at a time
 *  sums      [tile][tileTokens][tileRows][SUMS]
 * </pre>
 */
final class LinearJob implements WorkerPool.Tasks {
  /** Rows of a task come in multiples of this: whole tiles of every kernel. */
  private static final int ROW_UNIT = 24;

  /** Rows of a task where they are packed: a group for each of four streams. */
  private static final int PACKED_TASK_ROWS = 4 * Nibbles.ROWS;

  /** Rows of a task where weights are dequantised for several tokens: a few blocks. */
  private static final int TILED_TASK_ROWS = 2 * ROW_UNIT;

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

  /** Columns that are multiplied together, a multiple of every block size. */
  private static final int COLUMN_BLOCK = 1024;

  /** Rows that are dequantised together for one token. */
  private static final int GROUP_OF_ONE = 8;

  private static final int SUMS = Kernels.SUMS;
  private static final long ROUND = 4L * SUMS;

  private final Kernels kernels;
  private final Scratch[] scratch;
  private final Scratch packed = new Scratch();
  private final Scratch groupMemory = new Scratch();
  private final Scratch roundedMemory = new Scratch();
  private final WorkerPool.Tasks rounding = (token, _) -> round(token);
  private final WorkerPool.Tasks packing = (token, _) -> pack(token);
  private final int tileTokens;
  private final int tileRows;

  /** Bytes of a tile's tokens, and rows, in one round. */
  private final long tokensRound;

  private final long rowsRound;

  /** Floats of a tile's sums. */
  private final int tileSums;

  // Of the present call.
  private List<Linear> layers = List.of();
  private List<INDArray> outs = List.of();
  private int tokens;
  private int columns;
  private int rounds;

  /** The only token, padded to whole rounds, or a few in groups, where a layer needs them. */
  private long x;

  /** The tokens in tiles, where a layer needs them. */
  private long tiles;

  private long unrounded;
  private long unpacked;
  private int packedTogether;
  private int packedWidth;
  private long packedTo;

  /** The tokens with their activations rounded, where a layer needs them. */
  private int[] rounded = {};

  private int rows;
  private int threads;

  LinearJob(Kernels kernels, Scratch[] scratch) {
    this.kernels = kernels;
    this.scratch = scratch;
    tileTokens = kernels.tileTokens();
    tileRows = kernels.tileRows();
    tokensRound = tileTokens * ROUND;
    rowsRound = tileRows * ROUND;
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
    boolean inGroups = false;
    boolean inTiles = false;
    boolean inBlocks = false;
    for (int i = 0; i < layers.size(); i++) {
      JvmMatrix weight = (JvmMatrix) layers.get(i).weight();
      rows += weight.rows();
      boolean isPacked = weight.isPacked();
      boolean hasDots = hasDots(weight.type());
      inBlocks |= isPacked;
      inGroups |= tokens > 1 && hasDots && !isPacked;
      inTiles |= tokens > 1 && !hasDots && !isPacked;
    }
    long at = Arrays2d.address(x);
    if (inBlocks) {
      roundAll(at, pool);
    }
    if (tokens == 1) {
      this.x = padded(at);
    } else if (inGroups) {
      this.x = packAll(at, Kernels.DOTS_GROUP, columns, groupMemory, pool);
    }
    if (inTiles) {
      tiles = packAll(at, tileTokens, COLUMN_BLOCK, packed, pool);
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
    if (tokens > 1 && !weight.isPacked() && !hasDots(weight.type())) {
      return TILED_TASK_ROWS;
    }
    int unit = weight.isPacked() ? PACKED_TASK_ROWS : ROW_UNIT;
    int most = (int) Math.max(1, TASK_BYTES / (weight.type().bytes(columns) * unit)) * unit;
    return Math.min(roundUp(rows / (threads * TASKS_PER_THREAD) + 1, unit), most);
  }

  /** Rounds the activations of all tokens: those that are multiplied together lie together. */
  private void roundAll(long x, WorkerPool pool) {
    unrounded = x;
    int blocks = columns / Nibbles.COLUMNS;
    int last = 0;
    while (last < tokens) {
      last += kernels.nibbleTokens(tokens - last);
    }
    int size = Math.multiplyExact(Nibbles.ACTIVATION_INTS * blocks, last);
    rounded = roundedMemory.ints(size);
    if (last > tokens) {
      Arrays.fill(rounded, 0, size, 0);
    }
    if (tokens == 1) {
      round(0);
    } else {
      pool.run(tokens, threads, rounding);
    }
  }

  private void round(int token) {
    int first = 0;
    int together = kernels.nibbleTokens(tokens);
    while (first + together <= token) {
      first += together;
      together = kernels.nibbleTokens(tokens - first);
    }
    kernels.quantize(
        unrounded + 4L * token * columns,
        columns,
        rounded,
        rounded(first) + Nibbles.ACTIVATION_INTS * (token - first),
        Nibbles.ACTIVATION_INTS * together);
  }

  /** The index of the tokens that are multiplied together, from the first of them on. */
  private int rounded(int token) {
    return Nibbles.ACTIVATION_INTS * (columns / Nibbles.COLUMNS) * token;
  }

  /** Whether the tokens are multiplied with the weights as they are stored. */
  private boolean hasDots(WeightType type) {
    return columns % SUMS == 0 && kernels.dotsTokens(type) >= tokens;
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

  /** Packs the tokens side by side, with zeros for missing columns and tokens. */
  private long packAll(long address, int together, int width, Scratch memory, WorkerPool pool) {
    unpacked = address;
    packedTogether = together;
    packedWidth = width;
    long bytes = ROUND * rounds * roundUp(tokens, together);
    packedTo = memory.reserve(bytes);
    if (columns % SUMS != 0 || tokens % together != 0) {
      Memory.zero(packedTo, bytes);
    }
    pool.run(tokens, threads, packing);
    return packedTo;
  }

  private void pack(int token) {
    int groups = (tokens + packedTogether - 1) / packedTogether;
    long stride = packedTogether * ROUND;
    for (int column = 0; column < columns; column += packedWidth) {
      int width = Math.min(packedWidth, columns - column);
      long block = packedTo + column / SUMS * (groups * stride);
      long group = block + token / packedTogether * ((width + SUMS - 1) / SUMS * stride);
      kernels.dequantize(
          WeightType.F32,
          unpacked + 4L * (token * (long) columns + column),
          width,
          group + token % packedTogether * ROUND,
          stride);
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
    } else if (hasDots(matrix.type())) {
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
      for (int first = from; first < to; first += ROW_UNIT) {
        int rows = Math.min(ROW_UNIT, to - first);
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
    int together;
    for (int t = 0; t < tokens; t += together) {
      together = kernels.nibbleTokens(tokens - t);
      kernels.nibbleDots(
          matrix.type(),
          rounded,
          rounded(t),
          together,
          Math.min(together, tokens - t),
          matrix.nibbles(from),
          to - from,
          columns,
          out + 4L * ((long) t * matrix.rows() + from),
          4L * matrix.rows(),
          memory.floats(Kernels.dotsMemory()));
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
      kernels.dots(
          WeightType.F32,
          x,
          1,
          panel,
          count,
          rounds * SUMS,
          out + 4L * first,
          0,
          memory.floats(Kernels.dotsMemory()));
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
    long panelBytes = COLUMN_BLOCK / SUMS * rowsRound;
    int panelSums = tokenTiles * tileSums;
    long panel = memory.reserve(panelBytes);
    float[] sums = memory.floats(panels * panelSums);
    Arrays.fill(sums, 0, panels * panelSums, 0);
    int allTokens = roundUp(tokens, tileTokens);
    for (int column = 0; column < columns; column += COLUMN_BLOCK) {
      int width = Math.min(COLUMN_BLOCK, columns - column);
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
}
