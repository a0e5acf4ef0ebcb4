package io.github.eft4j.tensor;

/**
 * The memory for the keys and values of one sequence, for all layers. Only the {@link TensorOps}
 * that made it knows how it is laid out. It grows as {@link TensorOps#attention} appends to it.
 */
public interface KeyValueStore extends AutoCloseable {
  /**
   * Copies the first positions into a new store.
   *
   * @param positions the number of positions to copy
   * @return the new store, to be closed by the caller
   */
  KeyValueStore copy(int positions);

  /**
   * The memory held at present.
   *
   * @return the size in bytes
   */
  long bytes();

  /** Frees the memory. Closing twice has no effect. */
  @Override
  void close();
}
