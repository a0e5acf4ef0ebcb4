package io.github.eft4j;

/** Arithmetic on log-probabilities in double precision, with the same bits on every processor. */
final class Distribution {
  static final double LOG2_E = 1.4426950408889634;

  /** Below this {@link #exp2} is 0: its result would be subnormal. */
  static final double EXP2_LEAST = -1022;

  /**
   * Added and subtracted, rounds a small double to the nearest integer; in between the low bits are
   * that integer.
   */
  static final double ROUND = 0x1.8p52;

  // (2^r − 1) / r on |r| ≤ 1/2, interpolated at Chebyshev's nodes.
  static final double C1 = 0x1.62e42fefa39efp-1;
  static final double C2 = 0x1.ebfbdff823cedp-3;
  static final double C3 = 0x1.c6b08d7047e52p-5;
  static final double C4 = 0x1.3b2ab7181b755p-7;
  static final double C5 = 0x1.5d87fe86fe88ep-10;
  static final double C6 = 0x1.4308ac85aa947p-13;
  static final double C7 = 0x1.ffcb9515a8016p-17;
  static final double C8 = 0x1.63d136366db24p-20;
  static final double C9 = 0x1.b63880a30e9ffp-24;

  private Distribution() {}

  /**
   * {@code e^x} for x ≤ 0; the relative error is below 2⁻⁴⁴ + |x| · 2⁻⁵³. Unlike {@link Math#exp}
   * it is the same on every processor, and faster than {@link StrictMath#exp}.
   */
  static double exp(double x) {
    return exp2(x * LOG2_E);
  }

  /** {@code 2^y} for y ≤ 0; the relative error is below 2⁻⁴⁴. */
  static double exp2(double y) {
    if (!(y >= EXP2_LEAST)) {
      return y < EXP2_LEAST ? 0 : Double.NaN;
    }
    double rounded = y + ROUND;
    double r = y - (rounded - ROUND);
    double p = C9;
    p = Math.fma(p, r, C8);
    p = Math.fma(p, r, C7);
    p = Math.fma(p, r, C6);
    p = Math.fma(p, r, C5);
    p = Math.fma(p, r, C4);
    p = Math.fma(p, r, C3);
    p = Math.fma(p, r, C2);
    p = Math.fma(p, r, C1);
    p = Math.fma(p, r, 1);
    // Adding to p's exponent is cheaper than multiplying by the power of two. The result is normal,
    // since p ≥ 1 where the exponent is the least. Vectors do not look for NaN first, and keep it:
    // those of arithmetic and of widened float32 have zeros for low bits.
    return Double.longBitsToDouble(
        Double.doubleToRawLongBits(p) + (Double.doubleToRawLongBits(rounded) << 52));
  }

  /**
   * {@code log Σ exp(scores)}; NaN if one is NaN or positive infinity, or all negative infinity.
   */
  static double logSumExp(double[] scores) {
    RowKernels kernels = RowKernels.fastest();
    double max = kernels.max(scores);
    return max + StrictMath.log(kernels.sumExp(scores, max, new double[RowKernels.SUMS]));
  }
}
