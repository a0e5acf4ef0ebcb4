package io.github.eft4j.reasoning;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What Theorem-of-Thought came to.
 *
 * @param graphs the graph of each agent that did not fail, in the order of the agents
 * @param failures the agents that failed, in their order
 * @param cost what it took, failed agents included
 */
public record ReasoningResult(List<ScoredGraph> graphs, List<AgentFailure> failures, Cost cost)
    implements Reasoner.Answer {
  /** Copies the lists. */
  public ReasoningResult {
    graphs = List.copyOf(graphs);
    failures = List.copyOf(failures);
  }

  /**
   * The graph with the best score; of equals, that of the agent that was named first.
   *
   * @return the graph, or empty if all agents failed
   */
  public Optional<ScoredGraph> winner() {
    // Of equals, max() keeps the first.
    return graphs.stream().max(Comparator.comparingDouble(g -> g.score().value()));
  }

  /**
   * The answer of the winning graph: the one that its agent named, or else its last step.
   *
   * @return the answer, or empty if all agents failed
   */
  @Override
  public Optional<String> answer() {
    return winner().flatMap(graph -> graph.trace().conclusion());
  }
}
