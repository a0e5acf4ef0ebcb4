package io.github.eft4j.models.config;

/** The shape of a causal language model. */
public sealed interface ModelConfig permits LlamaConfig, FalconConfig {
  /**
   * The model family, as {@code model_type} in {@code config.json} and {@code general.architecture}
   * in GGUF files spell it.
   *
   * @return {@code llama} or {@code falcon}
   */
  String family();

  /**
   * The size of a token's representation between layers.
   *
   * @return the number of activations in a row
   */
  int hiddenSize();

  /**
   * The number of transformer layers.
   *
   * @return the number of layers
   */
  int layers();

  /**
   * The number of attention heads.
   *
   * @return the number of query heads of a layer
   */
  int heads();

  /**
   * The number of heads that keys and values have.
   *
   * @return the number of key/value heads of a layer, a divisor of {@link #heads()}
   */
  int keyValueHeads();

  /**
   * The size of an attention head.
   *
   * @return the number of activations in a head
   */
  int headSize();

  /**
   * The inner size of the feed-forward network.
   *
   * @return the number of activations between its linear layers
   */
  int feedForwardSize();

  /**
   * The number of token ids that the model gives logits for.
   *
   * @return the number of rows of the embedding table
   */
  int vocabularySize();

  /**
   * The greatest number of positions that a sequence may have.
   *
   * @return the number of positions; {@link Integer#MAX_VALUE} where {@linkplain
   *     RotaryScaling.Dynamic dynamic} scaling sets no end
   */
  int contextLength();

  /**
   * The same model with another context length.
   *
   * @param contextLength the greatest number of positions that a sequence may have
   * @return the new configuration
   * @throws IllegalArgumentException if {@code contextLength} is not positive
   */
  ModelConfig withContextLength(int contextLength);

  /**
   * Whether the output layer is the embedding table.
   *
   * @return true where the checkpoint has no output layer of its own
   */
  boolean tiedEmbeddings();
}
