package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adaptive block lengths, with models whose passes take a time that is made up. */
class AdaptiveSpeculationTest {
  private static final int VOCABULARY = 8;
  private static final double LARGE_PASS = 1e6;

  private final AtomicLong clock = new AtomicLong();

  /** A model whose passes take their time on the test's clock. */
  private final class TimedModel implements LanguageModel {
    private final FunctionModel model;
    private final double pass;
    private final double row;
    private final Set<Integer> met = new HashSet<>();

    /** How many times longer the first pass with 1, 2, 3 to 4, 5 to 8, and more rows takes. */
    private double compilation = 1;

    /**
     * @param pass what a pass of one row takes, in nanoseconds
     * @param row what each row more takes, as a share of that
     */
    TimedModel(FunctionModel model, double pass, double row) {
      this.model = model;
      this.pass = pass;
      this.row = row;
    }

    @Override
    public String name() {
      return model.name();
    }

    @Override
    public int vocabularySize() {
      return model.vocabularySize();
    }

    @Override
    public int contextLength() {
      return model.contextLength();
    }

    @Override
    public Set<Integer> endOfTextIds() {
      return model.endOfTextIds();
    }

    @Override
    public Optional<Tokenizer> tokenizer() {
      return model.tokenizer();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
      return model.chatTemplate();
    }

    @Override
    public KeyValueCache newCache() {
      return model.newCache();
    }

    @Override
    public void forward(ForwardBatch batch, INDArray logits) {
      double time = pass * (1 + row * (batch.rows() - 1));
      int kernel = Math.min(Integer.SIZE - Integer.numberOfLeadingZeros(batch.rows() - 1), 4);
      clock.addAndGet(Math.round(met.add(kernel) ? compilation * time : time));
      model.forward(batch, logits);
    }

    @Override
    public void close() {}
  }

  /** A model that writes a fixed text, but for some positions. */
  private static FunctionModel writer(String name, IntPredicate right) {
    return new FunctionModel(
        name,
        VOCABULARY,
        1 << 20,
        null,
        read -> {
          float[] row = new float[VOCABULARY];
          int at = read.size();
          row[(at * 5 + at / 7 + (right.test(at) ? 0 : 1)) % VOCABULARY] = 60;
          return row;
        });
  }

  /** True for a share of the positions, in no order. */
  private static IntPredicate share(double share) {
    return at -> Noise.uniform(17, at) < share;
  }

  private EftSampler sampler(LogitCombiner combiner, @Nullable Speculation speculation) {
    EftSampler.Builder builder = EftSampler.builder(combiner).greedy().clock(clock::get);
    return (speculation == null ? builder : builder.speculation(speculation)).build();
  }

  private static SampleRequest request(EftSampler sampler, int tokens) {
    return SampleRequest.of(Prompt.ids(0))
        .withOptions(sampler.options().toBuilder().maxNewTokens(tokens).build());
  }

  /** The time that requests take together. */
  private long time(EftSampler sampler, int requests, int tokens) {
    long start = clock.get();
    sampler.sampleAll(
        IntStream.range(0, requests).mapToObj(_ -> request(sampler, tokens)).toList());
    return clock.get() - start;
  }

  static Stream<Arguments> situations() {
    return Stream.of(0.0, 0.3, 0.6, 0.8, 0.95)
        .flatMap(
            acceptance ->
                Stream.of(0.02, 0.1, 0.3)
                    .flatMap(
                        draftCost ->
                            Stream.of(0.02, 0.2, 1.0)
                                .flatMap(
                                    rowCost ->
                                        Stream.of(1, 4)
                                            .map(
                                                together ->
                                                    Arguments.of(
                                                        acceptance,
                                                        draftCost,
                                                        rowCost,
                                                        together)))));
  }

  /**
   * In each situation the best block length is the one with the least time of all fixed ones, and
   * none at all. The adaptive one has to find out, which costs it some passes.
   */
  @ParameterizedTest(name = "acceptance {0}, draft {1}, row {2}, together {3}")
  @MethodSource("situations")
  void isNearlyAsFastAsTheBestBlockLength(
      double acceptance, double draftCost, double rowCost, int together) {
    for (boolean inside : new boolean[] {false, true}) {
      TimedModel large = new TimedModel(writer("large", _ -> true), LARGE_PASS, rowCost);
      TimedModel small =
          new TimedModel(writer("small", share(acceptance)), draftCost * LARGE_PASS, rowCost);
      LogitCombiner combiner = LogitCombiner.of(large);
      if (inside) {
        combiner = combiner.times(3).plus(LogitCombiner.of(small));
      }
      Speculation adaptive = Speculation.draftWith(small);
      long sequential = time(sampler(combiner, null), together, 300);
      long best = sequential;
      for (int block : new int[] {1, 2, 4, 8, 16}) {
        best =
            Math.min(best, time(sampler(combiner, adaptive.withBlockLength(block)), together, 300));
      }
      long found = time(sampler(combiner, adaptive), together, 300);

      assertThat((double) sequential / found).isGreaterThan(0.9);
      assertThat((double) best / found).isGreaterThan(0.8);
    }
  }

  @ParameterizedTest(name = "acceptance {0}, draft {1}, row {2}, together {3}")
  @MethodSource("situations")
  void passesThatAreCompiledFirstDoNotMislead(
      double acceptance, double draftCost, double rowCost, int together) {
    TimedModel large = new TimedModel(writer("large", _ -> true), LARGE_PASS, rowCost);
    TimedModel small =
        new TimedModel(writer("small", share(acceptance)), draftCost * LARGE_PASS, rowCost);
    LogitCombiner combiner = LogitCombiner.of(large);
    Speculation adaptive = Speculation.draftWith(small);
    long best = time(sampler(combiner, null), together, 300);
    for (int block : new int[] {1, 2, 4, 8, 16}) {
      best =
          Math.min(best, time(sampler(combiner, adaptive.withBlockLength(block)), together, 300));
    }
    large.compilation = 10;
    small.compilation = 10;
    large.met.clear();
    small.met.clear();
    EftSampler sampler = sampler(combiner, adaptive);
    time(sampler, together, 100);

    assertThat((double) best / time(sampler, together, 300)).isGreaterThan(0.75);
  }

