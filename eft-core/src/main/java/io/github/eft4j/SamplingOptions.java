package io.github.eft4j;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are drawn from the combined distribution, and when a completion ends. The distribution
 * is first sharpened or flattened by the temperature; of what follows, each filter sees what the
 * one before it kept: top-k, top-p, min-p. At least one token is always kept.
 *
 * @param temperature divides log-probabilities; 0 always takes the likeliest token
 * @param topK keeps this many of the likeliest tokens; 0 keeps all
 * @param topP keeps the fewest likeliest tokens whose probabilities reach this sum (Holtzman et
 *     al., ICLR 2020); 1 keeps all
 * @param minP keeps tokens at least this many times as likely as the likeliest (Nguyen et al., ICLR
 *     2025); 0 keeps all
 * @param seed makes the draws reproducible; empty takes a fresh one for each request
 * @param maxNewTokens the greatest number of new tokens
 * @param stopStrings texts that end a completion and are left out of it
 * @param endOfTextIds tokens that end a completion; empty takes those of the models
 * @param ignoreEndOfText whether to go on after a token that ends a text
 * @param repetitionPenalty multiplies the log-probability of every token that the prompt or the
 *     completion has already (Keskar et al. 2019, CTRL, on log-probabilities); 1 changes nothing,
 *     above 1 discourages repetition
 * @param frequencyPenalty is subtracted from a token's log-probability for each time that the
 *     completion has it already; 0 changes nothing
 * @param presencePenalty is subtracted from a token's log-probability if the completion has it
 *     already; 0 changes nothing
 * @param logitBias is added to the log-probabilities of token ids; negative infinity forbids one
 * @param forcedIds the tokens that the completion begins with, whatever their probability
 * @param topLogProbabilities how many of the likeliest tokens to report for each new token
 * @param traceCandidates how many of the likeliest tokens to show beside each new token in a
 *     {@linkplain Completion#trace() trace}; empty for no trace
 */
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    OptionalLong seed,
    int maxNewTokens,
    List<String> stopStrings,
    Optional<Set<Integer>> endOfTextIds,
    boolean ignoreEndOfText,
    double repetitionPenalty,
    double frequencyPenalty,
    double presencePenalty,
    Map<Integer, Double> logitBias,
    List<Integer> forcedIds,
    int topLogProbabilities,
    OptionalInt traceCandidates) {
  /** What a sampler does unless told otherwise: temperature 1, no filters, 256 new tokens. */
  public static final SamplingOptions DEFAULT = new Builder().build();

  /**
   * Checks the ranges and copies the collections.
   *
   * @throws IllegalArgumentException if an option is out of its range
   */
  public SamplingOptions {
    require(
        temperature >= 0 && temperature < Double.POSITIVE_INFINITY,
        "temperature",
        temperature,
        "at least 0");
    require(topK >= 0, "topK", topK, "at least 0");
    require(topP > 0 && topP <= 1, "topP", topP, "above 0 and at most 1");
    require(minP >= 0 && minP <= 1, "minP", minP, "between 0 and 1");
    require(maxNewTokens >= 1, "maxNewTokens", maxNewTokens, "at least 1");
    stopStrings = List.copyOf(stopStrings);
    if (stopStrings.contains("")) {
      throw new IllegalArgumentException("a stop string is empty");
    }
    endOfTextIds = endOfTextIds.map(Set::copyOf);
    require(
        repetitionPenalty > 0 && repetitionPenalty < Double.POSITIVE_INFINITY,
        "repetitionPenalty",
        repetitionPenalty,
        "above 0");
    require(
        Double.isFinite(frequencyPenalty), "frequencyPenalty", frequencyPenalty, "a finite number");
    require(
        Double.isFinite(presencePenalty), "presencePenalty", presencePenalty, "a finite number");
    logitBias = Map.copyOf(logitBias);
    logitBias.forEach(
        (id, bias) ->
            require(
                bias < Double.POSITIVE_INFINITY,
                "logitBias of token id " + id,
                bias,
                "a number below infinity"));
    forcedIds = List.copyOf(forcedIds);
    require(topLogProbabilities >= 0, "topLogProbabilities", topLogProbabilities, "at least 0");
    int candidates = traceCandidates.orElse(0);
    require(candidates >= 0, "traceCandidates", candidates, "at least 0");
  }

  /** Whether the next token's probability depends on which tokens there are already. */
  boolean penalises() {
    return repetitionPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0;
  }

  private static void require(boolean holds, String option, Number found, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(option + " is " + found + ", expected " + expected);
    }
  }

  /**
   * A builder that starts from these options.
   *
   * @return the builder
   */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /**
   * A builder that starts from {@link #DEFAULT}.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options. Ranges are checked by {@link #build()}. */
  public static final class Builder {
    private double temperature = 1;
    private int topK;
    private double topP = 1;
    private double minP;
    private OptionalLong seed = OptionalLong.empty();
    private int maxNewTokens = 256;
    private List<String> stopStrings = List.of();
    private @Nullable Set<Integer> endOfTextIds;
    private boolean ignoreEndOfText;
    private double repetitionPenalty = 1;
    private double frequencyPenalty;
    private double presencePenalty;
    private final Map<Integer, Double> logitBias = new HashMap<>();
    private List<Integer> forcedIds = List.of();
    private int topLogProbabilities;
    private OptionalInt traceCandidates = OptionalInt.empty();

    private Builder() {}

    private Builder(SamplingOptions options) {
      temperature = options.temperature;
      topK = options.topK;
      topP = options.topP;
      minP = options.minP;
      seed = options.seed;
      maxNewTokens = options.maxNewTokens;
      stopStrings = options.stopStrings;
      endOfTextIds = options.endOfTextIds.orElse(null);
      ignoreEndOfText = options.ignoreEndOfText;
      repetitionPenalty = options.repetitionPenalty;
      frequencyPenalty = options.frequencyPenalty;
      presencePenalty = options.presencePenalty;
      logitBias.putAll(options.logitBias);
      forcedIds = options.forcedIds;
      topLogProbabilities = options.topLogProbabilities;
      traceCandidates = options.traceCandidates;
    }

    /**
     * Always takes the likeliest token; of equals, the one with the lowest id.
     *
     * @return this builder
     */
    public Builder greedy() {
      return temperature(0);
    }

    /**
     * Sets the temperature.
     *
     * @param temperature at least 0; 0 is greedy
     * @return this builder
     */
    public Builder temperature(double temperature) {
      this.temperature = temperature;
      return this;
    }

    /**
     * Keeps the likeliest tokens.
     *
     * @param topK how many, or 0 for all
     * @return this builder
     */
    public Builder topK(int topK) {
      this.topK = topK;
      return this;
    }

    /**
     * Keeps the fewest likeliest tokens whose probabilities reach a sum.
     *
     * @param topP the sum, above 0; 1 keeps all
     * @return this builder
     */
    public Builder topP(double topP) {
      this.topP = topP;
      return this;
    }

    /**
     * Keeps tokens that are likely enough beside the likeliest.
     *
     * @param minP the least share of the likeliest token's probability; 0 keeps all
     * @return this builder
     */
    public Builder minP(double minP) {
      this.minP = minP;
      return this;
    }

    /**
     * Makes the draws reproducible.
     *
     * @param seed any number
     * @return this builder
     */
    public Builder seed(long seed) {
      this.seed = OptionalLong.of(seed);
      return this;
    }

    /**
     * Limits the length of a completion.
     *
     * @param maxNewTokens the greatest number of new tokens, at least 1
     * @return this builder
     */
    public Builder maxNewTokens(int maxNewTokens) {
      this.maxNewTokens = maxNewTokens;
      return this;
    }

    /**
     * Sets texts that end a completion, wherever their characters fall among the tokens.
     *
     * @param stopStrings the texts, none empty
     * @return this builder
     */
    public Builder stopStrings(String... stopStrings) {
      this.stopStrings = List.of(stopStrings);
      return this;
    }

    /**
     * Sets the tokens that end a completion, in place of those that the models name.
     *
     * @param ids the token ids
     * @return this builder
     */
    public Builder endOfTextIds(int... ids) {
      Set<Integer> set = new TreeSet<>();
      Arrays.stream(ids).forEach(set::add);
      this.endOfTextIds = set;
      return this;
    }

    /**
     * Goes on after a token that ends a text.
     *
     * @param ignore whether to go on
     * @return this builder
     */
    public Builder ignoreEndOfText(boolean ignore) {
      this.ignoreEndOfText = ignore;
      return this;
    }

    /**
     * Discourages tokens that the prompt or the completion has already.
     *
     * @param penalty multiplies their log-probabilities; above 1 discourages, 1 changes nothing
     * @return this builder
     */
    public Builder repetitionPenalty(double penalty) {
      this.repetitionPenalty = penalty;
      return this;
    }

    /**
     * Discourages tokens the more, the more often the completion has them already.
     *
     * @param penalty is subtracted from their log-probabilities for each time
     * @return this builder
     */
    public Builder frequencyPenalty(double penalty) {
      this.frequencyPenalty = penalty;
      return this;
    }

    /**
     * Discourages tokens that the completion has already.
     *
     * @param penalty is subtracted from their log-probabilities
     * @return this builder
     */
    public Builder presencePenalty(double penalty) {
      this.presencePenalty = penalty;
      return this;
    }

    /**
     * Makes a token likelier or less likely.
     *
     * @param id the token id
     * @param bias is added to its log-probability; negative infinity forbids it
     * @return this builder
     */
    public Builder logitBias(int id, double bias) {
      logitBias.put(id, bias);
      return this;
    }

    /**
     * Forbids tokens.
     *
     * @param ids the token ids
     * @return this builder
     */
    public Builder forbiddenIds(int... ids) {
      Arrays.stream(ids).forEach(id -> logitBias(id, Double.NEGATIVE_INFINITY));
      return this;
    }

    /**
     * Makes the completion begin with certain tokens.
     *
     * @param ids the token ids
     * @return this builder
     */
    public Builder forcedIds(int... ids) {
      this.forcedIds = Arrays.stream(ids).boxed().toList();
      return this;
    }

    /**
     * Reports the likeliest tokens beside each new token.
     *
     * @param count how many
     * @return this builder
     */
    public Builder topLogProbabilities(int count) {
      this.topLogProbabilities = count;
      return this;
    }

    /**
     * Reports what each model made of each new token. Changes no token; costs time, with a draft
     * model outside the combination also passes of it.
     *
     * @param candidates how many of the likeliest tokens to show beside each new token
     * @return this builder
     */
    public Builder trace(int candidates) {
      this.traceCandidates = OptionalInt.of(candidates);
      return this;
    }

    /**
     * Makes the options.
     *
     * @return the options
     * @throws IllegalArgumentException if an option is out of its range
     */
    public SamplingOptions build() {
      return new SamplingOptions(
          temperature,
          topK,
          topP,
          minP,
          seed,
          maxNewTokens,
          stopStrings,
          Optional.ofNullable(endOfTextIds),
          ignoreEndOfText,
          repetitionPenalty,
          frequencyPenalty,
          presencePenalty,
          logitBias,
          forcedIds,
          topLogProbabilities,
          traceCandidates);
    }
  }
}
