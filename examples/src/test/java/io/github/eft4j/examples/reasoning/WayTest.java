package io.github.eft4j.examples.reasoning;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Split;
import io.github.eft4j.reasoning.Agent;
import io.github.eft4j.reasoning.Step;
import io.github.eft4j.reasoning.Trace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WayTest {
  private static MultiHop anyHop() {
    return MultiHop.of(Split.TUNING).stream()
        .filter(hop -> hop.question().contains("currency"))
        .findFirst()
        .orElseThrow();
  }

  /** What the reasoner is taught is what the agents' parser reads. */
  @ParameterizedTest
  @EnumSource
  void solutionsAreTraces(Way way) {
    for (MultiHop hop : MultiHop.of(Split.VALIDATION)) {
      Trace trace = way.agent().trace(hop.question(), 8, way.solution(hop));
      assertThat(trace.steps()).extracting(Step::text).first().isEqualTo(hop.question());
      assertThat(trace.steps())
          .extracting(Step::text)
          .containsSubsequence(way.steps(hop))
          .hasSize(way.steps(hop).size() + 1);
      assertThat(trace.steps().getLast().text()).contains(hop.sought().value());
      assertThat(trace.answer()).contains(hop.sought().value() + ".");
    }
  }

  @Test
  void waysDiffer() {
    assertThat(Way.values()).extracting(way -> way.solution(anyHop())).doesNotHaveDuplicates();
    assertThat(Way.agents())
        .extracting(Agent::name)
        .containsExactly("abductive", "deductive", "inductive");
    assertThat(Way.templates().keySet()).containsExactly("abductive", "deductive", "inductive");
  }
}
