package io.github.eft4j.examples.study;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.examples.facts.Judgement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RecoveryTest {
  /** Right in the first answers, wrong in the rest. */
  private static Outcome right(int count) {
    return new Outcome(
        List.of(),
        IntStream.range(0, 100)
            .mapToObj(i -> new Judgement(i < count, false, false, false))
            .toList());
  }

  @Test
  void isTheShareOfTheGap() {
    Recovery recovery = Recovery.ofFactuality(right(20), right(60), right(70));
    assertThat(recovery.value()).isEqualTo(0.8);
    assertThat(recovery.low()).isBetween(0.6, 0.75);
    assertThat(recovery.high()).isBetween(0.85, 0.95);
    assertThat(recovery.toString()).startsWith("80 % (");
  }

  @Test
  void standsBelowTheMainFigures() {
    Map<String, Outcome> outcomes = new LinkedHashMap<>();
    outcomes.put(Models.SMALL_TUNED, right(20));
    outcomes.put(Models.UP_SCALED, right(60));
    assertThat(Study.summary(outcomes).lines())
        .hasSize(3)
        .last()
        .asString()
        .startsWith("up-scaled     .600 (.497–.697)");
    outcomes.put(Models.LARGE_TUNED, right(70));
    assertThat(Study.summary(outcomes).lines())
        .hasSize(5)
        .last()
        .asString()
        .startsWith("gap recovered 80 % (");
  }

  @Test
  void ofNoGapIsNothing() {
    assertThat(Recovery.ofFactuality(right(20), right(60), right(20))).hasToString("–");
  }
}
