package io.github.eft4j.models;

import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.GenerationConfig;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a model's files say of it, without its weights being loaded.
 *
 * @param name the name of the directory or file
 * @param format {@code safetensors} or {@code gguf}
 * @param config the model's shape
 * @param generation how to generate text with it
 * @param parametersByType the number of weights of each type, as the file format spells the types
 * @param storedBytes the size of the weights as stored, in bytes
 * @param tokenizer what the tokenizer is, or empty when there is none
 * @param chatTemplate whether there is a chat template
 */
public record ModelInfo(
    String name,
    String format,
    ModelConfig config,
    GenerationConfig generation,
    Map<String, Long> parametersByType,
    long storedBytes,
    Optional<TokenizerInfo> tokenizer,
    boolean chatTemplate) {
  /**
   * What a tokenizer is.
   *
   * @param kind how it splits text, as its file spells it, such as {@code BPE}
   * @param size one more than the largest id that has a token
   */
  public record TokenizerInfo(String kind, int size) {}

  /** Copies the map. */
  public ModelInfo {
    parametersByType = Collections.unmodifiableMap(new TreeMap<>(parametersByType));
  }

  /**
   * The number of weights.
   *
   * @return the number of weights of all types
   */
  public long parameters() {
    return parametersByType.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * The memory that weights take where all of them are converted to float32, as ND4J's operations
   * need them; otherwise they take {@link #storedBytes}.
   *
   * @return the size in bytes
   */
  public long float32Bytes() {
    return Float.BYTES * parameters();
  }

  /**
   * The memory that a float32 key/value cache takes for each position.
   *
   * @return the size in bytes
   */
  public long cacheBytesPerToken() {
    return 2L * Float.BYTES * config.layers() * config.keyValueHeads() * config.headSize();
  }
}
