package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class DistributionTest {
  /** A rounding in the reduction and one in the sum; the reference itself may be off by one. */
  private static final double EXP_UNITS = 2;

  @Property(tries = 10_000)
  void expIsWithinTwoUnitsOfTheReference(@ForAll @DoubleRange(min = -708, max = 0) double x) {
    double expected = StrictMath.exp(x);

    assertThat(Distribution.exp(x)).isCloseTo(expected, within(EXP_UNITS * Math.ulp(expected)));
  }

  @Test
  void expAtItsEdges() {
    assertThat(Distribution.exp(0)).isEqualTo(1);
    assertThat(Distribution.exp(-0.0)).isEqualTo(1);
    assertThat(Distribution.exp(-708.5)).isZero();
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
