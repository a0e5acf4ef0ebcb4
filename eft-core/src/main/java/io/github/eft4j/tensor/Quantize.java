package io.github.eft4j.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Stores float32 weights in a narrower type, with the rounding of ggml's reference quantisers, so
 * that the same weights give the same bytes there. {@link Dequantize} shows how blocks are laid
 * out.
 */
public final class Quantize {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Quantize() {}

  /**
   * Stores weights.
   *
   * @param type how to store them: F32, F16, BF16, Q8_0 or Q4_0
   * @param weights the n weights
   * @param target receives {@code type.bytes(n)} bytes, at any alignment
   * @throws IllegalArgumentException if the type is another one, n is not a whole number of blocks,
   *     {@code target} has another size, or a weight is not finite in the type
   */
  public static void fromFloats(WeightType type, float[] weights, MemorySegment target) {
    if (weights.length % type.blockSize() != 0 || target.byteSize() != type.bytes(weights.length)) {
      throw new IllegalArgumentException(
          "%d floats for %d bytes of %s, in blocks of %d weights"
              .formatted(weights.length, target.byteSize(), type, type.blockSize()));
    }
    for (float weight : weights) {
      if (!Float.isFinite(weight)) {
        throw new IllegalArgumentException("a weight is " + weight + ", expected a finite number");
      }
    }
    switch (type) {
      case F32 -> MemorySegment.copy(weights, 0, target, FLOAT, 0, weights.length);
      case F16 -> f16(weights, target);
      case BF16 -> bf16(weights, target);
      case Q8_0 -> q8(weights, target);
      case Q4_0 -> q4(weights, target);
      case Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K ->
          throw new IllegalArgumentException(
              "cannot quantise to " + type + ", supported: F32, F16, BF16, Q8_0, Q4_0");
    }
  }

  private static void f16(float[] weights, MemorySegment out) {
    for (int i = 0; i < weights.length; i++) {
      out.set(SHORT, 2L * i, half(weights[i], WeightType.F16));
    }
  }

  /** Rounds to the nearest number with eight significant bits, ties to even. */
  private static void bf16(float[] weights, MemorySegment out) {
    for (int i = 0; i < weights.length; i++) {
      int bits = Float.floatToIntBits(weights[i]);
      short rounded = (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
      checkRange(weights[i], Float.intBitsToFloat(rounded << 16), WeightType.BF16);
      out.set(SHORT, 2L * i, rounded);
    }
  }

  /**
   * Q8_0: the largest magnitude of a block becomes ±127. The integers are found with the scale
   * before it is rounded to half precision.
   */
  private static void q8(float[] weights, MemorySegment out) {
    for (int start = 0; start < weights.length; start += 32) {
      float largest = 0;
      for (int i = 0; i < 32; i++) {
        largest = Math.max(largest, Math.abs(weights[start + i]));
      }
      float d = largest / 127;
      float inverse = d == 0 ? 0 : 1 / d;
      long at = start / 32 * 34L;
      out.set(SHORT, at, half(d, WeightType.Q8_0));
      for (int i = 0; i < 32; i++) {
        out.set(JAVA_BYTE, at + 2 + i, (byte) roundAway(weights[start + i] * inverse));
      }
    }
  }

  /**
   * Q4_0: the weight of largest magnitude of a block becomes −8, whatever its sign, so that the
   * scale may be negative. The integers are found with the scale before it is rounded to half
   * precision.
   */
  private static void q4(float[] weights, MemorySegment out) {
    for (int start = 0; start < weights.length; start += 32) {
      float extreme = 0;
      for (int i = 0; i < 32; i++) {
        float weight = weights[start + i];
        if (Math.abs(weight) > Math.abs(extreme)) {
          extreme = weight;
        }
      }
      float d = extreme / -8;
      float inverse = d == 0 ? 0 : 1 / d;
      long at = start / 32 * 18L;
      out.set(SHORT, at, half(d, WeightType.Q4_0));
      for (int i = 0; i < 16; i++) {
        int low = nibble(weights[start + i] * inverse);
        int high = nibble(weights[start + i + 16] * inverse);
        out.set(JAVA_BYTE, at + 2 + i, (byte) (low | (high << 4)));
      }
    }
  }

  private static int nibble(float x) {
    return Math.min(15, (int) (x + 8.5f));
  }

  /** Rounds to the nearest integer, halves away from zero, as C's {@code roundf} does. */
  private static int roundAway(float x) {
    return (int) (x + Math.copySign(0.5, x));
  }

  private static short half(float x, WeightType type) {
    short bits = Float.floatToFloat16(x);
    checkRange(x, Float.float16ToFloat(bits), type);
    return bits;
  }

  private static void checkRange(float x, float rounded, WeightType type) {
    if (Float.isInfinite(rounded)) {
      throw new IllegalArgumentException(
          "a weight or scale is %s, out of range for %s".formatted(x, type));
    }
  }
}
