package io.github.eft4j.models;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.models.remote.RemoteModelException;
import io.github.eft4j.models.remote.RemoteModels;
import io.github.eft4j.models.remote.RemoteOptions;
import io.github.eft4j.models.remote.RemoteVocabulary;
import io.github.eft4j.models.transformer.ModelMetadata;
import io.github.eft4j.models.transformer.Transformers;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/** Loads language models from files, and connects to served ones. */
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
   * Whether a text is the address of a served model, for {@link #remote(String, LanguageModel,
   * RemoteOptions) remote}, rather than a path, for {@link #load(Path) load}.
   *
   * @param place what a user gave
   * @return whether it begins as an address does
   */
  public static boolean isAddress(String place) {
    return RemoteModels.isAddress(place);
  }

  /**
   * Connects to a model that is served elsewhere, by vLLM ({@code http://host:8000/v1#name}) or the
   * llama.cpp server ({@code llamacpp:http://host:8080}). It is used like any other model, by
   * everything that reads its probabilities; where it tells only those of its likeliest tokens,
   * {@link io.github.eft4j.EftSampler} asks for longer lists as it needs them.
   *
   * @param address where it is served
   * @param like a model here that has the same tokens, such as a small one of the same family: the
   *     tokenizer, chat template and end-of-text ids are taken from it, and compared with the
   *     server's. It has to stay open as long as the served model is used
   * @param options how to use it
   * @return the model, to be closed by the caller
   * @throws IllegalArgumentException if the address is none
   * @throws RemoteModelException if the server cannot be reached, or serves another model or other
   *     tokens
   */
  public static LanguageModel remote(String address, LanguageModel like, RemoteOptions options) {
    return RemoteModels.connect(address, RemoteVocabulary.of(like), options);
  }

  /**
   * Connects to a model that is served elsewhere.
   *
   * @param address as for {@link #remote(String, LanguageModel, RemoteOptions)}
   * @param files a model here that has the same tokens, of which no weights are loaded
   * @param options how to use it
   * @return the model, to be closed by the caller
   * @throws IllegalArgumentException if the address is none
   * @throws ModelFormatException as for {@link #load(Path)}
   * @throws UncheckedIOException if a file cannot be read
   * @throws RemoteModelException if the server cannot be reached, or serves another model or other
   *     tokens
   */
  public static LanguageModel remote(String address, Path files, RemoteOptions options) {
    Checkpoint checkpoint = Checkpoint.open(files);
    RemoteVocabulary vocabulary;
    try {
      vocabulary =
          new RemoteVocabulary(
              OptionalInt.of(checkpoint.config().vocabularySize()),
              checkpoint.tokenizer(),
              checkpoint.chatTemplate(),
              checkpoint.generation().endOfTextIds(),
              checkpoint::close);
    } catch (RuntimeException | Error e) {
      checkpoint.close();
      throw e;
    }
    return RemoteModels.connect(address, vocabulary, options);
  }

  /**
   * Connects to a model that is served elsewhere and used by token ids, if the server tells how
   * many there are: llama.cpp does, vLLM does not.
   *
   * @param address as for {@link #remote(String, LanguageModel, RemoteOptions)}
   * @param options how to use it
   * @return the model, to be closed by the caller
   * @throws IllegalArgumentException if the address is none, or the server does not tell
   * @throws RemoteModelException if the server cannot be reached, or serves another model
   */
  public static LanguageModel remote(String address, RemoteOptions options) {
    return RemoteModels.connect(address, RemoteVocabulary.UNKNOWN, options);
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
