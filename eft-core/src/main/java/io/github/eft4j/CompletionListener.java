package io.github.eft4j;

/** Is told of a completion while it is being written, on the thread that writes it. */
public interface CompletionListener {
  /**
   * A token was drawn.
   *
   * @param id the token id
   * @param logProbability its natural-log probability under the combined distribution before
   *     temperature and filters
   */
  default void onToken(int id, double logProbability) {}

  /**
   * More text is certain. All pieces together are {@link Completion#text()}.
   *
   * @param text whole characters, never empty; held back while it might turn out to be a stop
   *     string
   */
  default void onText(String text) {}
}
