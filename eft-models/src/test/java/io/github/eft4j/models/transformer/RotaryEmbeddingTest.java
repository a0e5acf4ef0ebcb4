package io.github.eft4j.models.transformer;

import static io.github.eft4j.models.transformer.GoldenModels.argMax;
import static io.github.eft4j.models.transformer.GoldenModels.concat;
import static io.github.eft4j.models.transformer.GoldenModels.fresh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.RotaryLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

class RotaryEmbeddingTest {
  /**
   * Each of the other scalings has a golden model. This one goes by the length of a sequence, so it
   * matters whether a sequence is read anew or with a cache.
   */
  @Test
  void dynamicScalingReadsAWholeSequenceWithTheFrequenciesOfItsLength() {
    String name = "llama-rope-dynamic";
    GoldenTensors golden =
        GoldenTensors.read(GoldenTensors.directory(name).resolve("golden.safetensors"));
    try (LanguageModel model = GoldenModels.load(name, GoldenModels.OPS.getFirst())) {
      for (int p = 0; p < 3; p++) {
        int[] ids = golden.ints("prompt" + p + ".ids");
        int[] expected = golden.ints("prompt" + p + ".greedy_nocache");
        float[][] expectedLogits = golden.rows("prompt" + p + ".greedy_nocache_logits");
        for (int step = 0; step < expected.length; step++) {
          float[][] logits = fresh(model, ids);
          float[] last = logits[logits.length - 1];
          assertThat(argMax(last)).isEqualTo(expected[step]);
          GoldenModels.assertClose(name, last, expectedLogits[step]);
          ids = concat(ids, expected[step]);
        }
      }
    }
  }

  @Test
  void divisorsDivideFrequencies() {
    float[] plain = embedding(new RotaryScaling.None()).inverseFrequenciesFor(1);
    RotaryScaling.Divisors divisors = new RotaryScaling.Divisors(List.of(1f, 2f, 7f));
    assertThat(embedding(divisors).inverseFrequenciesFor(1))
        .containsExactly(plain[0], plain[1] / 2, plain[2] / 7);
  }

  @Test
  void refusesAnotherNumberOfDivisorsThanFrequencies() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> embedding(new RotaryScaling.Divisors(List.of(1f, 2f))))
        .withMessage("2 rotary frequency divisors, but a head of size 6 has 3 frequencies");
  }

  private static RotaryEmbedding embedding(RotaryScaling scaling) {
    return new RotaryEmbedding(new RotaryConfig(1000, scaling, RotaryLayout.HALVES), 6);
  }
}
