package io.github.eft4j.reasoning;

/**
 * The unit of entropies: which base their logarithm has. The paper leaves it open; it weighs
 * uncertainty against belief in a {@linkplain GraphScore graph's score}, so it can change which
 * graph wins.
 */
public enum EntropyUnit {
  /** The natural logarithm; a belief of one half has ln 2 = 0.693. The default. */
  NATS(1),
  /** The logarithm to base 2; a belief of one half has 1. */
  BITS(Math.log(2));

  private final double nats;

  EntropyUnit(double nats) {
    this.nats = nats;
  }

  /**
   * The entropy of a statement that holds with a probability.
   *
   * @param probability the probability p, from 0 to 1
   * @return {@code −p log p − (1 − p) log(1 − p)}, 0 where p is 0 or 1
   */
  public double binaryEntropy(double probability) {
    return (term(probability) + term(1 - probability)) / nats;
  }

  private static double term(double p) {
    return p == 0 ? 0 : -p * Math.log(p);
  }
}
