package io.github.eft4j.examples.study;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.examples.facts.Judgement;
import java.util.List;
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
  void ofNoGapIsNothing() {
    assertThat(Recovery.ofFactuality(right(20), right(60), right(20))).hasToString("–");
  }
}
