package io.github.eft4j.tensor;

import org.jspecify.annotations.Nullable;

/**
 * Attention of a batch. A task is some of the (row, head) pairs; it writes those heads of those
 * rows. Reused, so that a call allocates nothing.
 */
final class AttentionJob implements WorkerPool.Tasks {
  /** Tasks a thread, so that one that is held up delays the others little. */
  private static final int TASKS_PER_THREAD = 16;

  private final Kernels kernels;
  private final Scratch[] scratch;

  // Of the present call.
  private @Nullable AttentionBatch batch;
  private @Nullable Alibi alibi;
  private int layer;
  private int heads;
  private int headSize;
  private float scale;
  private long query;
  private long out;
  private int pairs;
  private int taskPairs;

  AttentionJob(Kernels kernels, Scratch[] scratch) {
    this.kernels = kernels;
    this.scratch = scratch;
  }

  void run(
      WorkerPool pool,
      int threads,
      int layer,
      long query,
      int heads,
      int headSize,
      AttentionBatch batch,
      float scale,
      @Nullable Alibi alibi,
      long out) {
    this.batch = batch;
    this.alibi = alibi;
    this.layer = layer;
    this.heads = heads;
    this.headSize = headSize;
    this.scale = scale;
    this.query = query;
    this.out = out;
    pairs = batch.rows() * heads;
    taskPairs = pairs / (threads * TASKS_PER_THREAD) + 1;
    pool.run((pairs + taskPairs - 1) / taskPairs, threads, this);
    this.batch = null;
    this.alibi = null;
  }

  @Override
  public void run(int task, int worker) {
    AttentionBatch batch = this.batch;
    if (batch == null) {
      throw new IllegalStateException("no call is running");
    }
    int to = Math.min((task + 1) * taskPairs, pairs);
    int sequence = 0;
    for (int pair = task * taskPairs; pair < to; pair++) {
      int row = pair / heads;
      while (row >= batch.end(sequence)) {
        sequence++;
      }
      int length = batch.readable(sequence, row);
      attend((JvmKeyValueStore) batch.store(sequence), row, pair % heads, length, scratch[worker]);
    }
  }

  private void attend(JvmKeyValueStore store, int row, int head, int length, Scratch memory) {
    int stride = store.stride();
    long kernelScratch =
        memory.reserve(
            Kernels.SCRATCH_BYTES
                + 4L * (Kernels.SUMS + Kernels.PAGE + stride)
                + 4L * Kernels.PAGE * (headSize + stride));
    long sums = kernelScratch + Kernels.SCRATCH_BYTES;
    long biases = sums + 4L * Kernels.SUMS;
    long result = biases + 4L * Kernels.PAGE;
    long floats = result + 4L * stride;
    Memory.zero(sums, 4L * Kernels.SUMS);
    Memory.zero(result, 4L * stride);
    int keyValueHead = (int) ((long) head * store.heads() / heads);
    long offset = 4L * headSize * ((long) row * heads + head);
    float greatest = Float.NEGATIVE_INFINITY;
    for (int first = 0; first < length; first += Kernels.PAGE) {
      int page = first / Kernels.PAGE;
      int positions = Math.min(Kernels.PAGE, length - first);
      long keys = store.keys(page, layer, keyValueHead);
      long values = store.values(page, layer, keyValueHead);
      if (store.type() != WeightType.F32) {
        int groups = (positions + Kernels.LANES - 1) / Kernels.LANES;
        keys = floats(store.type(), keys, groups * Kernels.LANES * headSize, floats);
        long behind = floats + 4L * Kernels.PAGE * headSize;
        values = floats(store.type(), values, positions * stride, behind);
      }
      greatest =
          kernels.attend(
              query + offset,
              keys,
              values,
              positions,
              headSize,
              stride,
              biases(head, first, positions, biases),
              scale,
              greatest,
              sums,
              result,
              kernelScratch);
    }
    kernels.finishAttention(sums, stride, result);
    Memory.copy(result, out + offset, 4L * headSize);
  }

  /** Widens numbers for the kernels, which read float32. */
  private long floats(WeightType type, long stored, int count, long to) {
    kernels.dequantize(type, stored, count, to, 4L * Kernels.SUMS);
    return to;
  }

  private long biases(int head, int first, int positions, long biases) {
    Alibi linear = alibi;
    if (linear == null) {
      return 0;
    }
    for (int i = 0; i < positions; i++) {
      Memory.set(biases + 4L * i, linear.bias(head, first + i));
    }
    return biases;
  }
}
