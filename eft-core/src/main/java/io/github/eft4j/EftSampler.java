package io.github.eft4j;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Samples text from a combination of language models.
 *
 * <p>A sampler is immutable and safe for use by many threads at once. It does not own its models:
 * whoever loaded them closes them, after the last request.
 */
public final class EftSampler {
  private final LogitCombiner combiner;
  private final CombinerPlan plan;
  private final SamplingOptions options;
  private final @Nullable Tokenizer tokenizer;
  private final Set<Integer> endOfTextIds;

  private EftSampler(Builder builder) {
    combiner = builder.combiner;
    options = builder.options.build();
    List<LanguageModel> models = combiner.models();
    if (models.isEmpty()) {
      throw new IllegalArgumentException("the combination " + combiner + " runs no model");
    }
    plan =
        new CombinerPlan(
            combiner, VocabularyCheck.commonVocabulary(models, builder.allowExtraTokens));
    tokenizer = models.stream().flatMap(m -> m.tokenizer().stream()).findFirst().orElse(null);
    endOfTextIds =
        models.stream().flatMap(m -> m.endOfTextIds().stream()).collect(Collectors.toSet());
    check(options);
  }

  /**
   * Starts building a sampler.
   *
   * @param combiner what is sampled
   * @return the builder
   */
  public static Builder builder(LogitCombiner combiner) {
    return new Builder(combiner);
  }

  /**
   * What is sampled.
   *
   * @return the expression
   */
  public LogitCombiner combiner() {
    return combiner;
  }

  /**
   * How tokens are drawn where a request does not say otherwise.
   *
   * @return the options
   */
  public SamplingOptions options() {
    return options;
  }

  /**
   * Continues a text.
   *
   * @param prompt the text
   * @return the completion
   * @throws IllegalArgumentException if no model has a tokenizer, or the prompt is empty or longer
   *     than a model's context
   */
  public Completion sample(String prompt) {
    return sample(Prompt.text(prompt));
  }

  /**
   * Continues a prompt.
   *
   * @param prompt the text, token ids or conversation
   * @return the completion
   * @throws IllegalArgumentException if a model cannot read such a prompt, or it is empty or longer
   *     than a model's context
   */
  public Completion sample(Prompt prompt) {
    return sample(SampleRequest.of(prompt));
  }

  /**
   * Serves a request.
   *
   * @param request the prompt, options, listener and way of cancelling
   * @return the completion
   * @throws IllegalArgumentException if a model cannot read the prompt, it is empty or longer than
   *     a model's context, or an option does not fit the models
   * @throws IllegalStateException if a model's logits are not finite, or a model was closed
   */
  public Completion sample(SampleRequest request) {
    SamplingOptions own = request.options() == null ? options : check(request.options());
    long seed = own.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
    Set<Integer> ends = own.endOfTextIds().orElse(endOfTextIds);
    try (Sequence sequence = new Sequence(request, own, ends, seed, plan.leaves(), tokenizer);
        DecodingLoop loop = new DecodingLoop(plan)) {
      loop.run(List.of(sequence));
      return sequence.completion();
    }
  }

  private SamplingOptions check(SamplingOptions options) {
    if (tokenizer == null && !options.stopStrings().isEmpty()) {
      throw new IllegalArgumentException(
          "stop strings need text, but no model of " + combiner + " has a tokenizer");
    }
    for (int id : options.endOfTextIds().orElse(Set.of())) {
      if (id < 0 || id >= plan.vocabulary()) {
        throw new IllegalArgumentException(
            "end-of-text id %d is outside the vocabulary of %d ids"
                .formatted(id, plan.vocabulary()));
      }
    }
    return options;
  }

  /** Collects what a sampler needs. */
  public static final class Builder {
    private final LogitCombiner combiner;
    private SamplingOptions.Builder options = SamplingOptions.builder();
    private boolean allowExtraTokens;

    private Builder(LogitCombiner combiner) {
      this.combiner = Objects.requireNonNull(combiner);
    }

    /**
     * Sets all options at once.
     *
     * @param options how tokens are drawn
     * @return this builder
     */
    public Builder options(SamplingOptions options) {
      this.options = options.toBuilder();
      return this;
    }

    /**
     * Always takes the likeliest token.
     *
     * @return this builder
     */
    public Builder greedy() {
      options.greedy();
      return this;
    }

    /**
     * Sets the temperature.
     *
     * @param temperature at least 0; 0 is greedy
     * @return this builder
     */
    public Builder temperature(double temperature) {
      options.temperature(temperature);
      return this;
    }

    /**
     * Keeps the likeliest tokens.
     *
     * @param topK how many, or 0 for all
     * @return this builder
     */
    public Builder topK(int topK) {
      options.topK(topK);
      return this;
    }

    /**
     * Keeps the fewest likeliest tokens whose probabilities reach a sum.
     *
     * @param topP the sum, above 0; 1 keeps all
     * @return this builder
     */
    public Builder topP(double topP) {
      options.topP(topP);
      return this;
    }

    /**
     * Keeps tokens that are likely enough beside the likeliest.
     *
     * @param minP the least share of the likeliest token's probability; 0 keeps all
     * @return this builder
     */
    public Builder minP(double minP) {
      options.minP(minP);
      return this;
    }

    /**
     * Makes the draws reproducible.
     *
     * @param seed any number
     * @return this builder
     */
    public Builder seed(long seed) {
      options.seed(seed);
      return this;
    }

    /**
     * Limits the length of a completion.
     *
     * @param maxNewTokens the greatest number of new tokens, at least 1
     * @return this builder
     */
    public Builder maxNewTokens(int maxNewTokens) {
      options.maxNewTokens(maxNewTokens);
      return this;
    }

    /**
     * Sets texts that end a completion.
     *
     * @param stopStrings the texts, none empty
     * @return this builder
     */
    public Builder stopStrings(String... stopStrings) {
      options.stopStrings(stopStrings);
      return this;
    }

    /**
     * Sets the tokens that end a completion, in place of those that the models name.
     *
     * @param ids the token ids
     * @return this builder
     */
    public Builder endOfTextIds(int... ids) {
      options.endOfTextIds(ids);
      return this;
    }

    /**
     * Goes on after a token that ends a text.
     *
     * @param ignore whether to go on
     * @return this builder
     */
    public Builder ignoreEndOfText(boolean ignore) {
      options.ignoreEndOfText(ignore);
      return this;
    }

    /**
     * Allows models to have ids that the others lack, at the end of their vocabularies, as when
     * fine-tuning added tokens. Such tokens are never drawn.
     *
     * @param allow whether to allow them
     * @return this builder
     */
    public Builder allowExtraTokens(boolean allow) {
      allowExtraTokens = allow;
      return this;
    }

    /**
     * Makes the sampler.
     *
     * @return the sampler
     * @throws IllegalArgumentException if an option is out of its range, or the models'
     *     vocabularies cannot be combined
     */
    public EftSampler build() {
      return new EftSampler(this);
    }
  }
}
