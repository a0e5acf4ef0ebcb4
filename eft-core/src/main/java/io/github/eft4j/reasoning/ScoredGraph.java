package io.github.eft4j.reasoning;

import java.util.List;

/**
 * What an agent wrote, as a graph with beliefs.
 *
 * @param agent the agent's name
 * @param trace what it wrote
 * @param graph its steps and which supports which
 * @param judgements how the child of each edge stands to the parent, by the edge's index
 * @param trusts the trust θ of each edge, by its index
 * @param beliefs the belief in each step, by the node's index
 * @param score how good the graph is
 */
public record ScoredGraph(
    String agent,
    Trace trace,
    ReasoningGraph graph,
    List<Judgement> judgements,
    List<Double> trusts,
    List<Double> beliefs,
    GraphScore score) {
  /** Copies the lists. */
  public ScoredGraph {
    judgements = List.copyOf(judgements);
    trusts = List.copyOf(trusts);
    beliefs = List.copyOf(beliefs);
  }
}
