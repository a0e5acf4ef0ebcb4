package io.github.eft4j.examples.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProportionTest {
  private static final double PRINTED = 5e-5;

  /** As R's {@code binom.test} prints them. */
  @ParameterizedTest
  @CsvSource({
    "0, 10, 0, 0.3085",
    "10, 10, 0.6915, 1",
    "5, 10, 0.1871, 0.8129",
    "1, 20, 0.0013, 0.2487",
    "9, 20, 0.2306, 0.6847"
  })
  void intervalsAreExact(int hits, int trials, double low, double high) {
    Proportion proportion = new Proportion(hits, trials);
    assertThat(proportion.low()).isCloseTo(low, within(PRINTED));
    assertThat(proportion.high()).isCloseTo(high, within(PRINTED));
  }

  @Test
  void isWrittenAsStatisticsDo() {
    assertThat(new Proportion(5, 10)).hasToString(".500 (.187–.813)");
    assertThat(new Proportion(0, 10)).hasToString(".000 (.000–.308)");
    assertThat(new Proportion(10, 10)).hasToString("1.000 (.692–1.000)");
    assertThat(Proportion.decimals(-0.25)).isEqualTo("-.250");
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "-1, 5", "6, 5"})
  void refusesWhatIsNoShare(int hits, int trials) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Proportion(hits, trials))
        .withMessage("%d hits of %d trials", hits, trials);
  }
}
