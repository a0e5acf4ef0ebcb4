package io.github.eft4j.models;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.GenerationConfig;
import io.github.eft4j.models.format.GgufFile;
import io.github.eft4j.models.format.GgufVocabulary;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.models.tokenizer.ChatTemplates;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * All that a model's files hold, opened.
 *
 * @param name the name of the directory or file
 * @param format {@code safetensors} or {@code gguf}
 * @param config the model's shape
 * @param generation how to generate text with it
 * @param tokenizer the tokenizer
 * @param tokenizerKind how the tokenizer splits text, as its file spells it; empty without one
 * @param chatTemplate the chat template
 * @param tensors the weights, mapped
 * @param release frees what the tokenizer and the tensors hold
 */
record Checkpoint(
    String name,
    String format,
    ModelConfig config,
    GenerationConfig generation,
    Optional<Tokenizer> tokenizer,
    String tokenizerKind,
    Optional<ChatTemplate> chatTemplate,
    TensorSource tensors,
    Runnable release)
    implements AutoCloseable {

  static Checkpoint open(Path path) {
    if (!Files.exists(path)) {
      throw new ModelFormatException(path + " does not exist");
    }
    try {
      return Files.isDirectory(path) ? openDirectory(path) : openGguf(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Checkpoint openDirectory(Path path) throws IOException {
    HuggingFaceDirectory directory = HuggingFaceDirectory.read(path);
    String tokenizerKind = directory.tokenizerKind().orElse("");
    TensorSource tensors = directory.openTensors();
    try {
      Optional<ChatTemplate> chatTemplate = ChatTemplates.read(path);
      Optional<HuggingFaceTokenizer> tokenizer = HuggingFaceTokenizer.read(path);
      return new Checkpoint(
          name(path),
          "safetensors",
          directory.config(),
          directory.generation(),
          tokenizer.map(t -> t),
          tokenizerKind,
          chatTemplate,
          tensors,
          () -> {
            tokenizer.ifPresent(HuggingFaceTokenizer::close);
            tensors.close();
          });
    } catch (Throwable e) {
      tensors.close();
      throw e;
    }
  }

  private static Checkpoint openGguf(Path path) throws IOException {
    GgufFile file = GgufFile.open(path);
    try {
      ModelConfig config = file.config();
      GenerationConfig generation = file.generation();
      TensorSource tensors = file.checkpointTensors();
      Optional<GgufVocabulary> vocabulary = file.vocabulary();
      Optional<HuggingFaceTokenizer> tokenizer =
          vocabulary.map(v -> HuggingFaceTokenizer.of(path, v));
      return new Checkpoint(
          name(path),
          "gguf",
          config,
          generation,
          tokenizer.map(t -> t),
          vocabulary.map(GgufVocabulary::model).orElse(""),
          file.chatTemplate().map(template -> ChatTemplates.of(path, template, vocabulary)),
          tensors,
          () -> {
            tokenizer.ifPresent(HuggingFaceTokenizer::close);
            file.close();
          });
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /** The name of a model's directory or file. */
  static String name(Path path) {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? path.toString() : name.toString();
  }

  @Override
  public void close() {
    release.run();
  }
}
