package io.github.eft4j.miniature;

import java.util.Arrays;

/**
 * A weight of a network.
 *
 * @param name its name in checkpoints
 * @param shape its shape, a linear layer's {@code [out, in]}
 * @param mean the mean of its values before training
 * @param deviation the standard deviation of its values before training
 */
record Parameter(String name, long[] shape, float mean, float deviation) {
  /** A linear layer, whose outputs begin as large as its inputs. */
  static Parameter linear(String name, int out, int in) {
    return new Parameter(name, new long[] {out, in}, 0, (float) (1 / Math.sqrt(in)));
  }

  /** A table of vectors. */
  static Parameter embedding(String name, int rows, int columns) {
    return new Parameter(name, new long[] {rows, columns}, 0, 0.02f);
  }

  /** A vector of one value. */
  static Parameter vector(String name, int size, float value) {
    return new Parameter(name, new long[] {size}, value, 0);
  }

  int size() {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  /** Only matrices are drawn towards zero. */
  boolean decays() {
    return shape.length == 2;
  }
}
