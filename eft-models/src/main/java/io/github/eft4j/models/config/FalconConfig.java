package io.github.eft4j.models.config;

import org.jspecify.annotations.Nullable;

/**
 * The shape of a Falcon model (Almazrouei et al. 2023, <a
 * href="https://arxiv.org/abs/2311.16867">arXiv 2311.16867</a>).
 *
 * @param hiddenSize the size of a token's representation between layers, {@code heads · headSize}
 * @param layers the number of layers
 * @param heads the number of query heads
 * @param keyValueHeads the number of key/value heads, a divisor of {@code heads}; 1 for multi-query
 *     attention
 * @param feedForwardSize the inner size of the feed-forward network
 * @param vocabularySize the number of token ids
 * @param contextLength the greatest number of positions
 * @param normEpsilon what layer norms add to the variance
 * @param tiedEmbeddings whether the output layer is the embedding table
 * @param bias whether the linear layers of attention and feed-forward network have biases
 * @param block how a layer joins attention and feed-forward network
 * @param queryKeyValueGroups the number of groups that a row of the joint query/key/value
 *     projection consists of, each holding queries, keys and values in this order: {@code
 *     keyValueHeads} in Hugging Face checkpoints, 1 in GGUF files
 * @param rotary how positions are encoded, or null where attention has linear biases (ALiBi)
 */
public record FalconConfig(
    int hiddenSize,
    int layers,
    int heads,
    int keyValueHeads,
    int feedForwardSize,
    int vocabularySize,
    int contextLength,
    float normEpsilon,
    boolean tiedEmbeddings,
    boolean bias,
    Block block,
    int queryKeyValueGroups,
    @Nullable RotaryConfig rotary)
    implements ModelConfig {
  /** How a layer joins attention and feed-forward network. */
  public enum Block {
    /**
     * Attention, then the feed-forward network on its output, each after a norm of its own (RW).
     */
    SEQUENTIAL,
    /** Both on the layer's input, after the same norm (7B, 11B). */
    PARALLEL_ONE_NORM,
    /** Both on the layer's input, each after a norm of its own (40B, 180B). */
    PARALLEL_TWO_NORMS
  }

  /**
   * Checks that the sizes fit together.
   *
   * @throws IllegalArgumentException if a size is not positive, the hidden size cannot be shared
   *     out over the heads or the heads over the key/value heads, or rotary embeddings meet an odd
   *     head size
   */
  public FalconConfig {
    Checks.positive("hidden size", hiddenSize);
    Checks.positive("number of layers", layers);
    Checks.positive("number of attention heads", heads);
    Checks.positive("number of key/value heads", keyValueHeads);
    Checks.positive("feed-forward size", feedForwardSize);
    Checks.positive("vocabulary size", vocabularySize);
    Checks.positive("context length", contextLength);
    Checks.positive("norm epsilon", normEpsilon);
    Checks.positive("number of query/key/value groups", queryKeyValueGroups);
    Checks.multiple("hidden size", hiddenSize, "number of attention heads", heads);
    Checks.multiple("number of attention heads", heads, "number of key/value heads", keyValueHeads);
    Checks.multiple(
        "number of key/value heads", keyValueHeads, "number of groups", queryKeyValueGroups);
    if (rotary != null) {
      Checks.evenHeadSize(hiddenSize / heads);
    }
  }

  @Override
  public String family() {
    return "falcon";
  }

  @Override
  public int headSize() {
    return hiddenSize / heads;
  }

  /**
   * Whether attention has linear biases instead of rotary embeddings.
   *
   * @return true for ALiBi
   */
  public boolean alibi() {
    return rotary == null;
  }

  @Override
  public FalconConfig withContextLength(int contextLength) {
    return new FalconConfig(
        hiddenSize,
        layers,
        heads,
        keyValueHeads,
        feedForwardSize,
        vocabularySize,
        contextLength,
        normEpsilon,
        tiedEmbeddings,
        bias,
        block,
        queryKeyValueGroups,
        rotary);
  }
}
