package io.github.eft4j.models.format;

import io.github.eft4j.models.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the JSON files of a Hugging Face model directory say of the model.
 *
 * @param path the directory
 * @param config the model's shape, from {@code config.json}
 * @param generation how to generate text, from {@code generation_config.json} and {@code
 *     config.json}
 */
public record HuggingFaceDirectory(Path path, ModelConfig config, GenerationConfig generation) {
  /**
   * Reads {@code config.json} and {@code generation_config.json}.
   *
   * @param path the model's directory
   * @return what they say
   * @throws ModelFormatException if there is no {@code config.json}, a file is malformed,
   *     contradicts itself or describes what is not supported
   * @throws IOException if a file cannot be read
   */
  public static HuggingFaceDirectory read(Path path) throws IOException {
    JsonObject config = JsonObject.read(path.resolve("config.json"));
    Path generationFile = path.resolve("generation_config.json");
    @Nullable JsonObject generation =
        Files.exists(generationFile) ? JsonObject.read(generationFile) : null;
    ModelConfig model = ConfigReader.read(config);
    return new HuggingFaceDirectory(
        path, model, GenerationConfigReader.read(model, config, generation));
  }

  /**
   * How the tokenizer splits text, from {@code tokenizer.json}.
   *
   * @return the type of its model, such as {@code BPE}, or empty without a tokenizer
   * @throws ModelFormatException if {@code tokenizer.json} is malformed or names no type
   * @throws IOException if the file cannot be read
   */
  public Optional<String> tokenizerKind() throws IOException {
    Path tokenizer = path.resolve("tokenizer.json");
    return Files.exists(tokenizer)
        ? JsonObject.read(tokenizer).requiredObject("model").string("type")
        : Optional.empty();
  }

  /**
   * Maps the weights.
   *
   * @return the tensors, to be closed by the caller
   * @throws ModelFormatException as {@link Safetensors#open}
   * @throws IOException if a file cannot be read
   */
  public TensorSource openTensors() throws IOException {
    return Safetensors.open(path);
  }
}
