package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.tensor.TensorOps;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds models from GGUF files against Hugging Face's code on the same dequantised weights. */
class GgufModelTest {
  private static final Path FILES = Path.of("src/test/resources/gguf");
  private static final int PROMPTS = 2;

  /** Ten times what float32 and float64 differ by in these models. */
  private static final float TOLERANCE = 1e-4f;

  /** What rounding activations to eight bits, as kernels may, costs in these models. */
  private static final double ROUNDED_ACTIVATIONS = 0.05;

  private final GoldenTensors expected = GoldenTensors.read(FILES.resolve("expected.safetensors"));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-bf16",
        "llama-tied-q8_0",
        "llama-q4_0",
        "llama-q4_1",
        "llama-q5_0",
        "llama-q5_1",
        "llama-q4_k_m",
        "llama-q5_k",
        "falcon-new-q4_0",
        "falcon-one-norm-f16"
      })
  void dequantisedWeightsGiveTheLogitsOfTheReference(String stem) {
    try (LanguageModel model = load(stem, TensorOps.nd4j())) {
      assertReferenceWithin(TOLERANCE, stem, model);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-bf16", "falcon-one-norm-f16"})
  void halfPrecisionWeightsInPlaceGiveTheLogitsOfTheReference(String stem) {
    try (LanguageModel model = load(stem, TensorOps.jvm())) {
      assertReferenceWithin(TOLERANCE, stem, model);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-tied-q8_0",
        "llama-q4_0",
        "llama-q4_1",
        "llama-q5_0",
        "llama-q5_1",
        "llama-q4_k_m",
        "llama-q5_k",
        "falcon-new-q4_0"
      })
  void quantisedWeightsInPlaceComeClose(String stem) {
    try (LanguageModel model = load(stem, TensorOps.jvm())) {
      for (int p = 0; p < PROMPTS; p++) {
        float[][] reference = expected.rows(stem + ".prompt" + p + ".logits");
        float[][] logits = GoldenModels.fresh(model, expected.ints(stem + ".prompt" + p + ".ids"));
        assertThat(logits).hasDimensions(reference.length, reference[0].length);
        double off = 0;
        double size = 0;
        for (int row = 0; row < reference.length; row++) {
          for (int id = 0; id < reference[row].length; id++) {
            off += Math.pow(logits[row][id] - reference[row][id], 2);
            size += Math.pow(reference[row][id], 2);
          }
        }
        assertThat(Math.sqrt(off / size)).isLessThan(ROUNDED_ACTIVATIONS);
      }
    }
  }

  private static LanguageModel load(String stem, TensorOps ops) {
    return LanguageModels.load(FILES.resolve(stem + ".gguf"), LoadOptions.defaults().withOps(ops));
  }

  private void assertReferenceWithin(float tolerance, String stem, LanguageModel model) {
    for (int p = 0; p < PROMPTS; p++) {
      String prompt = stem + ".prompt" + p + ".";
      int[] ids = expected.ints(prompt + "ids");
      float[][] reference = expected.rows(prompt + "logits");
      float[][] logits = GoldenModels.fresh(model, ids);
      assertThat(logits).hasDimensions(reference.length, reference[0].length);
      for (int row = 0; row < reference.length; row++) {
        assertThat(logits[row]).containsExactly(reference[row], within(tolerance));
      }
      int[] greedy = expected.ints(prompt + "greedy");
      assertThat(greedy(model, ids, greedy.length)).isEqualTo(greedy);
    }
  }

  private static int[] greedy(LanguageModel model, int[] prompt, int count) {
    int[] ids = new int[count];
    try (KeyValueCache cache = model.newCache()) {
      float[] logits = GoldenModels.last(model, cache, prompt);
      for (int i = 0; i < count; i++) {
        ids[i] = GoldenModels.argMax(logits);
        logits = GoldenModels.last(model, cache, ids[i]);
      }
    }
    return ids;
  }
}
