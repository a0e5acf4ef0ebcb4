package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufVocabularyTest {
  private static final GgufVocabulary BYTE_LEVEL =
      new GgufVocabulary(
          "gpt2",
          "falcon",
          List.of("a", "b", "ab", "<end>"),
          new float[0],
          new int[] {1, 1, 1, 3},
          List.of("a b"),
          OptionalInt.empty(),
          OptionalInt.of(3),
          OptionalInt.of(2),
          OptionalInt.of(1),
          OptionalInt.empty(),
          OptionalInt.of(0),
          false,
          true,
          false);

  @TempDir Path directory;

  private GgufFile write(Consumer<GgufWriter> content) throws IOException {
    GgufWriter writer = new GgufWriter();
    content.accept(writer);
    Path path = directory.resolve("vocabulary.gguf");
    writer.write(path, _ -> {});
    return GgufFile.open(path);
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    try (GgufFile file = write(BYTE_LEVEL::write)) {
      assertThat(file.vocabulary())
          .hasValueSatisfying(v -> assertThat(v).usingRecursiveComparison().isEqualTo(BYTE_LEVEL));
      assertThat(file.generation())
          .isEqualTo(
              new GenerationConfig(
                  Set.of(1, 2, 3), OptionalInt.empty(), OptionalInt.of(0), Optional.empty()));
    }
  }

  @Test
  void defaultsDependOnTheModel() throws IOException {
    try (GgufFile file =
        write(
            writer -> {
              writer.string("tokenizer.ggml.model", "llama");
              writer.strings("tokenizer.ggml.tokens", List.of("x"));
              writer.floats("tokenizer.ggml.scores", new float[] {-1.5f});
              writer.uint32("tokenizer.ggml.padding_token_id", 0xffffffff);
            })) {
      assertThat(file.vocabulary())
          .hasValueSatisfying(
              v -> {
                assertThat(v.pre()).isEmpty();
                assertThat(v.scores()).containsExactly(-1.5f);
                assertThat(v.types()).isEmpty();
                assertThat(v.merges()).isEmpty();
                assertThat(v.padding()).isEmpty();
                assertThat(v.addBeginOfText()).isTrue();
                assertThat(v.addEndOfText()).isFalse();
                assertThat(v.addSpacePrefix()).isTrue();
              });
    }
    try (GgufFile file =
        write(
            writer -> {
              writer.string("tokenizer.ggml.model", "gpt2");
              writer.string("tokenizer.ggml.pre", "llama-bpe");
              writer.strings("tokenizer.ggml.tokens", List.of("x"));
            })) {
      assertThat(file.vocabulary())
          .hasValueSatisfying(
              v -> {
                assertThat(v.addBeginOfText()).isTrue();
                assertThat(v.addSpacePrefix()).isFalse();
              });
    }
  }

  @Test
  void aFileWithoutTokensHasNoVocabulary() throws IOException {
    try (GgufFile file = write(writer -> writer.string("tokenizer.ggml.model", "none"))) {
      assertThat(file.vocabulary()).isEmpty();
      assertThat(file.chatTemplate()).isEmpty();
      assertThat(file.generation().endOfTextIds()).isEmpty();
    }
  }

  @Test
  void listsThatDoNotFitTogetherAreRefused() throws IOException {
    try (GgufFile file =
        write(
            writer -> {
              writer.string("tokenizer.ggml.model", "llama");
              writer.strings("tokenizer.ggml.tokens", List.of("x", "y"));
              writer.floats("tokenizer.ggml.scores", new float[] {1});
            })) {
      assertThatThrownBy(file::vocabulary)
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file.path() + ": tokenizer.ggml.*: 1 scores for 2 tokens");
    }
    try (GgufFile file =
        write(
            writer -> {
              writer.string("tokenizer.ggml.model", "llama");
              writer.strings("tokenizer.ggml.tokens", List.of("x", "y"));
              writer.uint32("tokenizer.ggml.eos_token_id", 2);
            })) {
      assertThatThrownBy(file::vocabulary)
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(
              file.path()
                  + ": tokenizer.ggml.*: special token id 2 is outside the vocabulary of 2 tokens");
    }
  }

  @Test
  void tokensWithoutAModelAreRefused() throws IOException {
    try (GgufFile file =
        write(writer -> writer.strings("tokenizer.ggml.tokens", List.of("x", "y")))) {
      assertThatThrownBy(file::vocabulary)
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file.path() + ": there is no tokenizer.ggml.model");
    }
  }
}
