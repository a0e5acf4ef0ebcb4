package io.github.eft4j;

/** Arithmetic on log-probabilities in double precision, with the same bits on every processor. */
final class Distribution {
  private static final double LOG2_E = 1.4426950408889634;
  private static final double LN2_HIGH = 0x1.62e42fee00000p-1;
  private static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  /** Below this {@link #exp} is 0: its result would be subnormal. */
  private static final double EXP_LEAST = -708;

  /** Added and subtracted, rounds a small double to the nearest integer. */
  private static final double ROUND = 0x1.8p52;

  /** 1/n! for n = 13 … 2: on |r| ≤ ln 2 / 2 the rest of the series is below half a unit in 1. */
  private static final double[] INVERSE_FACTORIALS = new double[12];

  static {
    double factorial = 1;
    for (int n = 2; n <= 13; n++) {
      factorial *= n;
      INVERSE_FACTORIALS[13 - n] = 1 / factorial;
    }
  }

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
    double p = INVERSE_FACTORIALS[0];
    for (int i = 1; i < INVERSE_FACTORIALS.length; i++) {
      p = Math.fma(p, r, INVERSE_FACTORIALS[i]);
    }
    p = Math.fma(p, r * r, r) + 1;
    return p * Double.longBitsToDouble((1023L + (long) k) << 52);
  }

  /** {@code log Σ exp(scores)} over the first n scores; NaN if one is NaN or positive infinity. */
  static double logSumExp(double[] scores, int n) {
    double max = max(scores, n);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += exp(scores[i] - max);
    }
    return max + StrictMath.log(sum);
  }

  static double max(double[] scores, int n) {
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, scores[i]);
    }
    return max;
  }
}
