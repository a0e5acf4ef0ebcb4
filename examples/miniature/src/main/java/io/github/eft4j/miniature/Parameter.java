package io.github.eft4j.miniature;

import ai.djl.ndarray.types.Shape;

/**
 * A weight of a network.
 *
 * @param name its name in checkpoints
 * @param shape its shape, a linear layer's {@code [out, in]}
 * @param mean the mean of its values before training
 * @param deviation the standard deviation of its values before training
 */
record Parameter(String name, Shape shape, float mean, float deviation) {
  /** A linear layer, whose outputs begin as large as its inputs. */
  static Parameter linear(String name, int out, int in) {
    return new Parameter(name, new Shape(out, in), 0, (float) (1 / Math.sqrt(in)));
  }

  /** A table of vectors. */
  static Parameter embedding(String name, int rows, int columns) {
    return new Parameter(name, new Shape(rows, columns), 0, 0.02f);
  }

  /** A vector of one value. */
  static Parameter vector(String name, int size, float value) {
    return new Parameter(name, new Shape(size), value, 0);
  }

  int size() {
    return Math.toIntExact(shape.size());
  }

  /** Only matrices are drawn towards zero. */
  boolean decays() {
    return shape.dimension() == 2;
  }
}
