package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.eft4j.reasoning.ReasoningGraph.Edge;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ReasoningGraphTest {
  private static List<String> nodes(int count) {
    return Collections.nCopies(count, "a statement");
  }

  @Test
  void parentsComeFirst() {
    ReasoningGraph graph =
        new ReasoningGraph(
            nodes(4), List.of(new Edge(3, 0), new Edge(0, 2), new Edge(3, 2), new Edge(2, 1)));
    assertThat(graph.topologicalOrder()).containsExactly(3, 0, 2, 1);
    assertThat(graph.incoming(2)).containsExactly(1, 2);
    assertThat(graph.incoming(3)).isEmpty();
  }

  @Property(tries = 100)
  void everyAcyclicGraphHasAnOrder(
      @ForAll @IntRange(min = 1, max = 30) int count, @ForAll Random random) {
    List<Integer> hidden = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      hidden.add(i);
    }
    Collections.shuffle(hidden, random);
    List<Edge> edges = new ArrayList<>();
    for (int child = 1; child < count; child++) {
      for (int parent = 0; parent < child; parent++) {
        if (random.nextInt(4) == 0) {
          edges.add(new Edge(hidden.get(parent), hidden.get(child)));
        }
      }
    }
    List<Integer> order = new ReasoningGraph(nodes(count), edges).topologicalOrder();
    assertThat(order).containsExactlyInAnyOrderElementsOf(hidden);
    for (Edge edge : edges) {
      assertThat(order.indexOf(edge.parent())).isLessThan(order.indexOf(edge.child()));
    }
  }

  @Test
  void cyclesAreNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new ReasoningGraph(
                    nodes(5),
                    List.of(
                        new Edge(0, 1),
                        new Edge(1, 2),
                        new Edge(2, 3),
                        new Edge(3, 1),
                        new Edge(3, 4))))
        .withMessage("the edges close a cycle: [1, 2, 3, 1]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReasoningGraph(nodes(1), List.of(new Edge(0, 0))))
        .withMessage("the edges close a cycle: [0, 0]");
  }

  @Test
  void edgesStayWithinTheGraphAndOccurOnce() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReasoningGraph(nodes(2), List.of(new Edge(0, 2))))
        .withMessage("the edge from 0 to 2 is outside the graph of 2 nodes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReasoningGraph(nodes(2), List.of(new Edge(-1, 0))))
        .withMessage("the edge from -1 to 0 is outside the graph of 2 nodes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReasoningGraph(nodes(2), List.of(new Edge(0, 1), new Edge(0, 1))))
        .withMessage("the edge from 0 to 1 occurs twice");
  }

  @Test
  void consecutiveStepsMakeAChain() {
    assertThat(EdgeRule.consecutive().edges(trace(List.of(), List.of(1), List.of(1))))
        .containsExactly(new Edge(0, 1), new Edge(1, 2));
    assertThat(EdgeRule.consecutive().edges(trace(List.of()))).isEmpty();
  }

  @Test
  void citedStepsTakeThePlaceOfThePreviousOne() {
    assertThat(
            EdgeRule.citedOrPrevious()
                .edges(trace(List.of(), List.of(), List.of(1), List.of(1, 3), List.of())))
        .containsExactly(
            new Edge(0, 1), new Edge(0, 2), new Edge(0, 3), new Edge(2, 3), new Edge(3, 4));
  }

  @Test
  void citationsGoByTheNumbersOfTheTrace() {
    Trace trace =
        new Trace(
            List.of(
                new Step(2, "a", List.of()),
                new Step(5, "b", List.of()),
                new Step(7, "c", List.of(2))),
            Optional.empty());
    assertThat(EdgeRule.citedOrPrevious().edges(trace))
        .containsExactly(new Edge(0, 1), new Edge(0, 2));
  }

  @Test
  void citationsMustExistAndComeBefore() {
    assertThatExceptionOfType(InvalidCitationException.class)
        .isThrownBy(() -> EdgeRule.citedOrPrevious().edges(trace(List.of(), List.of(7))))
        .withMessage("step 2 cites step 7, which does not exist");
    assertThatExceptionOfType(InvalidCitationException.class)
        .isThrownBy(() -> EdgeRule.citedOrPrevious().edges(trace(List.of(2), List.of())))
        .withMessage("step 1 cites step 2, which does not come before it");
    assertThatExceptionOfType(InvalidCitationException.class)
        .isThrownBy(() -> EdgeRule.citedOrPrevious().edges(trace(List.of(), List.of(2))))
        .withMessage("step 2 cites step 2, which does not come before it");
  }

  @SafeVarargs
  private static Trace trace(List<Integer>... citations) {
    List<Step> steps = new ArrayList<>();
    for (List<Integer> cited : citations) {
      steps.add(new Step(steps.size() + 1, "a statement", cited));
    }
    return new Trace(steps, Optional.empty());
  }
}
