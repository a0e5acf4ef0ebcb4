package io.github.eft4j;

/** Arithmetic on log-probabilities in double precision, with the same bits on every processor. */
final class Distribution {
  static final double LOG2_E = 1.4426950408889634;
  static final double LN2_HIGH = 0x1.62e42fee00000p-1;
  static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  /** Below this {@link #exp} is 0: its result would be subnormal. */
  static final double EXP_LEAST = -708;

  /** Added and subtracted, rounds a small double to the nearest integer. */
  static final double ROUND = 0x1.8p52;

  // 1/n!: on |r| ≤ ln 2 / 2 the rest of the series is below half a unit in 1.
  static final double C2 = 1.0 / 2;
  static final double C3 = 1.0 / 6;
  static final double C4 = 1.0 / 24;
  static final double C5 = 1.0 / 120;
  static final double C6 = 1.0 / 720;
  static final double C7 = 1.0 / 5040;
  static final double C8 = 1.0 / 40320;
  static final double C9 = 1.0 / 362880;
  static final double C10 = 1.0 / 3628800;
  static final double C11 = 1.0 / 39916800;
  static final double C12 = 1.0 / 479001600;
  static final double C13 = 1.0 / 6227020800L;

  private Distribution() {}

  /**
   * {@code e^x} for x ≤ 0, within one unit in the last place. Unlike {@link Math#exp} it is the
   * same on every processor, and faster than {@link StrictMath#exp}.
   */
  static double exp(double x) {
    if (!(x >= EXP_LEAST)) {
      return x < EXP_LEAST ? 0 : Double.NaN;
    }
    double k = Math.fma(x, LOG2_E, ROUND) - ROUND;
    double r = Math.fma(-k, LN2_LOW, Math.fma(-k, LN2_HIGH, x));
    double p = C13;
    p = Math.fma(p, r, C12);
    p = Math.fma(p, r, C11);
    p = Math.fma(p, r, C10);
    p = Math.fma(p, r, C9);
    p = Math.fma(p, r, C8);
    p = Math.fma(p, r, C7);
    p = Math.fma(p, r, C6);
    p = Math.fma(p, r, C5);
    p = Math.fma(p, r, C4);
    p = Math.fma(p, r, C3);
    p = Math.fma(p, r, C2);
    p = Math.fma(p, r * r, r) + 1;
    return p * Double.longBitsToDouble((1023L + (long) k) << 52);
  }

  /**
   * {@code log Σ exp(scores)}; NaN if one is NaN or positive infinity, or all negative infinity.
   */
  static double logSumExp(double[] scores) {
    RowKernels kernels = RowKernels.fastest();
    double max = kernels.max(scores);
    return max
        + StrictMath.log(
            kernels.exp(scores, max, 1, new double[scores.length], new double[RowKernels.SUMS]));
  }
}
