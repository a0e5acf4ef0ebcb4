package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizeTest {
  /** A scale in half precision is off by at most this share of it, if it is not subnormal. */
  private static final double HALF_ROUNDING = 1.0 / 2048;

  private static byte[] quantize(WeightType type, float... weights) {
    byte[] bytes = new byte[(int) type.bytes(weights.length)];
    Quantize.fromFloats(type, weights, MemorySegment.ofArray(bytes));
    return bytes;
  }

  private static float[] roundTrip(WeightType type, float... weights) {
    float[] back = new float[weights.length];
    Dequantize.toFloats(
        type, MemorySegment.ofArray(quantize(type, weights)), MemorySegment.ofArray(back));
    return back;
  }

  @Test
  void q8IntegersAreRoundedHalfAwayFromZeroWithTheUnroundedScale() {
    float[] weights = new float[32];
    weights[0] = 127;
    weights[1] = 2.5f;
    weights[2] = -2.5f;
    weights[3] = 2.4999f;
    weights[4] = -127;
    byte[] bytes = quantize(WeightType.Q8_0, weights);
    assertThat(bytes).startsWith(0x00, 0x3c, 127, 3, -3, 2, -127, 0);
    // 0.3 / 127 is not a half-precision number: 63.5 steps of the exact scale round up.
    Arrays.fill(weights, 0);
    weights[0] = 0.3f;
    weights[1] = 0.15f;
    assertThat(Arrays.copyOfRange(quantize(WeightType.Q8_0, weights), 2, 4))
        .containsExactly(127, 64);
  }

  @Test
  void q4TakesTheExtremeWeightAsMinusEight() {
    float[] weights = new float[32];
    weights[3] = 8;
    weights[4] = -7;
    weights[16] = 0.5f;
    byte[] bytes = quantize(WeightType.Q4_0, weights);
    // The scale is -1: 8 is stored as -8 + 8, -7 as 7 + 8, 0.5 as -0.5 + 8.5 cut off, 0 as 8.
    assertThat(bytes).startsWith(0x00, 0xbc, 0x88, 0x88, 0x88, 0x80, 0x8f, 0x88).hasSize(18);
    assertThat(Arrays.copyOfRange(roundTrip(WeightType.Q4_0, weights), 3, 5))
        .containsExactly(8, -7);
  }

  @Property
  void aWeightIsOffByAtMostHalfAStep(
      @ForAll @DoubleRange(min = 0.01, max = 10000) double size, @ForAll long seed) {
    float[] weights = gaussian(seed, size);
    double largest = 0;
    for (float weight : weights) {
      largest = Math.max(largest, Math.abs(weight));
    }
    assertClose(weights, roundTrip(WeightType.Q8_0, weights), largest / 127 / 2, largest);
    // Q4_0 reaches from -8 to 7: what lies opposite the extreme may be off by a whole step.
    assertClose(weights, roundTrip(WeightType.Q4_0, weights), largest / 8, largest);
  }

  private static float[] gaussian(long seed, double size) {
    Random random = new Random(seed);
    float[] weights = new float[32];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (size * random.nextGaussian());
    }
    return weights;
  }

  private static void assertClose(float[] weights, float[] back, double step, double largest) {
    for (int i = 0; i < weights.length; i++) {
      assertThat((double) back[i])
          .isCloseTo(weights[i], within(step * 1.001 + largest * HALF_ROUNDING));
    }
  }

  @Property
  void whatHasBeenNarrowedStaysAsItIs(@ForAll long seed) {
    float[] weights = gaussian(seed, 1);
    for (WeightType type : new WeightType[] {WeightType.F32, WeightType.F16, WeightType.BF16}) {
      float[] once = roundTrip(type, weights);
      assertThat(roundTrip(type, once)).isEqualTo(once);
    }
    assertThat(roundTrip(WeightType.F32, weights)).isEqualTo(weights);
  }

  @Test
  void bf16RoundsToNearestTiesToEven() {
    assertThat(
            roundTrip(
                WeightType.BF16,
                Float.intBitsToFloat(0x3f808000),
                Float.intBitsToFloat(0x3f818000),
                Float.intBitsToFloat(0x3f808001)))
        .containsExactly(
            Float.intBitsToFloat(0x3f800000),
            Float.intBitsToFloat(0x3f820000),
            Float.intBitsToFloat(0x3f810000));
  }

  @Test
  void aBlockOfZerosStaysZero() {
    for (WeightType type : new WeightType[] {WeightType.Q8_0, WeightType.Q4_0}) {
      for (float weight : roundTrip(type, new float[32])) {
        assertThat(weight == 0).isTrue(); // of either sign
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
  void aWeightThatIsNotFiniteIsRefused(WeightType type) {
    float[] weights = new float[32];
    weights[7] = Float.NaN;
    assertThatThrownBy(() -> quantize(type, weights))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a weight is NaN, expected a finite number");
    weights[7] = Float.NEGATIVE_INFINITY;
    assertThatThrownBy(() -> quantize(type, weights))
        .hasMessage("a weight is -Infinity, expected a finite number");
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "Q8_0", "Q4_0"})
  void aWeightOutOfRangeIsRefused(WeightType type) {
    float[] weights = new float[32];
    weights[7] = Float.MAX_VALUE;
    assertThatThrownBy(() -> quantize(type, weights))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("out of range for " + type);
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
  void otherTypesAreRefused(WeightType type) {
    assertThatThrownBy(() -> quantize(type, new float[type.blockSize()]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cannot quantise to " + type + ", supported: F32, F16, BF16, Q8_0, Q4_0");
  }

  @Test
  void aPartOfABlockIsRefused() {
    assertThatThrownBy(
            () ->
                Quantize.fromFloats(
                    WeightType.Q4_0, new float[31], MemorySegment.ofArray(new byte[18])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("31 floats for 18 bytes of Q4_0, in blocks of 32 weights");
  }
}
