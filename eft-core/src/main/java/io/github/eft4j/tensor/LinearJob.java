package io.github.eft4j.tensor;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Several linear layers of one input. A task is a range of one layer's rows; it writes those columns
 * of the outputs. Reused, so that a call allocates nothing.
 */
final class LinearJob implements WorkerPool.Tasks {
  /** Rows of a task come in multiples of this: whole tiles of every kernel. */
  private static final int ROW_UNIT = 24;

  /** Tasks a thread, so that one that is held up delays the others little. */
  private static final int TASKS_PER_THREAD = 8;

  /** Rows that are dequantised together: several tiles, few enough to stay in the cache. */
  private static final int GROUP = 12;

  /** The same for a single token. */
  private static final int GROUP_OF_ONE = 4;

  private final Kernels kernels;
  private final Scratch[] scratch;
  private final Scratch padded = new Scratch();

  // Of the present call.
  private List<Linear> layers = List.of();
  private List<INDArray> outs = List.of();
  private int tokens;
  private int columns;
  private int paddedColumns;
  private long x;
  private int taskRows;

  LinearJob(Kernels kernels, Scratch[] scratch) {
    this.kernels = kernels;
    this.scratch = scratch;
  }

  void run(
      WorkerPool pool, int threads, INDArray x, List<Linear> layers, List<INDArray> outs) {
    this.layers = layers;
    this.outs = outs;
    tokens = Arrays2d.rows(x);
    columns = Arrays2d.columns(x);
    paddedColumns = (columns + Kernels.SUMS - 1) / Kernels.SUMS * Kernels.SUMS;
    this.x = padded(Arrays2d.address(x));
    int rows = 0;
    for (int i = 0; i < layers.size(); i++) {
      rows += layers.get(i).weight().rows();
    }
    taskRows = roundUp(rows / (threads * TASKS_PER_THREAD) + 1, ROW_UNIT);
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
    return (layer.weight().rows() + taskRows - 1) / taskRows;
  }

  /** The input with zeros behind each row, so that rows consist of whole rounds of partial sums. */
  private long padded(long address) {
    if (columns == paddedColumns) {
      return address;
    }
    long to = padded.reserve(4L * tokens * paddedColumns);
    for (int t = 0; t < tokens; t++) {
      copyPadded(address + 4L * t * columns, to + 4L * t * paddedColumns);
    }
    return to;
  }

  private void copyPadded(long from, long to) {
    Memory.copy(from, to, 4L * columns);
    Memory.zero(to + 4L * columns, 4L * (paddedColumns - columns));
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
    int from = left * taskRows;
    int to = Math.min(from + taskRows, matrix.rows());
    long out = Arrays2d.address(outs.get(layer));
    long outStride = 4L * matrix.rows();
    multiply(matrix, from, to, out, outStride, scratch[worker]);
    INDArray bias = linear.bias();
    if (bias != null) {
      long biasAt = Arrays2d.address(bias) + 4L * from;
      for (int t = 0; t < tokens; t++) {
        long at = out + t * outStride + 4L * from;
        kernels.add(at, biasAt, to - from, at);
      }
    }
  }

  private void multiply(
      JvmMatrix matrix, int from, int to, long out, long outStride, Scratch memory) {
    long rowBytes = 4L * paddedColumns;
    if (matrix.type() == WeightType.F32 && columns == paddedColumns) {
      kernels.products(
          x,
          rowBytes,
          tokens,
          matrix.row(from),
          rowBytes,
          to - from,
          columns,
          out + 4L * from,
          outStride,
          memory.reserve(Kernels.SCRATCH_BYTES));
      return;
    }
    int group = tokens == 1 ? GROUP_OF_ONE : GROUP;
    long kernelScratch = memory.reserve(Kernels.SCRATCH_BYTES + group * rowBytes);
    long panel = kernelScratch + Kernels.SCRATCH_BYTES;
    for (int first = from; first < to; first += group) {
      int count = Math.min(group, to - first);
      for (int r = 0; r < count; r++) {
        long row = panel + r * rowBytes;
        kernels.dequantize(matrix.type(), matrix.row(first + r), columns, row);
        if (columns < paddedColumns) {
          Memory.zero(row + 4L * columns, 4L * (paddedColumns - columns));
        }
      }
      kernels.products(
          x,
          rowBytes,
          tokens,
          panel,
          rowBytes,
          count,
          paddedColumns,
          out + 4L * first,
          outStride,
          kernelScratch);
    }
  }
}
