package io.github.eft4j.models;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.GenerationConfig;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.TensorSource;
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
 * @param tensors the weights, mapped; opened last, so that no other error leaves them open
 */
record Checkpoint(
    String name,
    String format,
    ModelConfig config,
    GenerationConfig generation,
    Optional<Tokenizer> tokenizer,
    String tokenizerKind,
    Optional<ChatTemplate> chatTemplate,
    TensorSource tensors)
    implements AutoCloseable {

  static Checkpoint open(Path path) {
    try {
      if (Files.isDirectory(path)) {
        return openDirectory(path);
      }
      throw new ModelFormatException(
          path + (Files.exists(path) ? " is not a directory" : " does not exist"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Checkpoint openDirectory(Path path) throws IOException {
    HuggingFaceDirectory directory = HuggingFaceDirectory.read(path);
    return new Checkpoint(
        name(path),
        "safetensors",
        directory.config(),
        directory.generation(),
        Optional.empty(),
        directory.tokenizerKind().orElse(""),
        Optional.empty(),
        directory.openTensors());
  }

  private static String name(Path path) {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? path.toString() : name.toString();
  }

  @Override
  public void close() {
    tensors.close();
  }
}
