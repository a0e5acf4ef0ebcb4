package io.github.eft4j.examples.study;

import java.util.Locale;
import org.apache.commons.math3.distribution.BetaDistribution;

/**
 * A share of trials.
 *
 * @param hits the number of trials that count
 * @param trials the number of trials, at least 1
 */
public record Proportion(int hits, int trials) {
  /** The confidence of intervals. */
  static final double CONFIDENCE = 0.95;

  /** The probability on either side. */
  static final double TAIL = (1 - CONFIDENCE) / 2;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if there are no trials, or not between none and all are hits
   */
  public Proportion {
    if (trials < 1 || hits < 0 || hits > trials) {
      throw new IllegalArgumentException(hits + " hits of " + trials + " trials");
    }
  }

  /**
   * The share.
   *
   * @return between 0 and 1
   */
  public double value() {
    return (double) hits / trials;
  }

  /**
   * The lower end of the exact interval of confidence (Clopper and Pearson 1934).
   *
   * @return the lower end of the 95 % interval
   */
  public double low() {
    return hits == 0 ? 0 : quantile(hits, trials - hits + 1, TAIL);
  }

  /**
   * The upper end of the exact interval of confidence (Clopper and Pearson 1934).
   *
   * @return the upper end of the 95 % interval
   */
  public double high() {
    return hits == trials ? 1 : quantile(hits + 1, trials - hits, 1 - TAIL);
  }

  private static double quantile(int alpha, int beta, double probability) {
    return new BetaDistribution(alpha, beta).inverseCumulativeProbability(probability);
  }

  /** Such as {@code .567 (.509–.624)}. */
  @Override
  public String toString() {
    return "%s (%s–%s)".formatted(decimals(value()), decimals(low()), decimals(high()));
  }

  /** A share without its leading zero, as statistics write it. */
  static String decimals(double share) {
    String text = String.format(Locale.ROOT, "%.3f", share);
    return text.startsWith("0") ? text.substring(1) : text.replaceFirst("^-0", "-");
  }
}
