package io.github.eft4j.models.config;

import java.util.HashSet;
import java.util.List;

/**
 * The shape of an encoder that classifies texts (BERT: Devlin et al. 2019, <a
 * href="https://arxiv.org/abs/1810.04805">arXiv 1810.04805</a>; RoBERTa: Liu et al. 2019, <a
 * href="https://arxiv.org/abs/1907.11692">arXiv 1907.11692</a>).
 *
 * @param family which of the two it is
 * @param hiddenSize the size of a token's representation between layers
 * @param layers the number of layers
 * @param heads the number of attention heads, a divisor of {@code hiddenSize}
 * @param feedForwardSize the inner size of the feed-forward network
 * @param vocabularySize the number of token ids
 * @param positions the number of position embeddings
 * @param tokenTypes the number of token types
 * @param normEpsilon what layer norms add to the variance
 * @param padId the token id that pads shorter texts
 * @param labels the names of the classes, by index
 */
public record EncoderConfig(
    Family family,
    int hiddenSize,
    int layers,
    int heads,
    int feedForwardSize,
    int vocabularySize,
    int positions,
    int tokenTypes,
    float normEpsilon,
    int padId,
    List<String> labels) {
  /** How an encoder counts positions and pools its output. */
  public enum Family {
    /** Counts positions from 0; a dense layer with tanh pools the first token's output. */
    BERT("bert"),
    /** Counts positions from behind the padding id, and gives padding no position of its own. */
    ROBERTA("roberta");

    private final String modelType;

    Family(String modelType) {
      this.modelType = modelType;
    }

    /**
     * The name in {@code config.json}.
     *
     * @return what {@code model_type} says
     */
    public String modelType() {
      return modelType;
    }
  }

  /**
   * Checks that the sizes fit together.
   *
   * @throws IllegalArgumentException if a size is not positive, the hidden size cannot be shared
   *     out over the heads, the padding id is not a token or leaves no position, or there are fewer
   *     than two labels or two that are equal
   */
  public EncoderConfig {
    Checks.positive("hidden size", hiddenSize);
    Checks.positive("number of layers", layers);
    Checks.positive("number of attention heads", heads);
    Checks.positive("feed-forward size", feedForwardSize);
    Checks.positive("vocabulary size", vocabularySize);
    Checks.positive("number of positions", positions);
    Checks.positive("number of token types", tokenTypes);
    Checks.positive("norm epsilon", normEpsilon);
    Checks.multiple("hidden size", hiddenSize, "number of attention heads", heads);
    if (padId < 0 || padId >= vocabularySize) {
      throw new IllegalArgumentException(
          "padding id %d is outside the vocabulary of %d ids".formatted(padId, vocabularySize));
    }
    if (firstPosition(family, padId) >= positions) {
      throw new IllegalArgumentException(
          "%d positions leave none behind the padding id %d".formatted(positions, padId));
    }
    labels = List.copyOf(labels);
    if (labels.size() < 2 || new HashSet<>(labels).size() < labels.size()) {
      throw new IllegalArgumentException(
          "labels are " + labels + ", expected two or more different ones");
    }
  }

  private static int firstPosition(Family family, int padId) {
    return switch (family) {
      case BERT -> 0;
      case ROBERTA -> padId + 1;
    };
  }

  /**
   * The position of a text's first token.
   *
   * @return the index of its position embedding
   */
  public int firstPosition() {
    return firstPosition(family, padId);
  }

  /**
   * The greatest number of tokens of a text, special ones included.
   *
   * @return the number of tokens
   */
  public int maxTokens() {
    return positions - firstPosition();
  }

  /**
   * The size of an attention head.
   *
   * @return the number of activations in a head
   */
  public int headSize() {
    return hiddenSize / heads;
  }
}
