package io.github.eft4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.ChatMessage;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.Quantizer;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LanguageModelsGgufTest {
  private static final Path FILE = Path.of("src/test/resources/gguf/llama-q4_k_m.gguf");

  @TempDir Path directory;

  @Test
  void aFileIsAModel() {
    try (LanguageModel model = LanguageModels.load(FILE)) {
      assertThat(model.name()).isEqualTo("llama-q4_k_m.gguf");
      assertThat(model.vocabularySize()).isEqualTo(320);
      assertThat(model.contextLength()).isEqualTo(256);
      assertThat(model.endOfTextIds()).containsExactly(2);
    }
  }

  @Test
  void aFileIsInspectedWithoutLoadingIt() {
    ModelInfo info = LanguageModels.inspect(FILE);
    assertThat(info.format()).isEqualTo("gguf");
    assertThat(info.config().hiddenSize()).isEqualTo(256);
    // 2 layers: 3 projections of 256² and one of 256 · 128 in Q4_K, the embeddings too.
    assertThat(info.parametersByType())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "Q4_K", 2L * (4 * 256 * 256 + 128 * 256) + 320 * 256,
                "Q6_K", 2L * (256 * 256 + 128 * 256) + 320 * 256,
                "F32", 5L * 256));
  }

  @Test
  void theChatTemplateSeesTheVocabularysSpecialTokens() throws IOException {
    Path hub = Files.createDirectory(directory.resolve("hub"));
    Path golden = GoldenTensors.directory("llama-mha");
    Files.copy(golden.resolve("config.json"), hub.resolve("config.json"));
    Files.copy(golden.resolve("model.safetensors"), hub.resolve("model.safetensors"));
    Files.writeString(
        hub.resolve("tokenizer.json"),
        """
        {"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
         "added_tokens":[{"id":2,"content":"<end>","special":true}],
         "model":{"type":"BPE","vocab":{"a":0,"b":1},"merges":[]}}
        """);
    Files.writeString(
        hub.resolve("chat_template.jinja"),
        "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}");
    Path file = directory.resolve("chat.gguf");
    Quantizer.quantize(hub, file, WeightType.F16, (_, _) -> {});
    try (LanguageModel model = LanguageModels.load(file)) {
      assertThat(model.chatTemplate().orElseThrow().render(List.of(ChatMessage.user("Hi")), false))
          .isEqualTo("user: Hi<end>");
    }
  }

  @Test
  void whatIsNoModelFileIsRefused() throws IOException {
    Path text = Files.writeString(directory.resolve("notes.txt"), "Dear diary");
    assertThatThrownBy(() -> LanguageModels.load(text))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(text + ": not a GGUF file: begins with the bytes 44656172, expected 47475546");
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(FILE);
    Path cut = Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(bytes, bytes.length - 100));
    assertThatThrownBy(() -> LanguageModels.load(cut))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(cut + ": tensor output.weight has 67200 bytes at offset 544256");
  }
}
