package io.github.eft4j.models.format;

import java.util.List;

/**
 * What a checkpoint says of a tensor, readable whether or not its type is supported.
 *
 * @param name the tensor's name
 * @param type how the weights are stored, as the file format spells it, such as {@code BF16}
 * @param shape the dimensions, slowest first; empty for a single number
 * @param bytes the size in the file in bytes
 */
public record TensorInfo(String name, String type, List<Long> shape, long bytes) {
  /** Copies the shape. */
  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /**
   * The number of weights.
   *
   * @return the product of the dimensions
   */
  public long weights() {
    return shape.stream().reduce(1L, Math::multiplyExact);
  }
}
