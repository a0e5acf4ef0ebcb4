package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds models from GGUF files against Hugging Face's code on the same dequantised weights. */
class GgufModelTest {
  private static final Path FILES = Path.of("src/test/resources/gguf");
  private static final int PROMPTS = 2;

  /** Ten times what float32 and float64 differ by in these models. */
  private static final float TOLERANCE = 1e-4f;

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
  void logitsAndGreedyTextAreThoseOfTheReference(String stem) {
    try (LanguageModel model = LanguageModels.load(FILES.resolve(stem + ".gguf"))) {
      for (int p = 0; p < PROMPTS; p++) {
        String prompt = stem + ".prompt" + p + ".";
        int[] ids = expected.ints(prompt + "ids");
        assertClose(GoldenModels.fresh(model, ids), expected.rows(prompt + "logits"));
        int[] greedy = expected.ints(prompt + "greedy");
        assertThat(greedy(model, ids, greedy.length)).isEqualTo(greedy);
      }
    }
  }

  private static void assertClose(float[][] actual, float[][] expected) {
    assertThat(actual).hasSameDimensionsAs(expected);
    for (int row = 0; row < expected.length; row++) {
      for (int id = 0; id < expected[row].length; id++) {
        assertThat(actual[row][id]).isCloseTo(expected[row][id], within(TOLERANCE));
      }
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
