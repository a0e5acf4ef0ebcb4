package io.github.eft4j.models.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.eft4j.tensor.RotaryLayout;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ModelConfigTest {
  /** Logarithms may differ in their last bit between processors. */
  private static final double ROUNDING = 1e-15;

  private static LlamaConfig llama(int hidden, int heads, int keyValueHeads, int headSize) {
    return new LlamaConfig(
        hidden,
        2,
        heads,
        keyValueHeads,
        headSize,
        32,
        100,
        64,
        1e-5f,
        false,
        false,
        false,
        new RotaryConfig(10000, new RotaryScaling.None(), RotaryLayout.HALVES));
  }

  private static FalconConfig falcon(int hidden, int heads, int keyValueHeads, int groups) {
    return new FalconConfig(
        hidden,
        2,
        heads,
        keyValueHeads,
        32,
        100,
        64,
        1e-5f,
        true,
        false,
        FalconConfig.Block.PARALLEL_ONE_NORM,
        groups,
        new RotaryConfig(10000, new RotaryScaling.None(), RotaryLayout.PAIRS));
  }

  private static Stream<Arguments> contradictions() {
    return Stream.of(
        refused(() -> llama(0, 4, 2, 8), "hidden size is 0, expected a positive number"),
        refused(
            () -> llama(32, 4, 3, 8),
            "number of attention heads 4 is not a multiple of the number of key/value heads 3"),
        refused(() -> llama(32, 4, 2, 7), "head size is 7, but rotary embeddings need an even one"),
        refused(
            () -> llama(32, 1 << 20, 2, 1 << 20),
            "1048576 attention heads of size 1048576 are more than a row can hold"),
        refused(
            () -> llama(32, 4, 2, 8).withContextLength(0),
            "context length is 0, expected a positive number"),
        refused(
            () -> falcon(30, 4, 2, 1),
            "hidden size 30 is not a multiple of the number of attention heads 4"),
        refused(
            () -> falcon(32, 4, 3, 1),
            "number of attention heads 4 is not a multiple of the number of key/value heads 3"),
        refused(
            () -> falcon(32, 4, 2, 4),
            "number of key/value heads 2 is not a multiple of the number of groups 4"),
        refused(
            () -> falcon(12, 4, 2, 2), "head size is 3, but rotary embeddings need an even one"),
        refused(
            () -> new RotaryConfig(0, new RotaryScaling.None(), RotaryLayout.PAIRS),
            "rotary base is 0.0, expected a positive finite number"),
        refused(
            () -> new RotaryScaling.Linear(Double.NaN),
            "rotary scaling factor is NaN, expected a positive finite number"),
        refused(
            () -> new RotaryScaling.Dynamic(2, 0),
            "original context length is 0, expected a positive number"),
        refused(
            () -> new RotaryScaling.Llama3(8, 4, 4, 64),
            "low-frequency factor 4.0 is not below the high-frequency factor 4.0"),
        refused(
            () -> new RotaryScaling.Yarn(4, 64, 1, 1, 32, true),
            "beta_fast 1.0 is below beta_slow 32.0"),
        refused(
            () -> new RotaryScaling.Divisors(List.of(1f, Float.POSITIVE_INFINITY)),
            "rotary frequency divisor is Infinity, expected a positive finite number"));
  }

  private static Arguments refused(ThrowingCallable call, String message) {
    return arguments(call, message);
  }

  @ParameterizedTest
  @MethodSource("contradictions")
  void refuses(ThrowingCallable call, String message) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
  }

  @Test
  void headsMayBeWiderThanTheHiddenSize() {
    assertThat(llama(32, 4, 2, 10).headSize()).isEqualTo(10);
  }

  @Test
  void falconsHeadsShareTheHiddenSize() {
    assertThat(falcon(32, 4, 2, 2).headSize()).isEqualTo(8);
  }

  @Test
  void aFalconWithoutRotaryEmbeddingsHasLinearBiases() {
    FalconConfig rotary = falcon(32, 4, 2, 2);
    FalconConfig alibi =
        new FalconConfig(
            12, 2, 4, 4, 32, 100, 64, 1e-5f, true, true, FalconConfig.Block.SEQUENTIAL, 4, null);
    assertThat(rotary.alibi()).isFalse();
    assertThat(alibi.alibi()).isTrue();
    assertThat(alibi.headSize()).isEqualTo(3);
  }

  @Test
  void anotherContextLengthChangesNothingElse() {
    assertThat(llama(32, 4, 2, 8).withContextLength(7).contextLength()).isEqualTo(7);
    assertThat(llama(32, 4, 2, 8).withContextLength(7).withContextLength(64))
        .isEqualTo(llama(32, 4, 2, 8));
    assertThat(falcon(32, 4, 2, 2).withContextLength(7).contextLength()).isEqualTo(7);
    assertThat(falcon(32, 4, 2, 2).withContextLength(7).withContextLength(64))
        .isEqualTo(falcon(32, 4, 2, 2));
  }

  @Test
  void yarnRecommendsAnAttentionFactor() {
    assertThat(RotaryScaling.Yarn.defaultAttentionFactor(1)).isEqualTo(1);
    assertThat(RotaryScaling.Yarn.defaultAttentionFactor(0.5, 3)).isEqualTo(1);
    assertThat(RotaryScaling.Yarn.defaultAttentionFactor(Math.E)).isEqualTo(1.1, within(ROUNDING));
    assertThat(RotaryScaling.Yarn.defaultAttentionFactor(Math.E, 2))
        .isEqualTo(1.2, within(ROUNDING));
  }
}
