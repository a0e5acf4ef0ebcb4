package io.github.eft4j.reasoning;

import java.util.List;

/**
 * How good a reasoning graph is: much belief, and little uncertainty.
 *
 * @param meanBelief the mean of the nodes' beliefs
 * @param meanEntropy the mean of the binary entropies of the nodes' beliefs, in {@code unit}
 * @param unit the unit of the entropy
 */
public record GraphScore(double meanBelief, double meanEntropy, EntropyUnit unit) {
  /**
   * Scores a graph.
   *
   * @param beliefs the belief in each node, at least one
   * @param unit the unit of entropies
   * @return the score
   * @throws IllegalArgumentException if there is no node
   */
  public static GraphScore of(List<Double> beliefs, EntropyUnit unit) {
    if (beliefs.isEmpty()) {
      throw new IllegalArgumentException("the graph has no nodes");
    }
    double belief = 0;
    double entropy = 0;
    for (double b : beliefs) {
      belief += b;
      entropy += unit.binaryEntropy(b);
    }
    return new GraphScore(belief / beliefs.size(), entropy / beliefs.size(), unit);
  }

  /**
   * The score.
   *
   * @return {@code meanBelief − meanEntropy}; the greater, the better
   */
  public double value() {
    return meanBelief - meanEntropy;
  }
}
