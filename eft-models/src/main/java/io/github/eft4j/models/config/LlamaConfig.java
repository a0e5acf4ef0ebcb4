package io.github.eft4j.models.config;

/**
 * The shape of a Llama model (Touvron et al. 2023, <a href="https://arxiv.org/abs/2302.13971">arXiv
 * 2302.13971</a>).
 *
 * @param hiddenSize the size of a token's representation between layers
 * @param layers the number of layers
 * @param heads the number of query heads
 * @param keyValueHeads the number of key/value heads, a divisor of {@code heads}
 * @param headSize the size of a head; {@code heads · headSize} may differ from {@code hiddenSize}
 * @param feedForwardSize the inner size of the gated feed-forward network
 * @param vocabularySize the number of token ids
 * @param contextLength the greatest number of positions
 * @param normEpsilon what RMS norms add to the mean square
 * @param tiedEmbeddings whether the output layer is the embedding table
 * @param attentionBias whether the query, key, value and output projections have biases
 * @param mlpBias whether the feed-forward network's linear layers have biases
 * @param rotary how positions are encoded
 */
public record LlamaConfig(
    int hiddenSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int feedForwardSize,
    int vocabularySize,
    int contextLength,
    float normEpsilon,
    boolean tiedEmbeddings,
    boolean attentionBias,
    boolean mlpBias,
    RotaryConfig rotary)
    implements ModelConfig {
  /**
   * Checks that the sizes fit together.
   *
   * @throws IllegalArgumentException if a size is not positive, the heads cannot be shared out over
   *     the key/value heads, or the head size is odd
   */
  public LlamaConfig {
    Checks.positive("hidden size", hiddenSize);
    Checks.positive("number of layers", layers);
    Checks.positive("number of attention heads", heads);
    Checks.positive("number of key/value heads", keyValueHeads);
    Checks.positive("head size", headSize);
    Checks.positive("feed-forward size", feedForwardSize);
    Checks.positive("vocabulary size", vocabularySize);
    Checks.positive("context length", contextLength);
    Checks.positive("norm epsilon", normEpsilon);
    Checks.multiple("number of attention heads", heads, "number of key/value heads", keyValueHeads);
    Checks.headSizes(heads, headSize);
    Checks.evenHeadSize(headSize);
  }

  @Override
  public String family() {
    return "llama";
  }

  @Override
  public LlamaConfig withContextLength(int contextLength) {
    return new LlamaConfig(
        hiddenSize,
        layers,
        heads,
        keyValueHeads,
        headSize,
        feedForwardSize,
        vocabularySize,
        contextLength,
        normEpsilon,
        tiedEmbeddings,
        attentionBias,
        mlpBias,
        rotary);
  }
}
