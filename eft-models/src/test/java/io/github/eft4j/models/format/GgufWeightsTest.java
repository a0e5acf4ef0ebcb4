package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.tensor.Dequantize;
import io.github.eft4j.tensor.StoredTensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Holds dequantised weights against those that the reference implementation finds. */
class GgufWeightsTest {
  private static final Path FILES = Path.of("src/test/resources/gguf");
  private static final int EXPECTED_ROWS = 8;

  @ParameterizedTest
  @CsvSource({
    "llama-bf16, BF16",
    "falcon-one-norm-f16, F16",
    "llama-tied-q8_0, Q8_0",
    "llama-q4_0, Q4_0",
    "llama-q4_1, Q4_1",
    "llama-q5_0, Q5_0",
    "llama-q5_1, Q5_1",
    "llama-q4_k_m, Q4_K",
    "llama-q5_k, Q5_K",
    "falcon-new-q4_0, Q4_0"
  })
  void weightsAreThoseOfTheReferenceBitForBit(String stem, String type) throws IOException {
    GoldenTensors expected = GoldenTensors.read(FILES.resolve("expected.safetensors"));
    float[] rows = expected.floats(stem + ".attn_q");
    try (GgufFile file = GgufFile.open(FILES.resolve(stem + ".gguf"))) {
      StoredTensor weights =
          file.tensor(stem.startsWith("llama") ? "blk.0.attn_q.weight" : "blk.0.attn_qkv.weight");
      assertThat(weights.type()).hasToString(type);
      float[] read = new float[rows.length];
      Dequantize.rows(weights, 0, EXPECTED_ROWS, MemorySegment.ofArray(read));
      assertThat(read).isEqualTo(rows);
    }
  }
}
