package io.github.eft4j.models;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.models.transformer.ModelMetadata;
import io.github.eft4j.models.transformer.Transformers;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Loads language models from files. */
public final class LanguageModels {
  /** Old checkpoints hold the frequencies of rotary embeddings, which are no weights. */
  private static final String ROTARY_TABLE = ".inv_freq";

  private LanguageModels() {}

  /**
   * Loads a model with the {@linkplain LoadOptions#defaults default options}.
   *
   * @param path a Hugging Face directory (with {@code config.json}, {@code model.safetensors} or
   *     shards with an index, and where there are any, {@code generation_config.json}, {@code
   *     tokenizer.json} and a chat template) or a GGUF file
   * @return the model, to be closed by the caller
   * @throws ModelFormatException if a file is missing or damaged, files contradict each other, or
   *     they describe what is not supported
   * @throws UncheckedIOException if a file cannot be read
   */
  public static LanguageModel load(Path path) {
    return load(path, LoadOptions.defaults());
  }

  /**
   * Loads a model.
   *
   * @param path as for {@link #load(Path)}
   * @param options how to load it
   * @return the model, to be closed by the caller
   * @throws ModelFormatException as for {@link #load(Path)}
   * @throws IllegalStateException if the weights are converted, and then are more than there is
   *     memory
   * @throws UncheckedIOException if a file cannot be read
   */
  public static LanguageModel load(Path path, LoadOptions options) {
    Checkpoint checkpoint = Checkpoint.open(path);
    var tensors = new ProgressTensors(checkpoint, options.progress());
    LanguageModel model;
    try {
      MemoryNeed.of(checkpoint.tensors().tensors(), options.ops())
          .check(checkpoint.name(), MemoryNeed.total());
      ModelConfig config = checkpoint.config();
      if (options.contextLength().isPresent()) {
        config = config.withContextLength(options.contextLength().getAsInt());
      }
      model =
          Transformers.load(
              config,
              tensors,
              options.ops(),
              new ModelMetadata(
                  checkpoint.name(),
                  checkpoint.generation().endOfTextIds(),
                  checkpoint.tokenizer(),
                  checkpoint.chatTemplate()));
    } catch (RuntimeException | Error e) {
      checkpoint.close();
      throw e;
    }
    try {
      tensors.finish();
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
    return model;
  }

  /**
   * Looks at a model without loading its weights.
   *
   * @param path as for {@link #load(Path)}
   * @return what the files say
   * @throws ModelFormatException as for {@link #load(Path)}, but for what only the weights tell
   * @throws UncheckedIOException if a file cannot be read
   */
  public static ModelInfo inspect(Path path) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      List<TensorInfo> weights =
          checkpoint.tensors().tensors().stream()
              .filter(tensor -> !tensor.name().endsWith(ROTARY_TABLE))
              .toList();
      return new ModelInfo(
          checkpoint.name(),
          checkpoint.format(),
          checkpoint.config(),
          checkpoint.generation(),
          weights.stream()
              .collect(
                  Collectors.groupingBy(
                      TensorInfo::type, Collectors.summingLong(TensorInfo::weights))),
          weights.stream().mapToLong(TensorInfo::bytes).sum(),
          checkpoint
              .tokenizer()
              .map(t -> new ModelInfo.TokenizerInfo(checkpoint.tokenizerKind(), t.size())),
          checkpoint.chatTemplate().isPresent());
    }
  }
}
