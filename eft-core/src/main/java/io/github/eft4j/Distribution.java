package io.github.eft4j;

/** Arithmetic on log-probabilities in double precision, with the same bits on every processor. */
final class Distribution {
  static final double LOG2_E = 1.4426950408889634;
  static final double LN2_HIGH = 0x1.62e42fee00000p-1;
  static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  /** Below this {@link #exp} is 0: its result would be subnormal. */
  static final double EXP_LEAST = -708;

  /**
   * Added and subtracted, rounds a small double to the nearest integer; in between the low bits are
   * that integer and 1023, the offset of a double's exponent.
   */
  static final double ROUND = 0x1.8p52 + 1023;

  // (e^r − 1 − r) / r² on |r| ≤ ln 2 / 2, interpolated at Chebyshev's nodes. What is neglected is
  // below 2⁻⁵⁵ of e^r.
  static final double C2 = 0x1.0000000000001p-1;
  static final double C3 = 0x1.5555555555556p-3;
  static final double C4 = 0x1.5555555553d68p-5;
  static final double C5 = 0x1.11111111109b5p-7;
  static final double C6 = 0x1.6c16c17889f3cp-10;
  static final double C7 = 0x1.a01a01a7c2f2cp-13;
  static final double C8 = 0x1.a019b914881bap-16;
  static final double C9 = 0x1.71de0db2eb873p-19;
  static final double C10 = 0x1.28917c9f3a495p-22;
  static final double C11 = 0x1.af389eea54156p-26;

  private Distribution() {}

  /**
   * {@code e^x} for x ≤ 0, within one unit in the last place. Unlike {@link Math#exp} it is the
   * same on every processor, and faster than {@link StrictMath#exp}.
   */
  static double exp(double x) {
    if (!(x >= EXP_LEAST)) {
      return x < EXP_LEAST ? 0 : Double.NaN;
    }
    double rounded = Math.fma(x, LOG2_E, ROUND);
    double k = rounded - ROUND;
    double r = Math.fma(-k, LN2_LOW, Math.fma(-k, LN2_HIGH, x));
    double p = C11;
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
    return p * Double.longBitsToDouble(Double.doubleToRawLongBits(rounded) << 52);
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