  @Test
  void whatOneRequestLearntServesTheNext() {
    TimedModel large = new TimedModel(writer("large", _ -> true), LARGE_PASS, 0.5);
    TimedModel bad = new TimedModel(writer("bad", share(0.1)), LARGE_PASS / 5, 0.5);
    TimedModel good = new TimedModel(writer("good", share(0.97)), LARGE_PASS / 50, 0.5);
    EftSampler inVain = sampler(LogitCombiner.of(large), Speculation.draftWith(bad));
    EftSampler well = sampler(LogitCombiner.of(large), Speculation.draftWith(good));

    assertThat(inVain.sample(request(inVain, 12)).speculation().drafted()).isPositive();
    time(inVain, 1, 300);
    time(well, 1, 300);

    assertThat(inVain.sample(request(inVain, 12)).speculation().drafted()).isLessThanOrEqualTo(1);
    EftSampler fresh = sampler(LogitCombiner.of(large), Speculation.draftWith(good));
    assertThat(time(well, 1, 12)).isLessThan(time(fresh, 1, 12));
  }

  @Test
  void aDrafterThatWasGivenUpIsUsedAgainWhenItIsGood() {
    int change = 400;
    TimedModel large = new TimedModel(writer("large", _ -> true), LARGE_PASS, 0.1);
    TimedModel late = new TimedModel(writer("late", at -> at > change), LARGE_PASS / 10, 0.1);
    EftSampler sampler = sampler(LogitCombiner.of(large), Speculation.draftWith(late));

    SpeculationStatistics before = sampler.sample(request(sampler, change)).speculation();
    SpeculationStatistics all = sampler.sample(request(sampler, 2 * change)).speculation();

    assertThat(before.accepted()).isZero();
    assertThat(before.drafted()).isBetween(change / 40, change / 8);
    assertThat(all.accepted()).isGreaterThan(change * 7 / 10);
  }

  @Test
  void aShortRequestAfterAnotherFindsOutToo() {
    boolean[] good = {false};
    TimedModel large = new TimedModel(writer("large", _ -> true), LARGE_PASS, 0.1);
    TimedModel small = new TimedModel(writer("small", _ -> good[0]), LARGE_PASS / 10, 0.1);
    EftSampler sampler = sampler(LogitCombiner.of(large), Speculation.draftWith(small));
    time(sampler, 1, 300);
    good[0] = true;
    int accepted = 0;
    for (int i = 0; i < 20; i++) {
      accepted = sampler.sample(request(sampler, 16)).speculation().accepted();
    }

    assertThat(accepted).isGreaterThan(8);
  }

  @Test
  void costsThatWereNotMeasuredLatelyAreForgotten() {
    PassCosts costs = new PassCosts();
    costs.measured(1, 1000);
    costs.measured(1, 1000);
    costs.measured(5, 100_000);
    assertThat(costs.estimate(5)).isEqualTo(1400);
    costs.measured(5, 100_000);
    assertThat(costs.estimate(5)).isEqualTo(100_000);
    for (int i = 0; i < 600; i++) {
      costs.measured(1, 1000);
    }
    assertThat(costs.estimate(1)).isEqualTo(1000);
    assertThat(costs.estimate(5)).isEqualTo(1400);
  }

  @Test
  void costsAreMeansThatFollowTheClock() {
    PassCosts costs = new PassCosts();
    costs.measured(4, 100_000);
    costs.measured(4, 1000);
    assertThat(costs.estimate(4)).isEqualTo(1000);
    costs.measured(4, 1500);
    assertThat(costs.estimate(4)).isEqualTo(1000 + 500 * (0.2 + 0.8 / 2), within(1e-9));
    for (int i = 0; i < 100; i++) {
      costs.measured(4, 500);
    }
    assertThat(costs.estimate(4)).isEqualTo(500, within(1e-6));
    costs.measured(4, 100_000);
    assertThat(costs.estimate(4)).isEqualTo(500 * (1 + 0.2 + 0.8 / 10), within(1e-6));
  }

  @Test
  void aNumberOfRowsThatWasNotMeasuredIsTakenToBeCheap() {
    PassCosts costs = new PassCosts();
    costs.measured(4, 800);
    costs.measured(4, 800);
    costs.measured(8, 1300);
    assertThat(List.of(costs.estimate(2), costs.estimate(6), costs.estimate(16)))
        .containsExactly(400.0, 950.0, 2300.0);
    costs.measured(10, 1300);
    assertThat(costs.estimate(16)).isEqualTo(1300 + 6 * 500 / 6.0);
    costs.measured(20, 500);
    assertThat(costs.estimate(4)).isEqualTo(500);
  }

  @Test
  void aMachineThatBecomesSlowerMakesNoOtherNumberOfRowsSeemBetter() {
    PassCosts costs = new PassCosts();
    for (int rows : new int[] {1, 2, 4}) {
      costs.measured(rows, 1000);
      costs.measured(rows, 1000);
    }
    for (int i = 0; i < 60; i++) {
      costs.measured(4, 1500);
    }

    assertThat(costs.estimate(4)).isEqualTo(1500, within(1.0));
    assertThat(costs.estimate(2)).isBetween(1200.0, 1500.0);
  }
}
