package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.models.format.Quantizer;
import io.github.eft4j.tensor.TensorOps;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that went through a GGUF file give the logits that they gave before. */
class QuantizedModelTest {
  private static final int PROMPTS = 3;

  /** Rounding weights to eight bits moves the logits of these models by 2 to 4 %. */
  private static final double Q8_ERROR = 0.08;

  @TempDir Path directory;

  private LanguageModel throughGguf(String name, WeightType type) throws IOException {
    Path file = directory.resolve(name + ".gguf");
    Quantizer.quantize(GoldenTensors.directory(name), file, type, (_, _) -> {});
    return LanguageModels.load(file, LoadOptions.defaults().withOps(TensorOps.nd4j()));
  }

  private static GoldenTensors golden(String name) {
    return GoldenTensors.read(GoldenTensors.directory(name).resolve("golden.safetensors"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-mha",
        "llama-gqa",
        "llama-tied",
        "llama-bias",
        "llama-mlpbias",
        "llama-headdim",
        "llama-sharded",
        "llama-bf16",
        "llama-f16",
        "llama-rope-linear",
        "llama-rope-yarn",
        "llama3-rope",
        "falcon-7b-like",
        "falcon-11b-like",
        "falcon-40b-like"
      })
  void unroundedWeightsGiveTheSameLogits(String name) throws IOException {
    GoldenTensors golden = golden(name);
    try (LanguageModel model = throughGguf(name, WeightType.F32)) {
      for (int p = 0; p < PROMPTS; p++) {
        float[][] expected = golden.rows("prompt" + p + ".logits");
        float[][] logits = GoldenModels.fresh(model, golden.ints("prompt" + p + ".ids"));
        assertThat(logits).hasNumberOfRows(expected.length);
        for (int row = 0; row < expected.length; row++) {
          GoldenModels.assertClose(name, logits[row], expected[row]);
        }
      }
    }
  }

  @Test
  void eightBitsMoveTheLogitsALittle() throws IOException {
    GoldenTensors golden = golden("llama-gqa");
    try (LanguageModel model = throughGguf("llama-gqa", WeightType.Q8_0)) {
      float[][] expected = golden.rows("prompt2.logits");
      float[][] logits = GoldenModels.fresh(model, golden.ints("prompt2.ids"));
      double off = 0;
      double size = 0;
      for (int row = 0; row < expected.length; row++) {
        for (int id = 0; id < expected[row].length; id++) {
          off += Math.pow(logits[row][id] - expected[row][id], 2);
          size += Math.pow(expected[row][id], 2);
        }
      }
      assertThat(Math.sqrt(off / size)).isPositive().isLessThan(Q8_ERROR);
    }
  }
}
