package io.github.eft4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.format.GgufFile;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.tensor.Dequantize;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class RandomModelTest {
  /** As small as the widest blocks, of 256 weights, allow, with grouped heads. */
  private static final ModelShape SMALL = new ModelShape("small", 2, 256, 4, 2, 512, 600);

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource
  void everyTypeLoadsAndGivesLogitsOfTheExpectedSize(WeightType type) throws IOException {
    Path file = new RandomModel(SMALL, type, 1).file(directory);
    try (LanguageModel model = LoadedModel.load(file, 1, -1);
        KeyValueCache cache = model.newCache();
        INDArray logits = Nd4j.createUninitialized(8, SMALL.vocabulary())) {
      assertThat(model.vocabularySize()).isEqualTo(SMALL.vocabulary());
      assertThat(model.tokenizer().orElseThrow().encode("t300", true)).isNotEmpty();
      model.forward(ForwardBatch.all(cache, ModelFile.prompt(8, model.vocabularySize())), logits);
      float[] values = logits.data().asFloat();
      assertThat(IntStream.range(0, values.length)).allMatch(i -> Float.isFinite(values[i]));
      assertThat(deviation(values)).isBetween(2.5, 3.5);
    }
  }

  @ParameterizedTest
  @EnumSource
  void weightsHaveMeanZeroAndTheExpectedDeviation(WeightType type) throws IOException {
    try (GgufFile file = GgufFile.open(new RandomModel(SMALL, type, 1).file(directory))) {
      StoredTensor tensor = file.tensor("blk.0.ffn_up.weight");
      assertThat(tensor.type()).isEqualTo(type);
      float[] weights = new float[tensor.rows() * tensor.columns()];
      float[] row = new float[tensor.columns()];
      for (int i = 0; i < tensor.rows(); i++) {
        Dequantize.row(tensor, i, row);
        System.arraycopy(row, 0, weights, i * row.length, row.length);
      }
      assertThat(mean(weights)).isCloseTo(0, within(2e-4));
      assertThat(deviation(weights)).isCloseTo(RandomWeights.DEVIATION, within(2e-4));
    }
  }

  @Test
  void anotherSeedGivesOtherWeights() throws IOException {
    Path first = new RandomModel(SMALL, WeightType.Q8_0, 1).file(directory);
    Path second = new RandomModel(SMALL, WeightType.Q8_0, 2).file(directory);
    assertThat(Files.size(second)).isEqualTo(Files.size(first));
    assertThat(Files.mismatch(first, second)).isPositive();
  }

  @Test
  void aFileThatIsThereIsNotWrittenAgain() throws IOException {
    RandomModel model = new RandomModel(SMALL, WeightType.Q8_0, 1);
    Path file = model.file(directory);
    FileTime past = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(file, past);
    assertThat(model.file(directory)).isEqualTo(file);
    assertThat(Files.getLastModifiedTime(file)).isEqualTo(past);
  }

  @Test
  void aPassReadsAllWeightsButTheEmbedding() throws IOException {
    ModelFile file = new ModelFile();
    file.file = new RandomModel(SMALL, WeightType.Q8_0, 1).file(directory).toString();
    try (GgufFile gguf = GgufFile.open(Path.of(file.file))) {
      long embedding = 600L * 256;
      long weights = gguf.tensors().stream().mapToLong(TensorInfo::weights).sum();
      long bytes = gguf.tensors().stream().mapToLong(TensorInfo::bytes).sum();
      assertThat(file.sizeOfPass())
          .isEqualTo(
              new ModelFile.Size(
                  bytes - WeightType.Q8_0.bytes(embedding), weights - embedding, embedding));
    }
  }

  @Test
  void anUnknownShapeAndAMissingFileAreErrors() {
    assertThatThrownBy(() -> ModelShape.named("2B"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("shape is 2B, expected one of [1M, 0.5B, 1.1B, 7B]");
    ModelFile file = new ModelFile();
    file.file = "no/model.gguf";
    assertThatThrownBy(file::path)
        .isInstanceOf(IOException.class)
        .hasMessage("file is no/model.gguf, which cannot be read");
  }

  private static double mean(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).average().orElseThrow();
  }

  private static double deviation(float[] values) {
    double mean = mean(values);
    return Math.sqrt(
        IntStream.range(0, values.length)
            .mapToDouble(i -> (values[i] - mean) * (values[i] - mean))
            .average()
            .orElseThrow());
  }
}
