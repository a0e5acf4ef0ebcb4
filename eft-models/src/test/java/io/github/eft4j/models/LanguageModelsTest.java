package io.github.eft4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class LanguageModelsTest {
  @TempDir private Path directory;

  @Test
  void loadsADirectoryWithoutATokenizer() throws IOException {
    Path path = Files.createDirectory(directory.resolve("tiny"));
    new TinyLlama().write(path);
    try (LanguageModel model = LanguageModels.load(path);
        KeyValueCache cache = model.newCache();
        INDArray logits = Nd4j.create(2, TinyLlama.VOCABULARY)) {
      assertThat(model.name()).isEqualTo("tiny");
      assertThat(model.vocabularySize()).isEqualTo(TinyLlama.VOCABULARY);
      assertThat(model.contextLength()).isEqualTo(32);
      assertThat(model.endOfTextIds()).containsExactly(3);
      assertThat(model.tokenizer()).isEmpty();
      assertThat(model.chatTemplate()).isEmpty();
      model.forward(ForwardBatch.all(cache, 1, 2), logits);
      assertThat(cache.length()).isEqualTo(2);
      assertThat(logits.getRow(0)).isNotEqualTo(logits.getRow(1));
    }
  }

  @Test
  void aTokenizerBelongsToTheModel() throws IOException {
    new TinyLlama().write(directory);
    copyTokenizer();
    LanguageModel model = LanguageModels.load(directory);
    Tokenizer tokenizer = model.tokenizer().orElseThrow();
    assertThat(tokenizer.decode(tokenizer.encode("hello", false), true)).isEqualTo("hello");
    model.close();
    assertThatThrownBy(() -> tokenizer.encode("hello", false))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void inspectsShards() throws URISyntaxException {
    URL golden =
        Objects.requireNonNull(LanguageModelsTest.class.getResource("/golden/llama-sharded"));
    ModelInfo info = LanguageModels.inspect(Path.of(golden.toURI()));
    // As the index's metadata say.
    assertThat(info.parameters()).isEqualTo(164288);
    assertThat(info.storedBytes()).isEqualTo(657152);
  }

  @Test
  void inspectsATokenizer() throws IOException {
    new TinyLlama().write(directory);
    copyTokenizer();
    assertThat(LanguageModels.inspect(directory).tokenizer())
        .contains(new ModelInfo.TokenizerInfo("BPE", 1024));
  }

  private void copyTokenizer() throws IOException {
    try (InputStream tokenizer =
        Objects.requireNonNull(
            LanguageModelsTest.class.getResourceAsStream("/tokenizer/demo/tokenizer.json"))) {
      Files.copy(tokenizer, directory.resolve("tokenizer.json"));
    }
  }

  @Test
  void reportsProgressUpToTheWhole() throws IOException {
    TinyLlama tiny = new TinyLlama();
    long total = Float.BYTES * tiny.weights();
    List<Long> heard = new ArrayList<>();
    LoadOptions options =
        LoadOptions.defaults()
            .withProgress(
                (bytes, totalBytes) -> {
                  assertThat(totalBytes).isEqualTo(total);
                  heard.add(bytes);
                });
    LanguageModels.load(tiny.write(directory), options).close();
    assertThat(heard).isSorted().hasSize(13).startsWith(0L).endsWith(total);
  }

  @Test
  void aFailingListenerEndsTheLoading() throws IOException {
    new TinyLlama().write(directory);
    LoadOptions options =
        LoadOptions.defaults()
            .withProgress(
                (bytes, totalBytes) -> {
                  if (bytes == totalBytes) {
                    throw new IllegalStateException("enough");
                  }
                });
    assertThatThrownBy(() -> LanguageModels.load(directory, options))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("enough");
  }

  @Test
  void theContextLengthCanBeChosen() throws IOException {
    new TinyLlama().write(directory);
    LoadOptions options = LoadOptions.defaults().withContextLength(5);
    try (LanguageModel model = LanguageModels.load(directory, options)) {
      assertThat(model.contextLength()).isEqualTo(5);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LoadOptions.defaults().withContextLength(0))
        .withMessage("context length is 0, expected a positive number");
  }

  private static Stream<Arguments> contradictions() {
    return Stream.of(
        arguments(new TinyLlama().without("lm_head.weight"), "tensor lm_head.weight is missing"),
        arguments(
            new TinyLlama().with("lm_head.weight", 13, 8),
            "tensor lm_head.weight has shape [13, 8], but the configuration needs [12, 8]"),
        arguments(
            new TinyLlama().with("model.norm.weight", 9),
            "tensor model.norm.weight has shape [9], but the configuration needs [8]"),
        arguments(
            new TinyLlama().with("model.layers.0.self_attn.k_proj.weight", 8, 8),
            "tensor model.layers.0.self_attn.k_proj.weight has shape [8, 8], but the configuration"
                + " needs [4, 8]"),
        arguments(
            new TinyLlama().with("model.layers.0.mlp.up_proj.weight", 16, 4, 2),
            "tensor model.layers.0.mlp.up_proj.weight has shape [16, 4, 2], expected one or two"
                + " dimensions"),
        arguments(
            new TinyLlama().with("model.layers.0.self_attn.q_proj.bias", 8),
            "tensor model.layers.0.self_attn.q_proj.bias has no place in a llama model of this"
                + " configuration"));
  }

  @ParameterizedTest
  @MethodSource("contradictions")
  void refusesTensorsThatContradictTheConfiguration(TinyLlama model, String message)
      throws IOException {
    model.write(directory);
    assertThatThrownBy(() -> LanguageModels.load(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(directory.resolve("model.safetensors") + ": " + message);
  }

  @Test
  void refusesWhatIsNoModel() throws IOException {
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> LanguageModels.load(missing))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(missing + " does not exist");
    assertThatThrownBy(() -> LanguageModels.inspect(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(directory.resolve("config.json") + " does not exist");
  }

  @Test
  void inspectsWithoutLoading() throws IOException {
    TinyLlama tiny = new TinyLlama().with("model.layers.0.self_attn.rotary_emb.inv_freq", 2);
    ModelInfo info = LanguageModels.inspect(tiny.write(directory));
    long weights = tiny.weights() - 2;
    assertThat(info.name()).isEqualTo(directory.getFileName().toString());
    assertThat(info.format()).isEqualTo("safetensors");
    assertThat(info.config().family()).isEqualTo("llama");
    assertThat(info.parameters()).isEqualTo(weights);
    assertThat(info.parametersByType()).isEqualTo(Map.of("F32", weights));
    assertThat(info.storedBytes()).isEqualTo(4 * weights);
    assertThat(info.float32Bytes()).isEqualTo(4 * weights);
    // Keys and values of one head of four numbers, in float32.
    assertThat(info.cacheBytesPerToken()).isEqualTo(2 * 4 * 4);
    assertThat(info.generation().endOfTextIds()).isEqualTo(Set.of(3));
    assertThat(info.tokenizer()).isEmpty();
    assertThat(info.chatTemplate()).isFalse();
  }
}
