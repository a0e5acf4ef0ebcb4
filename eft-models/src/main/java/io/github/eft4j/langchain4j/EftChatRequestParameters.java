package io.github.eft4j.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import io.github.eft4j.SamplingOptions;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * LangChain4j's parameters of a request, and those that a sampler has besides. {@code
 * temperature(0)} is greedy, {@code topK(0)} keeps all tokens; {@link SamplingOptions} says what
 * the others do.
 */
public final class EftChatRequestParameters extends DefaultChatRequestParameters {
  private final @Nullable Double minP;
  private final @Nullable Double repetitionPenalty;
  private final @Nullable Long seed;
  private final Map<String, Double> weights;

  private EftChatRequestParameters(Builder builder) {
    super(builder);
    minP = builder.minP;
    repetitionPenalty = builder.repetitionPenalty;
    seed = builder.seed;
    weights = builder.weights;
  }

  /**
   * Starts building parameters.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Keeps tokens that are likely enough beside the likeliest.
   *
   * @return the least share of the likeliest token's probability, or null where it is not given
   */
  public @Nullable Double minP() {
    return minP;
  }

  /**
   * Discourages tokens that the conversation or the answer has already.
   *
   * @return what multiplies their log-probabilities, or null where it is not given
   */
  public @Nullable Double repetitionPenalty() {
    return repetitionPenalty;
  }

  /**
   * Makes the draws reproducible.
   *
   * @return the seed, or null where it is not given
   */
  public @Nullable Long seed() {
    return seed;
  }

  /**
   * What named weights of the combination stand for.
   *
   * @return the weights by their names; absent ones have their defaults
   */
  public Map<String, Double> weights() {
    return weights;
  }

  /**
   * These parameters, replaced by others where those are given.
   *
   * @param parameters the others
   * @return both
   * @throws UnsupportedFeatureException if the others are of a class made for another model, whose
   *     parameters would be lost
   */
  @Override
  public EftChatRequestParameters overrideWith(ChatRequestParameters parameters) {
    return builder().overrideWith(this).overrideWith(parameters).build();
  }

  /**
   * Others, replaced by these where these are given.
   *
   * @param parameters the others
   * @return both
   * @throws UnsupportedFeatureException as for {@link #overrideWith}
   */
  @Override
  public EftChatRequestParameters defaultedBy(ChatRequestParameters parameters) {
    return builder().overrideWith(parameters).overrideWith(this).build();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return super.equals(other)
        && other instanceof EftChatRequestParameters that
        && Objects.equals(minP, that.minP)
        && Objects.equals(repetitionPenalty, that.repetitionPenalty)
        && Objects.equals(seed, that.seed)
        && weights.equals(that.weights);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), minP, repetitionPenalty, seed, weights);
  }

  @Override
  public String toString() {
    return "EftChatRequestParameters{minP=%s, repetitionPenalty=%s, seed=%s, weights=%s, %s}"
        .formatted(minP, repetitionPenalty, seed, weights, super.toString());
  }

  /** Collects parameters. */
  public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
    private @Nullable Double minP;
    private @Nullable Double repetitionPenalty;
    private @Nullable Long seed;
    private Map<String, Double> weights = Map.of();

    private Builder() {}

    /**
     * Takes over other parameters where they are given.
     *
     * @param parameters the others
     * @return this builder
     * @throws UnsupportedFeatureException if they are of a class made for another model, whose
     *     parameters would be lost
     */
    @Override
    public Builder overrideWith(ChatRequestParameters parameters) {
      super.overrideWith(parameters);
      if (parameters instanceof EftChatRequestParameters eft) {
        minP = eft.minP == null ? minP : eft.minP;
        repetitionPenalty =
            eft.repetitionPenalty == null ? repetitionPenalty : eft.repetitionPenalty;
        seed = eft.seed == null ? seed : eft.seed;
        weights = eft.weights.isEmpty() ? weights : eft.weights;
      } else if (parameters.getClass() != DefaultChatRequestParameters.class) {
        throw new UnsupportedFeatureException(
            parameters.getClass().getSimpleName()
                + " is not supported: it may have parameters of another model");
      }
      return this;
    }

    /**
     * Keeps tokens that are likely enough beside the likeliest.
     *
     * @param minP the least share of the likeliest token's probability; 0 keeps all; null leaves it
     *     to the default
     * @return this builder
     */
    public Builder minP(@Nullable Double minP) {
      this.minP = minP;
      return this;
    }

    /**
     * Discourages tokens that the conversation or the answer has already.
     *
     * @param penalty multiplies their log-probabilities; above 1 discourages, 1 changes nothing;
     *     null leaves it to the default
     * @return this builder
     */
    public Builder repetitionPenalty(@Nullable Double penalty) {
      repetitionPenalty = penalty;
      return this;
    }

    /**
     * Makes the draws reproducible.
     *
     * @param seed any number; null leaves it to the default
     * @return this builder
     */
    public Builder seed(@Nullable Long seed) {
      this.seed = seed;
      return this;
    }

    /**
     * Sets what named weights of the combination stand for.
     *
     * @param weights the weights by their names
     * @return this builder
     */
    public Builder weights(Map<String, Double> weights) {
      this.weights = Map.copyOf(weights);
      return this;
    }

    @Override
    public EftChatRequestParameters build() {
      return new EftChatRequestParameters(this);
    }
  }
}
