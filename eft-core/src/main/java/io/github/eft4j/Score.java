package io.github.eft4j;

import java.util.List;

/**
 * How likely a text is.
 *
 * @param tokenIds the tokens that were scored
 * @param logProbabilities each token's natural-log probability, given the prompt and the tokens
 *     before it
 */
public record Score(List<Integer> tokenIds, List<Double> logProbabilities) {
  /** Copies the lists. */
  public Score {
    tokenIds = List.copyOf(tokenIds);
    logProbabilities = List.copyOf(logProbabilities);
  }

  /**
   * The natural-log probability of the whole text.
   *
   * @return the sum over all tokens
   */
  public double logProbability() {
    return logProbabilities.stream().mapToDouble(Double::doubleValue).sum();
  }

  /**
   * The perplexity of the text.
   *
   * @return {@code exp(−mean log-probability)} per token
   */
  public double perplexity() {
    return Math.exp(-logProbability() / logProbabilities.size());
  }
}
