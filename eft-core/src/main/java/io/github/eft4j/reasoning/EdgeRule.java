package io.github.eft4j.reasoning;

import io.github.eft4j.reasoning.ReasoningGraph.Edge;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Which steps of a trace support which: the paper leaves it open. */
@FunctionalInterface
public interface EdgeRule {
  /**
   * Chooses the edges.
   *
   * @param trace a trace with at least one step
   * @return the edges between the steps, which go by their index in {@link Trace#steps()}
   * @throws InvalidCitationException if a step cites one that does not exist, or not before it
   */
  List<Edge> edges(Trace trace);

  /**
   * A chain: each step supports the next one. What steps cite is not looked at. A trace of s steps
   * has s − 1 edges.
   *
   * @return the rule
   */
  static EdgeRule consecutive() {
    return trace ->
        IntStream.range(1, trace.steps().size()).mapToObj(i -> new Edge(i - 1, i)).toList();
  }

  /**
   * The default: a step is supported by the earlier steps that it cites, and by the step before it
   * when it cites none. A trace whose steps cite at most one step each has at most s − 1 edges; a
   * step that cites more brings one edge for each.
   *
   * @return the rule
   */
  static EdgeRule citedOrPrevious() {
    return trace -> {
      Map<Integer, Integer> indexOf = new HashMap<>();
      for (int i = 0; i < trace.steps().size(); i++) {
        indexOf.put(trace.steps().get(i).number(), i);
      }
      return IntStream.range(0, trace.steps().size())
          .boxed()
          .flatMap(i -> edgesTo(i, trace.steps().get(i), indexOf))
          .toList();
    };
  }

  private static Stream<Edge> edgesTo(int index, Step step, Map<Integer, Integer> indexOf) {
    if (step.citations().isEmpty()) {
      return index == 0 ? Stream.of() : Stream.of(new Edge(index - 1, index));
    }
    return step.citations().stream()
        .map(
            number -> {
              Integer parent = indexOf.get(number);
              if (parent == null) {
                throw new InvalidCitationException(
                    "step %d cites step %d, which does not exist".formatted(step.number(), number));
              }
              if (parent >= index) {
                throw new InvalidCitationException(
                    "step %d cites step %d, which does not come before it"
                        .formatted(step.number(), number));
              }
              return new Edge(parent, index);
            });
  }
}
