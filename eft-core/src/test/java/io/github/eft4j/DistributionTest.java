package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class DistributionTest {
  @Property(tries = 10_000)
  void expIsAsExactAsItSays(@ForAll @DoubleRange(min = -708, max = 0) double x) {
    double expected = StrictMath.exp(x);

    double error = 0x1p-44 - x * 0x1p-53;
    assertThat(Distribution.exp(x)).isCloseTo(expected, within(error * expected));
  }

  @Test
  void expAtItsEdges() {
    assertThat(Distribution.exp(0)).isEqualTo(1);
    assertThat(Distribution.exp(-0.0)).isEqualTo(1);
    assertThat(Distribution.exp(-709)).isZero();
    assertThat(Distribution.exp(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(Distribution.exp(Double.NaN)).isNaN();
  }

  @Test
  void logSumExpIgnoresForbiddenEntriesAndReportsBrokenOnes() {
    double no = Double.NEGATIVE_INFINITY;

    assertThat(Distribution.logSumExp(new double[] {1000, no, 1000}))
        .isCloseTo(1000 + Math.log(2), within(1e-12));
    assertThat(Distribution.logSumExp(new double[] {1, Double.NaN})).isNaN();
    assertThat(Distribution.logSumExp(new double[] {1, Double.POSITIVE_INFINITY})).isNaN();
    assertThat(Distribution.logSumExp(new double[] {no, no})).isNaN();
  }
}
