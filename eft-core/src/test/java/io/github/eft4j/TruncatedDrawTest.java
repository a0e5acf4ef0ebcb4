package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TruncatedDrawTest {
  private static final int VOCABULARY = 12;
  private static final int FIRST = 3;
  private static final Prompt PROMPT = Prompt.ids(1);

  /** How far above its expectation a total variation that is only noise may be. */
  private static final double NOISE = 1.25;

  private final FunctionModel large = FunctionModel.random("large", VOCABULARY, 1, 1.5);
  private final FunctionModel tuned = FunctionModel.random("tuned", VOCABULARY, 2, 1);
  private final FunctionModel base = FunctionModel.random("base", VOCABULARY, 3, 1);

  /** Gives lists of 3 tokens at first, and of all when asked. */
  private final ListingModel listing = new ListingModel(large, FIRST, VOCABULARY);

  /** Gives lists of 3 tokens and no more. */
  private final ListingModel limited = new ListingModel(large, FIRST, FIRST);

  private static SamplingOptions.Builder options() {
    return SamplingOptions.builder().maxNewTokens(2).seed(11);
  }

  /** The probability of each two tokens, as whole models give it. */
  private static double[] exact(LogitCombiner combiner, SamplingOptions options) {
    double[] joint = new double[VOCABULARY * VOCABULARY];
    double[] first = next(combiner, options, 1);
    for (int a = 0; a < VOCABULARY; a++) {
      if (first[a] > 0) {
        double[] second = next(combiner, options, 1, a);
        for (int b = 0; b < VOCABULARY; b++) {
          joint[a * VOCABULARY + b] = first[a] * second[b];
        }
      }
    }
    return joint;
  }

  private static double[] next(LogitCombiner combiner, SamplingOptions options, int... read) {
    List<LogitCombiner.Leaf> leaves = combiner.leaves();
    MemorySegment[] rows = new MemorySegment[leaves.size()];
    List<LogitRows> open = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      LogitRows logits = new LogitRows(VOCABULARY);
      open.add(logits);
      var out = logits.rows(1);
      try (KeyValueCache cache = leaves.get(i).model().newCache()) {
        leaves.get(i).model().forward(ForwardBatch.last(cache, read), out);
      }
      logits.read(out);
      rows[i] = logits.row(0);
    }
    double[] scores = new double[VOCABULARY];
    assertThat(new CombinerPlan(combiner, Map.of(), VOCABULARY).evaluate(rows, scores)).isNotNaN();
    open.forEach(LogitRows::close);
    TokenDraw draw = new TokenDraw(VOCABULARY);
    draw.prepare(scores, options, null);
    double[] probabilities = new double[VOCABULARY];
    draw.probabilities(probabilities);
    return probabilities;
  }

  private static double[] sampled(EftSampler sampler, int draws) {
    double[] joint = new double[VOCABULARY * VOCABULARY];
    int together = 2000;
    for (int i = 0; i < draws / together; i++) {
      SamplingOptions seeded = sampler.options().toBuilder().seed(i).build();
      for (Completion c : sampler.sample(SampleRequest.of(PROMPT).withOptions(seeded), together)) {
        joint[c.tokenIds().get(0) * VOCABULARY + c.tokenIds().get(1)] += 1.0 / draws;
      }
    }
    return joint;
  }

  private static double totalVariation(double[] p, double[] q) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      sum += Math.abs(p[i] - q[i]);
    }
    return sum / 2;
  }

  /** What the total variation of that many draws from their own distribution is, on average. */
  private static double noiseFloor(double[] p, int draws) {
    return Arrays.stream(p).map(x -> Math.sqrt(x * (1 - x) / (draws * Math.PI * 2))).sum();
  }

  /** Pearson's test: how many standard deviations the statistic is above its expectation. */
  private static double excess(double[] exact, double[] sampled, int draws) {
    double statistic = 0;
    int cells = 0;
    double restExact = 0;
    double restSampled = 0;
    for (int i = 0; i < exact.length; i++) {
      if (exact[i] * draws >= 5) {
        statistic += draws * (sampled[i] - exact[i]) * (sampled[i] - exact[i]) / exact[i];
        cells++;
      } else {
        assertThat(exact[i] > 0 || sampled[i] == 0).as("token that is filtered").isTrue();
        restExact += exact[i];
        restSampled += sampled[i];
      }
    }
    if (restExact > 0) {
      statistic += draws * (restSampled - restExact) * (restSampled - restExact) / restExact;
      cells++;
    }
    return (statistic - (cells - 1)) / Math.sqrt(2 * Math.max(1, cells - 1));
  }

  @Test
  void twoTokensAreDistributedAsWithAWholeVocabulary() {
    int draws = 200_000;
    double[] exact = exact(LogitCombiner.upScale(large, tuned, base), options().build());
    double floor = noiseFloor(exact, draws);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.upScale(listing, tuned, base))
            .options(options().build())
            .build();

    double[] sampled = sampled(sampler, draws);

    assertThat(totalVariation(exact, sampled)).isLessThan(NOISE * floor);
    assertThat(excess(exact, sampled, draws)).isLessThan(4);
    // The same with U = 0, which takes every list for all there is, is far from that.
    EftSampler withoutBound =
        EftSampler.builder(LogitCombiner.upScale(limited, tuned, base))
            .options(options().build())
            .truncation(TruncationPolicy.warnAbove(1))
            .build();
    assertThat(totalVariation(exact, sampled(withoutBound, 20_000))).isGreaterThan(20 * floor);
  }

  @ParameterizedTest
  @CsvSource({
    "0.5, 0, 1, 0, 1",
    "2, 0, 1, 0, 1",
    "1, 4, 1, 0, 1",
    "1, 0, 0.8, 0, 1",
    "1, 0, 1, 0.1, 1",
    "1.5, 6, 0.9, 0.05, 1",
    "1, 0, 1, 0, 0.6",
    "0.9, 0, 0.7, 0, 1.7"
  })
  void temperatureFiltersAndWeightsChangeNothingOfThat(
      double temperature, int topK, double topP, double minP, double weight) {
    int draws = 20_000;
    SamplingOptions options =
        options().temperature(temperature).topK(topK).topP(topP).minP(minP).build();
    UnaryOperator<LogitCombiner> with =
        l -> l.times(weight).plus(LogitCombiner.of(tuned)).minus(LogitCombiner.of(base));
    double[] exact = exact(with.apply(LogitCombiner.of(large)), options);

    EftSampler sampler =
        EftSampler.builder(with.apply(LogitCombiner.of(listing))).options(options).build();

    assertThat(excess(exact, sampled(sampler, draws), draws)).isLessThan(4);
  }

  @Test
  void conservativeUpScalingAsksOnlyForWhatItUses() {
    int draws = 20_000;
    double[] exact = exact(LogitCombiner.conservative(large, tuned, base, 0.6), options().build());
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.conservative(listing, tuned, base, 0.6))
            .options(options().build())
            .build();

    assertThat(excess(exact, sampled(sampler, draws), draws)).isLessThan(4);
  }

  @Test
  void biasesAndPenaltiesAreKept() {
    SamplingOptions options =
        options()
            .logitBias(4, 2)
            .forbiddenIds(5)
            .presencePenalty(0.5)
            .frequencyPenalty(0.3)
            .build();
    LogitCombiner whole = LogitCombiner.upScale(large, tuned, base);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.upScale(listing, tuned, base)).options(options).build();
    EftSampler reference = EftSampler.builder(whole).options(options).build();
    int draws = 20_000;

    double[] sampled = sampled(sampler, draws);
    double[] expected = sampled(reference, 100_000);

    assertThat(totalVariation(expected, sampled))
        .isLessThan(NOISE * (noiseFloor(expected, draws) + noiseFloor(expected, 100_000)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1})
  void wholeListsGiveTheTokensOfAWholeModel(double temperature) {
    ListingModel whole = new ListingModel(large, VOCABULARY, VOCABULARY);
    SamplingOptions.Builder options = options().temperature(temperature).maxNewTokens(20);
    for (int seed = 0; seed < 200; seed++) {
      SamplingOptions seeded = options.seed(seed).build();
      assertThat(ids(LogitCombiner.upScale(whole, tuned, base), seeded))
          .isEqualTo(ids(LogitCombiner.upScale(large, tuned, base), seeded));
    }
    assertThat(whole.questions).hasValue(0);
  }

  @Test
  void greedyTokensAreThoseOfAWholeModel() {
    SamplingOptions greedy = options().temperature(0).maxNewTokens(200).build();

    assertThat(ids(LogitCombiner.upScale(listing, tuned, base), greedy))
        .isEqualTo(ids(LogitCombiner.upScale(large, tuned, base), greedy));
    assertThat(listing.questions.get()).isPositive();
  }

  private static List<Integer> ids(LogitCombiner combiner, SamplingOptions options) {
    return EftSampler.builder(combiner).options(options).build().sample(PROMPT).tokenIds();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void speculationChangesNoToken(boolean adaptive) {
    LogitCombiner combiner = LogitCombiner.upScale(listing, tuned, base);
    SamplingOptions.Builder options = options().maxNewTokens(100);
    Speculation speculation = Speculation.draftWith(tuned);
    for (int seed = 0; seed < 20; seed++) {
      SamplingOptions seeded = options.seed(seed).build();
      EftSampler drafting =
          EftSampler.builder(combiner)
              .options(seeded)
              .speculation(adaptive ? speculation : speculation.withBlockLength(4))
              .build();
      assertThat(drafting.sample(PROMPT).tokenIds()).isEqualTo(ids(combiner, seeded));
    }
  }

  @Test
  void completionsOfOnePromptAreThoseOfTheirSeeds() {
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.upScale(listing, tuned, base))
            .options(options().maxNewTokens(10).build())
            .build();

    for (Completion c : sampler.sample(SampleRequest.of(PROMPT), 20)) {
      SamplingOptions alone = sampler.options().toBuilder().seed(c.seed()).build();
      assertThat(sampler.sample(SampleRequest.of(PROMPT).withOptions(alone)).tokenIds())
          .isEqualTo(c.tokenIds());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0, 1, 0",
    "0.7, 0, 1, 0",
    "1.6, 0, 1, 0",
    "1, 2, 1, 0",
    "1, 5, 1, 0",
    "1, 0, 0.7, 0",
    "1, 0, 0.95, 0",
    "1, 0, 1, 0.2",
    "1.2, 7, 0.9, 0.05",
    "0, 0, 1, 0"
  })
  void theBoundHoldsWhereThereIsNoLongerList(
      double temperature, int topK, double topP, double minP) {
    SamplingOptions options =
        options().temperature(temperature).topK(topK).topP(topP).minP(minP).maxNewTokens(1).build();
    double closest = 1;
    for (int model = 0; model < 12; model++) {
      FunctionModel whole = FunctionModel.random("large", VOCABULARY, 100 + model, 2);
      LogitCombiner combiner = LogitCombiner.upScale(whole, tuned, base);
      double[] exact = next(combiner, options, 1);
      double[] unfiltered = next(combiner, SamplingOptions.DEFAULT, 1);
      EftSampler sampler =
          EftSampler.builder(
                  LogitCombiner.upScale(new ListingModel(whole, FIRST, FIRST), tuned, base))
              .options(options)
              .truncation(TruncationPolicy.warnAbove(1))
              .build();
      int draws = 1000;
      double[] sampled = new double[VOCABULARY];
      double bound = 0;
      for (Completion c : sampler.sample(SampleRequest.of(PROMPT), draws)) {
        sampled[c.tokenIds().getFirst()] += 1.0 / draws;
        bound = c.truncation().distributionBound();
        double logProbability = Math.log(unfiltered[c.tokenIds().getFirst()]);
        double slack = c.truncation().logProbabilityBounds().getFirst();
        assertThat(logProbability)
            .isBetween(
                c.logProbabilities().getFirst() - slack - 1e-5,
                c.logProbabilities().getFirst() + 1e-5);
      }
      double distance = totalVariation(exact, sampled);
      assertThat(distance).isLessThanOrEqualTo(bound + 2 * noiseFloor(exact, draws) + 1e-9);
      closest = Math.min(closest, bound - distance);
    }
    assertThat(closest).isLessThan(0.25);
  }

  @Test
  void withoutFiltersTheBoundIsThatOfTheKnapsack() {
    // p = 0.5, 0.3 and 0.2 for tokens 2 to 4 in any way of which none is above 0.3.
    float[] logits = {(float) Math.log(0.5), (float) Math.log(0.3), -3, -3, -3};
    logits[2] = logits[3] = logits[4] = (float) Math.log(0.2 / 3);
    FunctionModel model = FunctionModel.constant("large", logits);
    FunctionModel factor = FunctionModel.constant("factor", 0, 0, 1, 2, 0);
    EftSampler sampler =
        EftSampler.builder(
                LogitCombiner.of(new ListingModel(model, 2, 2)).plus(LogitCombiner.of(factor)))
            .options(options().maxNewTokens(3).build())
            .build();

    TruncationReport report = sampler.sample(PROMPT).truncation();

    double u = 0.2 * Math.exp(2);
    assertThat(report.distributionBounds())
        .hasSize(3)
        .allSatisfy(b -> assertThat(b).isEqualTo(u / (0.8 + u), within(1e-4)));
    assertThat(report.distributionBound()).isEqualTo(1);
    assertThat(report.logProbabilityBounds().getFirst())
        .isEqualTo(Math.log((0.8 + u) / 0.8), within(1e-4));
    assertThat(report.askedAgain()).isZero();
  }

  @Test
  void whereLongerListsAreToBeHadNothingIsLeftOpen() {
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.upScale(listing, tuned, base))
            .options(options().maxNewTokens(50).build())
            .truncation(TruncationPolicy.failAbove(0))
            .build();

    TruncationReport report = sampler.sample(PROMPT).truncation();

    assertThat(report.distributionBounds()).hasSize(50).containsOnly(0.0);
    assertThat(report.askedAgain()).isBetween(1, 49);
  }

  @Test
  void wholeModelsReportNothing() {
    Completion completion =
        EftSampler.builder(LogitCombiner.of(large))
            .options(options().build())
            .build()
            .sample(PROMPT);

    assertThat(completion.truncation()).isEqualTo(TruncationReport.NONE);
  }

  @Test
  void aPolicyMayRefuseABoundAndKeepsTheTokensBefore() {
    List<float[]> rows =
        List.of(new float[] {20, 0, 0, 0}, new float[] {20, 0, 0, 0}, new float[] {1, 1, 1, 1});
    FunctionModel model =
        new FunctionModel("m", 4, 100, null, read -> rows.get(Math.min(2, read.size() - 1)));
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(new ListingModel(model, 2, 2)))
            .options(options().maxNewTokens(5).build())
            .truncation(TruncationPolicy.failAbove(0.1))
            .build();

    CompletionFailedException failure =
        catchThrowableOfType(CompletionFailedException.class, () -> sampler.sample(PROMPT));

    assertThat(failure)
        .hasMessage(
            "new token 2: the 2 likeliest tokens, the most that model listing m tells, leave a"
                + " total variation of 0.500 open, above the limit of 0.1");
    Completion partial = failure.completions().getFirst();
    assertThat(partial.tokenIds()).containsExactly(0, 0);
    assertThat(partial.finishReason()).isEqualTo(FinishReason.FAILED);
  }

  @Test
  void aForcedTokenIsScoredFromAListThatHasIt() {
    int rare = indexOfMin(next(LogitCombiner.of(large), SamplingOptions.DEFAULT, 1));
    SamplingOptions options = options().forcedIds(rare).build();

    Completion completion =
        EftSampler.builder(LogitCombiner.of(listing)).options(options).build().sample(PROMPT);
    Completion expected =
        EftSampler.builder(LogitCombiner.of(large)).options(options).build().sample(PROMPT);
    Completion unknown =
        EftSampler.builder(LogitCombiner.of(limited)).options(options).build().sample(PROMPT);

    assertThat(completion.tokenIds().getFirst()).isEqualTo(rare);
    assertThat(completion.logProbabilities().getFirst())
        .isEqualTo(expected.logProbabilities().getFirst(), within(1e-5));
    assertThat(unknown.tokenIds().getFirst()).isEqualTo(rare);
    assertThat(unknown.truncation().logProbabilityBounds().getFirst()).isInfinite();
  }

  private static int indexOfMin(double[] values) {
    int least = 0;
    for (int i = 1; i < values.length; i++) {
      least = values[i] < values[least] ? i : least;
    }
    return least;
  }

  @Test
  void whatCannotBeBoundedNeedsAWholeModel() {
    LogitCombiner l = LogitCombiner.of(limited);
    LogitCombiner t = LogitCombiner.of(tuned);
    String onlyPositive =
        "model listing large tells the probabilities of at most 3 tokens, of 12: that is enough"
            + " only for a model with a positive weight or the large one of conservative, and only"
            + " for one such model";
    for (LogitCombiner combiner :
        List.of(
            t.minus(l),
            LogitCombiner.union(l, t),
            LogitCombiner.contrast(limited, tuned, 0.1),
            LogitCombiner.conservative(large, limited, base, 0.5),
            l.plus(LogitCombiner.of(new ListingModel(base, 2, 2))))) {
      assertThatThrownBy(() -> EftSampler.builder(combiner).build())
          .as(combiner.toString())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("that is enough only for a model with a positive weight");
    }
    assertThatThrownBy(() -> EftSampler.builder(t.minus(l)).build()).hasMessage(onlyPositive);
    assertThatThrownBy(
            () -> EftSampler.builder(l).options(options().repetitionPenalty(1.1).build()).build())
        .hasMessageEndingWith(" of 12: repetitionPenalty needs them all");
    assertThatThrownBy(
            () ->
                EftSampler.builder(l)
                    .speculation(
                        Speculation.draftWith(tuned).withRule(Speculation.AcceptanceRule.RATIO))
                    .build())
        .hasMessageEndingWith(" of 12: the acceptance rule RATIO needs them all");
    assertThatThrownBy(() -> EftScorer.of(l))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith(" of 12: scoring needs them all");
  }

  @Test
  void aModelThatCanIsAskedForAllWhereThatIsNeeded() {
    LogitCombiner listed = LogitCombiner.of(tuned).minus(LogitCombiner.of(listing).times(0.5));
    LogitCombiner whole = LogitCombiner.of(tuned).minus(LogitCombiner.of(large).times(0.5));
    SamplingOptions options = options().maxNewTokens(50).repetitionPenalty(1.2).build();

    assertThat(ids(listed, options)).isEqualTo(ids(whole, options));
    assertThat(
            EftScorer.of(listed)
                .score(List.of(new EftScorer.Continuation(PROMPT, List.of(3, 4))))
                .getFirst()
                .logProbability())
        .isEqualTo(
            EftScorer.of(whole)
                .score(List.of(new EftScorer.Continuation(PROMPT, List.of(3, 4))))
                .getFirst()
                .logProbability(),
            within(1e-5));
    assertThat(listing.questions).hasValue(0);
  }

  @Test
  void weightsOfARequestAreCheckedToo() {
    Weight weight = Weight.named("w", 1);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(limited).times(weight).plus(LogitCombiner.of(tuned)))
            .build();

    assertThatThrownBy(
            () -> sampler.sample(SampleRequest.of(PROMPT).withWeights(Map.of("w", -1.0))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("positive weight");
  }

  /** Waits until nobody wants the answer. */
  private static final class WaitingModel extends ListingModel {
    final AtomicInteger rowsBefore;

    WaitingModel(LanguageModel model, int rowsBefore) {
      super(model, FIRST, VOCABULARY);
      this.rowsBefore = new AtomicInteger(rowsBefore);
    }

    @Override
    public List<LikeliestTokens> forward(ForwardBatch batch, int count, BooleanSupplier abandoned) {
      if (rowsBefore.getAndDecrement() > 0) {
        return super.forward(batch, count, abandoned);
      }
      while (!abandoned.getAsBoolean()) {
        Thread.onSpinWait();
      }
      throw new CancellationException();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3})
  void aPassEndsWhenNobodyWantsItAnyMore(int tokens) {
    WaitingModel model = new WaitingModel(large, tokens);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(model).plus(LogitCombiner.of(tuned)))
            .options(options().maxNewTokens(10).build())
            .build();
    AtomicInteger asked = new AtomicInteger();

    Completion late = sampler.sample(SampleRequest.of(PROMPT).withDeadline(Duration.ofMillis(20)));
    model.rowsBefore.set(tokens);
    Completion cancelled =
        sampler.sample(SampleRequest.of(PROMPT).cancelledWhen(() -> asked.incrementAndGet() > 100));

    assertThat(late.finishReason()).isEqualTo(FinishReason.DEADLINE);
    assertThat(late.tokenIds().size()).isLessThanOrEqualTo(tokens);
    assertThat(cancelled.finishReason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(cancelled.tokenIds()).hasSize(tokens);
    assertThat(large.openCaches).hasValue(0);
    assertThat(tuned.openCaches).hasValue(0);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.2, 0.7, 0.95, 1, 1.3, 3})
  void theGreatestSumIsFoundAndNotExceeded(double alpha) {
    Random random = new Random(5);
    for (int round = 0; round < 60; round++) {
      int size = 1 + random.nextInt(4);
      double[] logs = new double[size];
      Arrays.setAll(logs, i -> -3 * random.nextDouble());
      Arrays.sort(logs);
      double budget = 1 + 2 * random.nextDouble();

      double found = TruncatedDraw.greatestSum(logs, size, size, budget, alpha);

      double best = 0;
      for (double[] shares : grid(size, 24)) {
        if (Arrays.stream(shares).sum() <= budget + 1e-12) {
          double sum = 0;
          for (int i = 0; i < size; i++) {
            sum += Math.exp(logs[i]) * Math.pow(shares[i], alpha);
          }
          best = Math.max(best, sum);
        }
      }
      assertThat(found).isBetween(best - 1e-9, best * 1.15);
    }
  }

  private static List<double[]> grid(int size, int steps) {
    List<double[]> points = List.of(new double[0]);
    for (int i = 0; i < size; i++) {
      List<double[]> longer = new ArrayList<>();
      int parts = size > 3 ? steps / 2 : steps;
      for (double[] point : points) {
        for (int k = 0; k <= parts; k++) {
          double[] next = Arrays.copyOf(point, i + 1);
          next[i] = (double) k / parts;
          longer.add(next);
        }
      }
      points = longer;
    }
    return points;
  }

  @Test
  void listsAreChecked() {
    assertThatThrownBy(() -> LikeliestTokens.of(new int[] {1, 1}, new float[] {-1, -2}, 4))
        .hasMessage("token id 1 is listed twice");
    assertThatThrownBy(() -> LikeliestTokens.of(new int[] {4}, new float[] {-1}, 4))
        .hasMessage("token id 4 is outside the vocabulary of 4 ids");
    assertThatThrownBy(() -> LikeliestTokens.of(new int[] {0}, new float[] {Float.NaN}, 4))
        .hasMessage("the log-probability of token id 0 is not a number");
    assertThatThrownBy(() -> LikeliestTokens.of(new int[] {0, 1}, new float[] {-0.5f, -0.5f}, 4))
        .hasMessageStartingWith("the probabilities of 2 tokens sum up to 1.2");
    LikeliestTokens list = LikeliestTokens.of(new int[] {3, 0, 2}, new float[] {-2, -1, -2}, 4);
    assertThat(List.of(list.id(0), list.id(1), list.id(2))).containsExactly(0, 2, 3);
    assertThat(list.logProbability(1)).isEqualTo(-2);
    assertThat(list.isWhole()).isFalse();
  }
}
