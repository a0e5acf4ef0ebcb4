package io.github.eft4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Weights that {@link JvmOps} multiplies with as they are stored. */
final class JvmMatrix implements Matrix {
  private final StoredTensor tensor;
  private final MemorySegment weights;

  JvmMatrix(StoredTensor tensor) {
    this.tensor = tensor;
    MemorySegment data = tensor.data();
    this.weights = data.isNative() ? data : Arena.ofAuto().allocate(data.byteSize()).copyFrom(data);
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

  /** The address of a row. */
  long row(int row) {
    return weights.address() + type().bytes((long) row * columns());
  }

  @Override
  public void close() {
    // Reads the tensor in place.
  }
}
