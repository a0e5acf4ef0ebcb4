package io.github.eft4j.tensor;

/**
 * Exponential and error function of float32 numbers as a fixed sequence of IEEE operations: {@link
 * ScalarKernels} runs it one number at a time and {@link VectorKernels} on vectors of any width,
 * with the same bits. The polynomials are minimax fits made for this project.
 */
final class FloatMath {
  static final float LOG2_E = 1.442695f;
  // ln 2 in two parts; n times the first is exact for the n that occur.
  static final float LN_2_HIGH = 0.69314575f;
  static final float LN_2_LOW = 1.4286068e-6f;

  /** Adding it rounds to an integer, which then stands in the lowest bits of the significand. */
  static final float ROUNDER = 0x1.8p23f;

  /** Below it exp is zero: e^-105 is less than half the smallest float. */
  static final float EXP_LEAST = -105;

  /** Above it exp is infinite. */
  static final float EXP_GREATEST = 89;

  // (e^r − 1 − r) / r² for |r| ≤ ln 2 / 2; relative error of e^r 3e-9.
  static final float EXP_2 = 0.49999994f;
  static final float EXP_3 = 0.16666515f;
  static final float EXP_4 = 0.041668456f;
  static final float EXP_5 = 0.008369419f;
  static final float EXP_6 = 0.0013813142f;

  /** From here on erf is computed from its complement. */
  static final float ERF_SPLIT = 1;

  /** From here on erf rounds to 1. */
  static final float ERF_GREATEST = 4;

  // erf(z) / z − 1 as a polynomial in z² for |z| ≤ 1; relative error of erf 1.2e-9.
  static final float ERF_0 = 0.12837917f;
  static final float ERF_1 = -0.37612626f;
  static final float ERF_2 = 0.112835854f;
  static final float ERF_3 = -0.02685381f;
  static final float ERF_4 = 0.0051883277f;
  static final float ERF_5 = -8.0101925e-4f;
  static final float ERF_6 = 7.853858e-5f;

  // −ln(1 − erf(t)) / t as a polynomial in t for 1 ≤ t ≤ 4; absolute error of erf 4e-10.
  static final float ERFC_0 = 1.1286972f;
  static final float ERFC_1 = 0.6349583f;
  static final float ERFC_2 = 0.10654911f;
  static final float ERFC_3 = -0.02402551f;
  static final float ERFC_4 = 0.0037646603f;
  static final float ERFC_5 = -3.5233216e-4f;
  static final float ERFC_6 = 1.4133839e-5f;

  static final float SQRT_HALF = 0.70710677f;

  private FloatMath() {}

  /**
   * e to the power of x.
   *
   * <p>x = n ln 2 + r with |r| ≤ ln 2 / 2, so eˣ = 2ⁿ eʳ. The factor 2ⁿ is applied in two steps:
   * results that are subnormal or infinite then come out right without a branch.
   */
  static float exp(float x) {
    x = Math.min(Math.max(x, EXP_LEAST), EXP_GREATEST);
    float shifted = Math.fma(x, LOG2_E, ROUNDER);
    float n = shifted - ROUNDER;
    float r = Math.fma(n, -LN_2_LOW, Math.fma(n, -LN_2_HIGH, x));
    float p = Math.fma(EXP_6, r, EXP_5);
    p = Math.fma(p, r, EXP_4);
    p = Math.fma(p, r, EXP_3);
    p = Math.fma(p, r, EXP_2);
    p = Math.fma(p, r, 1);
    p = Math.fma(p, r, 1);
    int power = Float.floatToRawIntBits(shifted) - Float.floatToRawIntBits(ROUNDER);
    int half = power >> 1;
    return p * powerOfTwo(half) * powerOfTwo(power - half);
  }

  private static float powerOfTwo(int n) {
    return Float.intBitsToFloat((n + 127) << 23);
  }

  /** The error function; absolute error below 1e-7. */
  static float erf(float z) {
    float t = Math.min(Math.abs(z), ERF_GREATEST);
    float u = z * z;
    float near = Math.fma(ERF_6, u, ERF_5);
    near = Math.fma(near, u, ERF_4);
    near = Math.fma(near, u, ERF_3);
    near = Math.fma(near, u, ERF_2);
    near = Math.fma(near, u, ERF_1);
    near = Math.fma(near, u, ERF_0);
    near = Math.fma(near, z, z);
    float far = Math.fma(ERFC_6, t, ERFC_5);
    far = Math.fma(far, t, ERFC_4);
    far = Math.fma(far, t, ERFC_3);
    far = Math.fma(far, t, ERFC_2);
    far = Math.fma(far, t, ERFC_1);
    far = Math.fma(far, t, ERFC_0);
    far = 1 - exp(-(far * t));
    // The sign bit of z, as vectors do it.
    int signed = Float.floatToRawIntBits(far) | (Float.floatToRawIntBits(z) & 0x8000_0000);
    return t < ERF_SPLIT ? near : Float.intBitsToFloat(signed);
  }

  /** x / 2 · (1 + erf(x / √2)). */
  static float gelu(float x) {
    return 0.5f * x * (1 + erf(x * SQRT_HALF));
  }

  /** (1 − exp(−2x)) / (1 + exp(−2x)) = 1 − 2 / (exp(2x) + 1); absolute error below 2e-7. */
  static float tanh(float x) {
    return Math.copySign(1 - 2 / (exp(2 * Math.abs(x)) + 1), x);
  }

  /** gate / (1 + exp(−gate)) · up. */
  static float siluGate(float gate, float up) {
    return gate / (1 + exp(-gate)) * up;
  }
}
