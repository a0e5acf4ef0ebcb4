package io.github.eft4j.reasoning;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Spreads belief through a reasoning graph, once, from the roots on.
 *
 * <p>A node with one parent of belief P and an edge of trust θ gets, by Bayes' rule,
 *
 * <pre>{@code P θ / (P θ + (1 − P)(1 − θ))}</pre>
 *
 * so along a chain the log-odds of the trusts add up. A node with several parents gets the mean of
 * what each alone would give it. Every node is visited once: the time is linear in nodes and edges.
 *
 * @param rootBelief the belief of nodes without parents, above 0 and below 1
 */
public record BeliefPropagation(double rootBelief) {
  /** The paper's: roots have a belief of 0.5. */
  public static final BeliefPropagation STANDARD = new BeliefPropagation(0.5);

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if the belief of roots is not above 0 and below 1
   */
  public BeliefPropagation {
    if (!(rootBelief > 0 && rootBelief < 1)) {
      throw new IllegalArgumentException(
          "belief of roots is " + rootBelief + ", expected a number above 0 and below 1");
    }
  }

  /**
   * What was computed.
   *
   * @param values the belief in each node, by its index
   * @param updates the number of nodes whose belief was computed from their parents
   */
  public record Beliefs(List<Double> values, int updates) {
    /** Copies the list. */
    public Beliefs {
      values = List.copyOf(values);
    }
  }

  /**
   * Computes the belief in each node.
   *
   * @param graph the graph
   * @param trusts the trust θ of each edge, by its index, above 0 and below 1
   * @return the beliefs
   * @throws IllegalArgumentException if there is not one trust for each edge, or one is out of its
   *     range
   */
  public Beliefs propagate(ReasoningGraph graph, List<Double> trusts) {
    if (trusts.size() != graph.edges().size()) {
      throw new IllegalArgumentException(
          "%d trusts for %d edges".formatted(trusts.size(), graph.edges().size()));
    }
    for (double trust : trusts) {
      if (!(trust > 0 && trust < 1)) {
        throw new IllegalArgumentException(
            "trust is " + trust + ", expected a number above 0 and below 1");
      }
    }
    double[] beliefs = new double[graph.nodes().size()];
    int updates = 0;
    for (int node : graph.topologicalOrder()) {
      List<Integer> incoming = graph.incoming(node);
      if (incoming.isEmpty()) {
        beliefs[node] = rootBelief;
        continue;
      }
      double sum = 0;
      for (int edge : incoming) {
        sum += update(beliefs[graph.edges().get(edge).parent()], trusts.get(edge));
      }
      beliefs[node] = sum / incoming.size();
      updates++;
    }
    return new Beliefs(
        IntStream.range(0, beliefs.length).mapToObj(i -> beliefs[i]).toList(), updates);
  }

  /**
   * The belief that one parent alone gives.
   *
   * @param parent the belief P in the parent, from 0 to 1
   * @param trust the trust θ of the edge, above 0 and below 1
   * @return {@code P θ / (P θ + (1 − P)(1 − θ))}
   */
  public static double update(double parent, double trust) {
    double holds = parent * trust;
    return holds / (holds + (1 - parent) * (1 - trust));
  }
}
