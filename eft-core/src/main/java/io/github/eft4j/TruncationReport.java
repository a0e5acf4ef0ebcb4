package io.github.eft4j;

import java.util.List;

/**
 * What it meant for a completion that a model gave only lists of its likeliest tokens.
 *
 * @param distributionBounds for each new token the most that the distribution it was drawn from can
 *     differ from the combination's own, in total variation; 0 where lists as long as it takes are
 *     to be had. Empty where no model gave lists
 * @param logProbabilityBounds for each new token how much its reported log-probability can be too
 *     high: it is normalised over the listed tokens. Empty where no model gave lists
 * @param askedAgain the number of new tokens for which a longer list was asked for
 */
public record TruncationReport(
    List<Double> distributionBounds, List<Double> logProbabilityBounds, int askedAgain) {
  /** What is reported where no model gave lists. */
  public static final TruncationReport NONE = new TruncationReport(List.of(), List.of(), 0);

  /** Copies the lists. */
  public TruncationReport {
    distributionBounds = List.copyOf(distributionBounds);
    logProbabilityBounds = List.copyOf(logProbabilityBounds);
  }

  /**
   * How much the distribution of the whole completion can differ from the combination's own.
   *
   * @return the sum of all tokens' bounds, which bounds the total variation; at most 1
   */
  public double distributionBound() {
    return Math.min(1, distributionBounds.stream().mapToDouble(Double::doubleValue).sum());
  }
}
