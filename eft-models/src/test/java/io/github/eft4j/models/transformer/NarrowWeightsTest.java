package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.Matrix;
import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class NarrowWeightsTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama-bf16", "llama-f16"})
  void embeddingsAreReadBitForBit(String name) throws IOException {
    Path directory = GoldenTensors.directory(name);
    float[][] expected =
        GoldenTensors.read(directory.resolve("golden.safetensors")).rows("upcast.input_embedding");
    int columns = expected[0].length;
    for (TensorOps ops : GoldenModels.OPS) {
      try (TensorSource tensors = HuggingFaceDirectory.read(directory).openTensors();
          Matrix table = ops.matrix(tensors.get("model.embed_tokens.weight"));
          INDArray rows = ops.allocate(expected.length, columns)) {
        ops.embed(table, IntStream.range(0, expected.length).toArray(), rows);
        float[] actual = NativeArrays.floats(rows).toArray(ValueLayout.JAVA_FLOAT);
        for (int i = 0; i < actual.length; i++) {
          assertThat(Float.floatToRawIntBits(actual[i]))
              .isEqualTo(Float.floatToRawIntBits(expected[i / columns][i % columns]));
        }
      }
    }
  }
}
