package io.github.eft4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Weights that {@link JvmOps} multiplies with as they are stored, or packed as {@link Nibbles}, in
 * memory of their own.
 */
final class JvmMatrix implements Matrix {
  private final StoredTensor tensor;
  private final MemorySegment weights;

  /** Packed weights, or null. */
  private @Nullable WeightMemory nibbles;

  JvmMatrix(StoredTensor tensor) {
    this.tensor = tensor;
    MemorySegment data = tensor.data();
    this.weights = data.isNative() ? data : Arena.ofAuto().allocate(data.byteSize()).copyFrom(data);
  }

  /**
   * Packs the weights, if that is how they are multiplied, and lets go of the file's.
   *
   * @param pool does it
   * @param threads the number of threads
   * @throws OutOfMemoryError if there is no memory for them
   */
  void pack(WorkerPool pool, int threads) {
    if (!Nibbles.packs(type())) {
      return;
    }
    WeightMemory memory = new WeightMemory(Nibbles.bytes(type(), rows(), columns()));
    nibbles = memory;
    int groups = (rows() + Nibbles.ROWS - 1) / Nibbles.ROWS;
    pool.run(groups, threads, (group, _) -> packGroup(group, memory.address()));
    if (tensor.data().isMapped()) {
      tensor.data().unload();
    }
  }

  private void packGroup(int group, long to) {
    int from = group * Nibbles.ROWS;
    int count = Math.min(Nibbles.ROWS, rows() - from);
    Nibbles.pack(
        type(),
        weights.asSlice(
            type().bytes((long) from * columns()), type().bytes((long) count * columns())),
        count,
        columns(),
        to + group * Nibbles.groupBytes(type(), columns()));
  }

  @Override
  public int rows() {
    return tensor.rows();
  }

  @Override
  public int columns() {
    return tensor.columns();
  }

  @Override
  public WeightType type() {
    return tensor.type();
  }

  String name() {
    return tensor.name();
  }

  /** The address of a row as it is stored. */
  long row(int row) {
    return weights.address() + type().bytes((long) row * columns());
  }

  boolean isPacked() {
    return nibbles != null;
  }

  /** The address of packed rows, from the first of a group on. */
  long nibbles(int row) {
    return Objects.requireNonNull(nibbles).address()
        + row / Nibbles.ROWS * Nibbles.groupBytes(type(), columns());
  }

  @Override
  public void close() {
    WeightMemory memory = nibbles;
    if (memory != null) {
      nibbles = null;
      memory.close();
    }
  }
}
