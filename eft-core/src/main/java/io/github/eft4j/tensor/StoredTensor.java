package io.github.eft4j.tensor;

import java.lang.foreign.MemorySegment;

/**
 * A tensor as it lies in a checkpoint: one or two dimensions, row after row, little-endian, usually
 * memory-mapped and then read-only. The memory outlives the model that uses the tensor.
 *
 * @param name the tensor's name, for messages
 * @param type how a weight is stored
 * @param rows the number of rows: the size of a linear layer's output; 1 for a vector
 * @param columns the number of weights in a row: the size of a linear layer's input
 * @param data the weights, {@code type.bytes(rows * columns)} bytes, at any alignment
 */
public record StoredTensor(
    String name, WeightType type, int rows, int columns, MemorySegment data) {
  /**
   * Checks that the sizes fit together.
   *
   * @throws IllegalArgumentException if a size is not positive, a row is not a whole number of
   *     blocks, or {@code data} has another size than the shape needs
   */
  public StoredTensor {
    if (rows <= 0 || columns <= 0) {
      throw new IllegalArgumentException(
          "tensor " + name + ": shape [" + rows + ", " + columns + "] is empty");
    }
    if (columns % type.blockSize() != 0) {
      throw new IllegalArgumentException(
          "tensor %s: rows of %d weights are not a multiple of the %d weights of a %s block"
              .formatted(name, columns, type.blockSize(), type));
    }
    long bytes = type.bytes((long) rows * columns);
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "tensor %s: %d bytes, but %s [%d, %d] needs %d"
              .formatted(name, data.byteSize(), type, rows, columns, bytes));
    }
  }
}
