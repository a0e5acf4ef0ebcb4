package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.Speculation.AcceptanceRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class SpeculationTest {
  private static final int VOCABULARY = 12;

  private static final FunctionModel TUNED = FunctionModel.random("tuned", VOCABULARY, 1, 1.5);
  private static final FunctionModel OTHER = FunctionModel.random("other", VOCABULARY, 2, 1.5);
  private static final FunctionModel BASE = FunctionModel.mixed("base", TUNED, OTHER, 0.3);
  private static final FunctionModel LARGE =
      FunctionModel.mixed("large", BASE, FunctionModel.random("far", VOCABULARY, 3, 2), 0.4);
  private static final FunctionModel OUTSIDER = FunctionModel.mixed("outsider", TUNED, LARGE, 0.5);

  static Stream<LogitCombiner> combiners() {
    return Stream.of(
        LogitCombiner.of(LARGE),
        LogitCombiner.upScale(LARGE, TUNED, BASE),
        LogitCombiner.upScale(LARGE, TUNED, BASE, 1.7),
        LogitCombiner.interpolate(LARGE, TUNED, OTHER, BASE, 0.3),
        LogitCombiner.conservative(LARGE, TUNED, BASE, 0.7),
        LogitCombiner.union(LogitCombiner.of(LARGE), LogitCombiner.of(TUNED)),
        LogitCombiner.contrast(LARGE, TUNED, 1e-4));
  }

  static Stream<SamplingOptions> options() {
    return Stream.of(
        SamplingOptions.builder().greedy().build(),
        SamplingOptions.builder().build(),
        SamplingOptions.builder().temperature(0.7).topP(0.9).build(),
        SamplingOptions.builder().topK(4).minP(0.05).repetitionPenalty(1.2).build(),
        SamplingOptions.builder()
            .frequencyPenalty(0.4)
            .presencePenalty(0.3)
            .logitBias(3, 1)
            .build(),
        SamplingOptions.builder()
            .forcedIds(5, 6, 7)
            .forbiddenIds(1, 2)
            .topLogProbabilities(3)
            .build());
  }

  @Provide
  Arbitrary<LogitCombiner> combiner() {
    return Arbitraries.of(combiners().toList());
  }

  @Provide
  Arbitrary<SamplingOptions> option() {
    return Arbitraries.of(options().toList());
  }

  @Provide
  Arbitrary<FunctionModel> drafter() {
    return Arbitraries.of(TUNED, LARGE, OUTSIDER);
  }

  @Property(tries = 300)
  void coupledSpeculationAndBatchingChangeNothing(
      @ForAll("combiner") LogitCombiner combiner,
      @ForAll("option") SamplingOptions options,
      @ForAll("drafter") FunctionModel drafter,
      @ForAll @IntRange(max = 16) int blockLength,
      @ForAll @IntRange(min = 1, max = 8) int batchSize,
      @ForAll @LongRange(min = 0) long seed) {
    List<SampleRequest> requests = new ArrayList<>();
    for (int i = 0; i < batchSize + 2; i++) {
      SamplingOptions own = options.toBuilder().seed(seed + i).maxNewTokens(5 + 3 * i).build();
      requests.add(SampleRequest.of(Prompt.ids(i % VOCABULARY, 4)).withOptions(own));
    }
    EftSampler alone = EftSampler.builder(combiner).build();
    List<Completion> expected = requests.stream().map(alone::sample).toList();
    Speculation speculation = Speculation.draftWith(drafter);
    EftSampler speculating =
        EftSampler.builder(combiner)
            .batchSize(batchSize)
            .speculation(blockLength == 0 ? speculation : speculation.withBlockLength(blockLength))
            .build();

    List<Completion> found = speculating.sampleAll(requests);

    for (int i = 0; i < expected.size(); i++) {
      assertThat(found.get(i).tokenIds()).isEqualTo(expected.get(i).tokenIds());
      assertThat(found.get(i).logProbabilities()).isEqualTo(expected.get(i).logProbabilities());
      assertThat(found.get(i).topLogProbabilities())
          .isEqualTo(expected.get(i).topLogProbabilities());
      assertThat(found.get(i).finishReason()).isEqualTo(expected.get(i).finishReason());
    }
    assertThat(Stream.of(TUNED, OTHER, BASE, LARGE, OUTSIDER).mapToInt(m -> m.openCaches.get()))
        .containsOnly(0);
  }

  private static final int DRAWS = 200_000;

  /** The probabilities of the first two tokens together, of a combination of the random models. */
  private static double[] exactPairs(LogitCombiner combiner) {
    EftSampler sampler = EftSampler.builder(combiner).maxNewTokens(2).build();
    double[] pairs = new double[VOCABULARY * VOCABULARY];
    for (int a = 0; a < VOCABULARY; a++) {
      SamplingOptions options =
          SamplingOptions.builder()
              .forcedIds(a)
              .maxNewTokens(2)
              .topLogProbabilities(VOCABULARY)
              .build();
      Completion completion = sampler.sample(SampleRequest.of(Prompt.ids(0)).withOptions(options));
      for (TokenProbability second : completion.topLogProbabilities().get(1)) {
        pairs[a * VOCABULARY + second.id()] =
            Math.exp(completion.logProbabilities().getFirst() + second.logProbability());
      }
    }
    return pairs;
  }

  private static double totalVariation(double[] exact, List<Completion> completions) {
    double[] counts = new double[exact.length];
    completions.forEach(c -> counts[c.tokenIds().get(0) * VOCABULARY + c.tokenIds().get(1)]++);
    return IntStream.range(0, exact.length)
            .mapToDouble(i -> Math.abs(exact[i] - counts[i] / completions.size()))
            .sum()
        / 2;
  }

  /**
   * What the total variation from the exact distribution is expected to be for right samples (each
   * cell is off by its standard deviation times √(2/π)), half as much again.
   */
  private static double noiseFloor(double[] exact) {
    return 1.5
        * IntStream.range(0, exact.length)
            .mapToDouble(i -> Math.sqrt(2 / Math.PI * exact[i] * (1 - exact[i]) / DRAWS))
            .sum()
        / 2;
  }

  private static List<Completion> draws(LogitCombiner combiner, Speculation speculation) {
    EftSampler sampler =
        EftSampler.builder(combiner).maxNewTokens(3).speculation(speculation).batchSize(64).build();
    return sampler.sampleAll(
        IntStream.range(0, DRAWS)
            .mapToObj(
                i ->
                    SampleRequest.of(Prompt.ids(0))
                        .withOptions(sampler.options().toBuilder().seed(i).build()))
            .toList());
  }

  static Stream<LogitCombiner> twoThreeAndFourModels() {
    return Stream.of(
        LogitCombiner.of(LARGE).times(2).minus(LogitCombiner.of(TUNED)),
        LogitCombiner.upScale(LARGE, TUNED, BASE),
        LogitCombiner.interpolate(LARGE, TUNED, OTHER, BASE, 0.5));
  }

  @ParameterizedTest
  @MethodSource("twoThreeAndFourModels")
  void theRatioRuleIsExactInDistribution(LogitCombiner combiner) {
    double[] exact = exactPairs(combiner);
    Speculation speculation =
        Speculation.draftWith(TUNED).withRule(AcceptanceRule.RATIO).withBlockLength(2);

    assertThat(totalVariation(exact, draws(combiner, speculation))).isLessThan(noiseFloor(exact));
  }

  @Test
  void theCoupledRuleIsExactInDistribution() {
    LogitCombiner combiner = LogitCombiner.upScale(LARGE, TUNED, BASE);
    double[] exact = exactPairs(combiner);
    Speculation speculation = Speculation.draftWith(TUNED).withBlockLength(2);

    assertThat(totalVariation(exact, draws(combiner, speculation))).isLessThan(noiseFloor(exact));
  }

  /** A common mistake: after a refusal a token is drawn from p, not from what p has above q. */
  @Test
  void theDistributionTestWouldFindABiasedAcceptance() {
    LogitCombiner combiner = LogitCombiner.upScale(LARGE, TUNED, BASE);
    double[] exact = exactPairs(combiner);
    double[] draft = exactPairs(LogitCombiner.of(TUNED));
    double[] biased = new double[exact.length];
    for (int a = 0; a < VOCABULARY; a++) {
      int row = a * VOCABULARY;
      double p = IntStream.range(row, row + VOCABULARY).mapToDouble(i -> exact[i]).sum();
      double q = IntStream.range(row, row + VOCABULARY).mapToDouble(i -> draft[i]).sum();
      double accepted =
          IntStream.range(row, row + VOCABULARY)
              .mapToDouble(i -> Math.min(exact[i] / p, draft[i] / q))
              .sum();
      for (int i = row; i < row + VOCABULARY; i++) {
        biased[i] = p * (Math.min(exact[i] / p, draft[i] / q) + (1 - accepted) * exact[i] / p);
      }
    }

    double off =
        IntStream.range(0, exact.length).mapToDouble(i -> Math.abs(exact[i] - biased[i])).sum() / 2;
    assertThat(off).isGreaterThan(2 * noiseFloor(exact));
  }

  @ParameterizedTest
  @EnumSource
  void acceptanceIsWhatTheRulePromises(AcceptanceRule rule) {
    LogitCombiner combiner = LogitCombiner.upScale(LARGE, TUNED, BASE);
    // The first drafted token follows a fixed first one, so that one pair of distributions counts.
    int first = 5;
    SamplingOptions options = SamplingOptions.builder().forcedIds(first).maxNewTokens(3).build();
    double variation = totalVariationAfter(first, combiner);
    EftSampler sampler =
        EftSampler.builder(combiner)
            .options(options)
            .speculation(Speculation.draftWith(TUNED).withRule(rule).withBlockLength(1))
            .build();
    int checked = 0;
    int accepted = 0;
    for (int i = 0; i < 20_000; i++) {
      SamplingOptions seeded = options.toBuilder().seed(i).build();
      SpeculationStatistics statistics =
          sampler.sample(SampleRequest.of(Prompt.ids(0)).withOptions(seeded)).speculation();
      checked += statistics.checked();
      accepted += statistics.accepted();
    }

    double acceptance = (double) accepted / checked;
    double noise = 4 * Math.sqrt(0.25 / checked);
    assertThat(variation).isBetween(0.1, 0.9);
    if (rule == AcceptanceRule.RATIO) {
      assertThat(acceptance).isCloseTo(1 - variation, within(noise));
    } else {
      assertThat(acceptance)
          .isGreaterThan((1 - variation) / (1 + variation) - noise)
          .isLessThan(1 - variation + noise);
    }
  }

  private static double totalVariationAfter(int first, LogitCombiner combiner) {
    double[] p = secondToken(first, combiner);
    double[] q = secondToken(first, LogitCombiner.of(TUNED));
    return IntStream.range(0, VOCABULARY).mapToDouble(i -> Math.abs(p[i] - q[i])).sum() / 2;
  }

  private static double[] secondToken(int first, LogitCombiner combiner) {
    SamplingOptions options =
        SamplingOptions.builder()
            .forcedIds(first)
            .maxNewTokens(2)
            .topLogProbabilities(VOCABULARY)
            .build();
    double[] p = new double[VOCABULARY];
    EftSampler.builder(combiner)
        .options(options)
        .build()
        .sample(Prompt.ids(0))
        .topLogProbabilities()
        .get(1)
        .forEach(t -> p[t.id()] = Math.exp(t.logProbability()));
    return p;
  }

  @Test
  void aPerfectDrafterIsAcceptedWholeAndTheBonusTokenIsTaken() {
    EftSampler sampler =
        EftSampler.builder(
                LogitCombiner.of(TUNED)
                    .plus(LogitCombiner.of(LARGE))
                    .minus(LogitCombiner.of(LARGE)))
            .speculation(
                Speculation.draftWith(FunctionModel.random("twin", VOCABULARY, 1, 1.5))
                    .withBlockLength(4))
            .maxNewTokens(21)
            .seed(3)
            .build();
    int before = TUNED.passes.get();
    Completion completion = sampler.sample(Prompt.ids(0));

    assertThat(completion.speculation()).isEqualTo(new SpeculationStatistics(16, 16, 16, 4));
    assertThat(TUNED.passes.get() - before).isEqualTo(5); // the prompt, then 4 blocks of 4 + 1
  }

  @ParameterizedTest
  @CsvSource({"0.95, 2", "0.4, 1"})
  void costsAndAcceptanceDecideTheBlockLength(double share, int least) {
    // A drafter that is close to the target is used; how much, depends on the clock. That it does
    // no harm to the text is tested above; here only that it drafts at all.
    FunctionModel near = FunctionModel.mixed("near", TUNED, LARGE, share);
    Completion completion =
        EftSampler.builder(LogitCombiner.of(LARGE))
            .speculation(Speculation.draftWith(near))
            .greedy()
            .maxNewTokens(60)
            .build()
            .sample(Prompt.ids(0));

    assertThat(completion.speculation().drafted()).isGreaterThanOrEqualTo(least);
  }

  @Test
  void severalCompletionsShareThePrompt() {
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.upScale(LARGE, TUNED, BASE))
            .seed(9)
            .maxNewTokens(12)
            .build();
    int before = LARGE.passes.get();
    List<Completion> completions = sampler.sample(SampleRequest.of(Prompt.ids(1, 2, 3)), 5);

    assertThat(LARGE.passes.get() - before).isEqualTo(12);
    assertThat(completions.stream().map(Completion::tokenIds).distinct()).hasSize(5);
    assertThat(completions.getFirst().tokenIds())
        .isEqualTo(sampler.sample(Prompt.ids(1, 2, 3)).tokenIds());
    for (Completion completion : completions) {
      SamplingOptions seeded = sampler.options().toBuilder().seed(completion.seed()).build();
      assertThat(
              sampler.sample(SampleRequest.of(Prompt.ids(1, 2, 3)).withOptions(seeded)).tokenIds())
          .isEqualTo(completion.tokenIds());
    }
    assertThat(LARGE.openCaches).hasValue(0);
  }

  @Test
  void completionsThatAreCancelledBeforeTheyBeginLeaveTheOthersAlone() {
    AtomicInteger asked = new AtomicInteger();
    EftSampler sampler = EftSampler.builder(LogitCombiner.of(LARGE)).maxNewTokens(1).build();
    List<Completion> completions =
        sampler.sample(
            SampleRequest.of(Prompt.ids(1)).cancelledWhen(() -> asked.getAndIncrement() == 1), 3);

    assertThat(completions)
        .extracting(Completion::finishReason)
        .containsExactly(
            FinishReason.MAX_NEW_TOKENS, FinishReason.CANCELLED, FinishReason.MAX_NEW_TOKENS);
    assertThat(LARGE.openCaches).hasValue(0);
  }

  @Test
  void weightsAreChosenPerRequest() {
    LogitCombiner named =
        LogitCombiner.interpolate(LARGE, TUNED, OTHER, BASE, Weight.named("lambda", 0.5));
    EftSampler sampler = EftSampler.builder(named).seed(1).maxNewTokens(10).build();
    List<Completion> found =
        sampler.sampleAll(
            Stream.of(0.0, 0.25, 1.0)
                .map(l -> SampleRequest.of(Prompt.ids(0)).withWeights(Map.of("lambda", l)))
                .toList());

    for (int i = 0; i < 3; i++) {
      double lambda = List.of(0.0, 0.25, 1.0).get(i);
      Completion expected =
          EftSampler.builder(LogitCombiner.interpolate(LARGE, TUNED, OTHER, BASE, lambda))
              .seed(1)
              .maxNewTokens(10)
              .build()
              .sample(Prompt.ids(0));
      assertThat(found.get(i).tokenIds()).isEqualTo(expected.tokenIds());
      for (int t = 0; t < 10; t++) {
        assertThat(found.get(i).logProbabilities().get(t))
            .isCloseTo(expected.logProbabilities().get(t), within(1e-12));
      }
    }
    assertThatThrownBy(
            () -> sampler.sample(SampleRequest.of(Prompt.ids(0)).withWeights(Map.of("lamda", 0.1))))
        .hasMessageContaining("weight lamda is not in")
        .hasMessageContaining("[lambda]");
  }

  @Test
  void refusesBlocksOutOfRange() {
    assertThatThrownBy(() -> Speculation.draftWith(TUNED).withBlockLength(0))
        .hasMessage("blockLength is 0, expected between 1 and 64");
  }
}
