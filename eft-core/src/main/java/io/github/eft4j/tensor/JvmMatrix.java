package io.github.eft4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Weights that {@link JvmOps} multiplies with as they are stored, or as {@link Packed} says, in
 * memory of their own.
 */
final class JvmMatrix implements Matrix {
  private final StoredTensor tensor;
  private final MemorySegment weights;

  /** Packed weights, or null. */
  private @Nullable WeightMemory packed;

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
   * @throws IllegalArgumentException if a scale of them is infinite or not a number
   */
  void pack(WorkerPool pool, int threads) {
    if (!Packed.packs(type())) {
      return;
    }
    WeightMemory memory = new WeightMemory(Packed.bytes(type(), rows(), columns()));
    packed = memory;
    int groups = (rows() + Packed.ROWS - 1) / Packed.ROWS;
    try {
      pool.run(groups, threads, (group, _) -> packGroup(group, memory.address()));
    } catch (IllegalArgumentException e) {
      close();
      throw new IllegalArgumentException("tensor %s: %s".formatted(name(), e.getMessage()), e);
    }
    if (tensor.data().isMapped()) {
      tensor.data().unload();
    }
  }

  private void packGroup(int group, long to) {
    int from = group * Packed.ROWS;
    int count = Math.min(Packed.ROWS, rows() - from);
    Packed.pack(
        type(),
        weights.asSlice(
            type().bytes((long) from * columns()), type().bytes((long) count * columns())),
        count,
        columns(),
        to + group * Packed.groupBytes(type(), columns()));
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
    return packed != null;
  }

  /** The address of packed rows, from the first of a group on. */
  long packed(int row) {
    return Objects.requireNonNull(packed).address()
        + row / Packed.ROWS * Packed.groupBytes(type(), columns());
  }

  @Override
  public void close() {
    WeightMemory memory = packed;
    if (memory != null) {
      packed = null;
      memory.close();
    }
  }
}
