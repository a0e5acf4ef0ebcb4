package io.github.eft4j;

import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Samples text from a combination of language models.
 *
 * <p>A sampler is safe for use by many threads at once, and does not change but for what adaptive
 * {@link Speculation} learns of the speed of its models. It does not own its models: whoever loaded
 * them closes them, after the last request.
 */
public final class EftSampler {
  private static final Logger log = LoggerFactory.getLogger(EftSampler.class);

  private final LogitCombiner combiner;
  private final List<LogitCombiner.Leaf> leaves;
  private final int vocabulary;
  private final SamplingOptions options;
  private final @Nullable Speculation speculation;
  private final int batchSize;
  private final TruncationPolicy truncationPolicy;
  private final @Nullable Tokenizer tokenizer;
  private final Set<Integer> endOfTextIds;
  private final SpeculationMeasurements measurements;

  private EftSampler(Builder builder) {
    combiner = builder.combiner;
    leaves = combiner.leaves();
    options = builder.options.build();
    speculation = builder.speculation;
    batchSize = builder.batchSize;
    truncationPolicy = builder.truncationPolicy;
    List<LanguageModel> models = combiner.models();
    if (models.isEmpty()) {
      throw new IllegalArgumentException("the combination " + combiner + " runs no model");
    }
    List<LanguageModel> all = new ArrayList<>(models);
    if (speculation != null && !all.contains(speculation.draft())) {
      all.add(speculation.draft());
    }
    measurements = new SpeculationMeasurements(all, builder.clock);
    vocabulary = VocabularyCheck.commonVocabulary(all, builder.allowExtraTokens);
    tokenizer = models.stream().flatMap(m -> m.tokenizer().stream()).findFirst().orElse(null);
    endOfTextIds =
        models.stream().flatMap(m -> m.endOfTextIds().stream()).collect(Collectors.toSet());
    check(options);
    TruncatedLeaf.find(
        new CombinerPlan(combiner, Map.of(), vocabulary), leaves, options, speculation);
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
   * Continues several texts, decoding them together. Each gets the completion that it would get
   * alone.
   *
   * @param prompts the texts
   * @return the completions, in the order of the prompts
   * @throws IllegalArgumentException if no model has a tokenizer, or a prompt is empty or longer
   *     than a model's context
   */
  public List<Completion> sample(List<String> prompts) {
    return sampleAll(prompts.stream().map(p -> SampleRequest.of(Prompt.text(p))).toList());
  }

  /**
   * Serves a request.
   *
   * @param request the prompt, options, listener and way of cancelling
   * @return the completion
   * @throws IllegalArgumentException if a model cannot read the prompt, it is empty or longer than
   *     a model's context, or an option does not fit the models
   * @throws CompletionFailedException if a model's logits are not finite, every possible token is
   *     forbidden, a model was closed, or one that is served elsewhere failed
   */
  public Completion sample(SampleRequest request) {
    return sampleAll(List.of(request)).getFirst();
  }

  /**
   * Draws several completions of one prompt, which is read once. The first one is that of {@link
   * #sample(SampleRequest)}; each reports a seed that draws it again alone. The listener hears of
   * all of them.
   *
   * @param request the prompt, options, listener and way of cancelling
   * @param completions how many
   * @return the completions
   * @throws IllegalArgumentException if {@code completions} is not positive, a model cannot read
   *     the prompt, it is empty or longer than a model's context, or an option does not fit the
   *     models
   * @throws CompletionFailedException if a model's logits are not finite, every possible token is
   *     forbidden, a model was closed, or one that is served elsewhere failed
   */
  public List<Completion> sample(SampleRequest request, int completions) {
    if (completions < 1) {
      throw new IllegalArgumentException("completions is " + completions + ", expected at least 1");
    }
    return decode(List.of(group(request, completions)));
  }

  /**
   * Serves several requests, decoding them together: the next one begins as one ends. Each gets the
   * completion that it would get alone.
   *
   * @param requests the requests
   * @return the completions, in the order of the requests
   * @throws IllegalArgumentException if a model cannot read a prompt, it is empty or longer than a
   *     model's context, or an option does not fit the models; nothing is decoded then
   * @throws CompletionFailedException if a model's logits are not finite, every possible token is
   *     forbidden, a model was closed, or one that is served elsewhere failed
   */
  public List<Completion> sampleAll(List<SampleRequest> requests) {
    return decode(requests.stream().map(request -> group(request, 1)).toList());
  }

  private List<Completion> decode(List<List<Sequence>> groups) {
    List<Sequence> sequences = groups.stream().flatMap(List::stream).toList();
    try (DecodingLoop loop =
        new DecodingLoop(leaves, vocabulary, speculation, measurements, truncationPolicy)) {
      loop.run(new ArrayDeque<>(groups), batchSize);
      List<Completion> completions = sequences.stream().map(Sequence::completion).toList();
      completions.forEach(this::warnOfTruncation);
      return completions;
    } catch (IllegalStateException | UncheckedIOException e) {
      sequences.forEach(Sequence::fail);
      throw new CompletionFailedException(e, sequences.stream().map(Sequence::completion).toList());
    } finally {
      sequences.forEach(Sequence::close);
    }
  }

  private void warnOfTruncation(Completion completion) {
    List<Double> bounds = completion.truncation().distributionBounds();
    long over = bounds.stream().filter(bound -> bound > truncationPolicy.limit()).count();
    if (over > 0) {
      log.warn(
          "{} of {} tokens were drawn from lists that leave a total variation of more than {} open,"
              + " {} in all: {} tells too few of its likeliest tokens",
          over,
          bounds.size(),
          truncationPolicy.limit(),
          completion.truncation().distributionBound(),
          combiner);
    }
  }

  private List<Sequence> group(SampleRequest request, int completions) {
    SamplingOptions own = request.options() == null ? options : check(request.options());
    Map<String, Double> defaults = combiner.weights();
    for (String name : request.weights().keySet()) {
      if (!defaults.containsKey(name)) {
        throw new IllegalArgumentException(
            "weight %s is not in %s, which has %s".formatted(name, combiner, defaults.keySet()));
      }
    }
    CombinerPlan plan = new CombinerPlan(combiner, request.weights(), vocabulary);
    TruncatedLeaf truncatedLeaf = TruncatedLeaf.find(plan, leaves, own, speculation);
    long seed = own.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
    List<LogitCombiner.Leaf> readers = DecodingLoop.readers(leaves, speculation);
    List<Sequence> group = new ArrayList<>();
    for (int i = 0; i < completions; i++) {
      group.add(
          new Sequence(
              request,
              own,
              plan,
              truncatedLeaf,
              own.endOfTextIds().orElse(endOfTextIds),
              Noise.seed(seed, i),
              readers,
              DecodingLoop.draftReader(readers, speculation),
              measurements.acceptance(),
              tokenizer,
              vocabulary));
    }
    return group;
  }

  private SamplingOptions check(SamplingOptions options) {
    if (tokenizer == null && !options.stopStrings().isEmpty()) {
      throw new IllegalArgumentException(
          "stop strings need text, but no model of " + combiner + " has a tokenizer");
    }
    options.endOfTextIds().orElse(Set.of()).forEach(id -> checkId("end-of-text id", id));
    options.logitBias().keySet().forEach(id -> checkId("token id with a logit bias", id));
    options.forcedIds().forEach(id -> checkId("forced token id", id));
    checkCount("topLogProbabilities", options.topLogProbabilities());
    checkCount("traceCandidates", options.traceCandidates().orElse(0));
    return options;
  }

  private void checkCount(String what, int count) {
    if (count > vocabulary) {
      throw new IllegalArgumentException(
          "%s is %d, but the vocabulary has %d ids".formatted(what, count, vocabulary));
    }
  }

  private void checkId(String what, int id) {
    if (id < 0 || id >= vocabulary) {
      throw new IllegalArgumentException(
          "%s %d is outside the vocabulary of %d ids".formatted(what, id, vocabulary));
    }
  }

  /** Collects what a sampler needs. */
  public static final class Builder {
    private final LogitCombiner combiner;
    private SamplingOptions.Builder options = SamplingOptions.builder();
    private @Nullable Speculation speculation;
    private int batchSize = 8;
    private boolean allowExtraTokens;
    private LongSupplier clock = System::nanoTime;
    private TruncationPolicy truncationPolicy = TruncationPolicy.DEFAULT;

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
     * Decodes speculatively.
     *
     * @param speculation which model drafts, and how drafts are accepted
     * @return this builder
     */
    public Builder speculation(Speculation speculation) {
      this.speculation = Objects.requireNonNull(speculation);
      return this;
    }

    /**
     * Sets how many completions are decoded together.
     *
     * @param batchSize the greatest number, at least 1
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder batchSize(int batchSize) {
      if (batchSize < 1) {
        throw new IllegalArgumentException("batchSize is " + batchSize + ", expected at least 1");
      }
      this.batchSize = batchSize;
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

    /** Sets what passes are timed with, in nanoseconds. */
    Builder clock(LongSupplier clock) {
      this.clock = clock;
      return this;
    }

    /**
     * Sets what to do where a served model does not tell enough of its probabilities. Unless set, a
     * warning is logged where one in a hundred draws might have come out otherwise.
     *
     * @param policy what to accept
     * @return this builder
     */
    public Builder truncation(TruncationPolicy policy) {
      truncationPolicy = Objects.requireNonNull(policy);
      return this;
    }

    /**
     * Makes the sampler.
     *
     * @return the sampler
     * @throws IllegalArgumentException if an option is out of its range, or the models'
     *     vocabularies cannot be combined, or a model that gives lists of its likeliest tokens has
     *     to give all of them and cannot
     */
    public EftSampler build() {
      return new EftSampler(this);
    }
  }
}
