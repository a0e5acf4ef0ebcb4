package io.github.eft4j.tensor;

/** A weight matrix {@code [rows, columns]}, laid out as one {@link TensorOps} wants it. */
public interface Matrix extends AutoCloseable {
  /**
   * The size of a linear layer's output.
   *
   * @return the number of rows
   */
  int rows();

  /**
   * The size of a linear layer's input.
   *
   * @return the number of columns
   */
  int columns();

  /**
   * How the weights are stored.
   *
   * @return the type of the weights in memory
   */
  WeightType type();

  /**
   * Frees what the matrix holds beside the tensor that it was made from. It must not be used
   * afterwards. Closing twice has no effect.
   */
  @Override
  void close();
}
