package io.github.eft4j;

/**
 * The state of one sequence of one model: the attention keys and values of the tokens read so far.
 * Not safe for use by several threads at once.
 */
public interface KeyValueCache extends AutoCloseable {
  /**
   * The number of tokens read so far.
   *
   * @return the number of tokens, and the position of the next one
   */
  int length();

  /**
   * Forgets all tokens from a position on, as when drafted tokens are rejected.
   *
   * @param length the number of tokens to keep
   * @throws IllegalArgumentException if {@code length} is negative or above {@link #length()}
   */
  void truncate(int length);

  /**
   * Makes an independent cache that has read the same tokens.
   *
   * @return the new cache, to be closed by the caller
   */
  KeyValueCache fork();

  /**
   * The memory that the cache holds at present.
   *
   * @return the size in bytes
   */
  long bytes();

  /** Frees the memory. Closing twice has no effect. */
  @Override
  void close();
}
