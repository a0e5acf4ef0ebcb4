package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.EftScorer.Continuation;
import io.github.eft4j.Speculation.AcceptanceRule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CompletionTraceTest {
  /** The rounding of sums of a few doubles. */
  private static final double ROUNDING = 1e-12;

  private static final int VOCABULARY = 12;

  private static final FunctionModel TUNED = FunctionModel.random("tuned", VOCABULARY, 1, 1.5);
  private static final FunctionModel OTHER = FunctionModel.random("other", VOCABULARY, 2, 1.5);
  private static final FunctionModel BASE = FunctionModel.mixed("base", TUNED, OTHER, 0.3);
  private static final FunctionModel LARGE =
      FunctionModel.mixed("large", BASE, FunctionModel.random("far", VOCABULARY, 3, 2), 0.4);
  private static final FunctionModel OUTSIDER = FunctionModel.mixed("outsider", TUNED, LARGE, 0.5);

  private static CompletionTrace trace(EftSampler sampler, SampleRequest request) {
    return sampler.sample(request).trace().orElseThrow();
  }

  private static FunctionModel table(String name, double... probabilities) {
    float[] logits = new float[probabilities.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) Math.log(probabilities[i]);
    }
    return FunctionModel.constant(name, logits);
  }

  @Test
  void hasTheExactNumbersOfTables() {
    // Up-scaled: weights 0.5·0.5/0.25 = 1, 0.25·0.25/0.5 = 0.125, 0.25·0.25/0.25 = 0.25.
    EftSampler sampler =
        EftSampler.builder(
                LogitCombiner.upScale(
                    table("large", 0.5, 0.25, 0.25),
                    table("tuned", 0.5, 0.25, 0.25),
                    table("base", 0.25, 0.5, 0.25)))
            .options(SamplingOptions.builder().greedy().maxNewTokens(2).trace(2).build())
            .build();

    CompletionTrace trace = trace(sampler, SampleRequest.of(Prompt.ids(0)));

    double z = 1.375;
    assertThat(trace.models()).containsExactly("large", "tuned", "base");
    assertThat(trace.drafter()).isEmpty();
    assertThat(trace.tokens()).hasSize(2);
    for (TokenTrace token : trace.tokens()) {
      assertThat(token.token().id()).isZero();
      assertThat(token.token().text()).isEmpty();
      assertThat(token.token().logProbability()).isCloseTo(Math.log(1 / z), within(1e-7));
      assertClose(token.token().modelLogProbabilities(), Math.log(.5), Math.log(.5), Math.log(.25));
      assertThat(token.token().shift(1)).isCloseTo(Math.log(2 / z), within(1e-7));
      assertThat(token.token().shift(2)).isCloseTo(Math.log(4 / z), within(1e-7));
      double fromTuned = (1 / z - .5 + .25 - .125 / z + .25 - .25 / z) / 2;
      double fromBase = (1 / z - .25 + .5 - .125 / z + .25 - .25 / z) / 2;
      assertClose(token.totalVariations(), fromTuned, fromTuned, fromBase);
      assertThat(token.candidates()).extracting(TracedToken::id).containsExactly(0, 2);
      assertThat(token.candidates().getFirst()).isEqualTo(token.token());
      assertThat(token.candidates().get(1).shift(1)).isCloseTo(Math.log(1 / z), within(1e-7));
      assertThat(token.drafted()).isEmpty();
      assertThat(token.accepted()).isFalse();
    }
  }

  private static void assertClose(List<Double> found, double... expected) {
    assertThat(found).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found.get(i)).isCloseTo(expected[i], within(1e-7));
    }
  }

  @Test
  void thereIsNoneUnlessAskedFor() {
    EftSampler sampler = EftSampler.builder(LogitCombiner.of(LARGE)).maxNewTokens(3).build();
    assertThat(sampler.sample(Prompt.ids(0)).trace()).isEmpty();
    SamplingOptions traced = sampler.options().toBuilder().trace(0).build();
    TokenTrace first =
        trace(sampler, SampleRequest.of(Prompt.ids(0)).withOptions(traced)).tokens().getFirst();
    assertThat(first.candidates()).isEmpty();
    assertThat(first.totalVariations()).containsExactly(0.0);
    assertThat(first.token().shift(0)).isZero();
  }

  @Test
  void refusesAsManyCandidatesAsThereAreNot() {
    assertThatThrownBy(() -> SamplingOptions.builder().trace(-1).build())
        .hasMessage("traceCandidates is -1, expected at least 0");
    SamplingOptions options = SamplingOptions.builder().trace(VOCABULARY + 1).build();
    assertThatThrownBy(() -> EftSampler.builder(LogitCombiner.of(LARGE)).options(options).build())
        .hasMessage("traceCandidates is 13, but the vocabulary has 12 ids");
  }

  @Provide
  Arbitrary<LogitCombiner> combiner() {
    PromptFormat reversed =
        (prompt, model) -> {
          List<Integer> ids = ((Prompt.Ids) prompt).ids();
          return IntStream.range(0, ids.size()).map(i -> ids.get(ids.size() - 1 - i)).toArray();
        };
    return Arbitraries.of(
        LogitCombiner.of(LARGE),
        LogitCombiner.upScale(LARGE, TUNED, BASE),
        LogitCombiner.upScale(LARGE, TUNED, BASE, 1.7),
        LogitCombiner.interpolate(LARGE, TUNED, OTHER, BASE, 0.3),
        LogitCombiner.conservative(LARGE, TUNED, BASE, 0.7),
        LogitCombiner.contrast(LARGE, TUNED, 1e-4),
        LogitCombiner.guided(TUNED, PromptFormat.plain(), reversed, 1.5),
        LogitCombiner.of(LARGE).plus(LogitCombiner.of(TUNED).prompted(reversed)));
  }

  @Provide
  Arbitrary<SamplingOptions> option() {
    return Arbitraries.of(
        SamplingOptions.builder().greedy().trace(3).build(),
        SamplingOptions.builder().trace(VOCABULARY).build(),
        SamplingOptions.builder()
            .temperature(0.7)
            .topP(0.9)
            .repetitionPenalty(1.2)
            .trace(1)
            .build(),
        SamplingOptions.builder().forcedIds(5, 6, 7).forbiddenIds(1, 2).trace(2).build());
  }

  @Provide
  Arbitrary<FunctionModel> drafter() {
    return Arbitraries.of(TUNED, LARGE, OUTSIDER);
  }

  private static List<SampleRequest> requests(SamplingOptions options, int count) {
    List<SampleRequest> requests = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      SamplingOptions own = options.toBuilder().seed(i).maxNewTokens(4 + 5 * i).build();
      requests.add(SampleRequest.of(Prompt.ids(i % VOCABULARY, 4)).withOptions(own));
    }
    return requests;
  }

  private static Speculation speculation(FunctionModel drafter, int blockLength) {
    Speculation speculation = Speculation.draftWith(drafter);
    return blockLength == 0 ? speculation : speculation.withBlockLength(blockLength);
  }

  @Property(tries = 150)
  void speculationAndBatchesChangeNoBitOfIt(
      @ForAll("combiner") LogitCombiner combiner,
      @ForAll("option") SamplingOptions options,
      @ForAll("drafter") FunctionModel drafter,
      @ForAll @IntRange(max = 8) int blockLength,
      @ForAll @IntRange(min = 1, max = 4) int batchSize) {
    List<SampleRequest> requests = requests(options, batchSize + 1);
    EftSampler alone = EftSampler.builder(combiner).build();
    EftSampler together =
        EftSampler.builder(combiner)
            .speculation(speculation(drafter, blockLength))
            .batchSize(batchSize)
            .build();

    List<Completion> completions = together.sampleAll(requests);

    int leaves = combiner.leaves().size();
    for (int i = 0; i < requests.size(); i++) {
      List<TokenTrace> expected = trace(alone, requests.get(i)).tokens();
      List<TokenTrace> found = completions.get(i).trace().orElseThrow().tokens();
      assertThat(found).hasSameSizeAs(expected);
      for (int t = 0; t < expected.size(); t++) {
        TokenTrace one = expected.get(t);
        TokenTrace other = found.get(t);
        assertThat(withoutDrafter(other.token(), leaves)).isEqualTo(one.token());
        assertThat(other.totalVariations().subList(0, leaves)).isEqualTo(one.totalVariations());
        assertThat(other.candidates().stream().map(c -> withoutDrafter(c, leaves)))
            .isEqualTo(one.candidates());
      }
    }
  }

  private static TracedToken withoutDrafter(TracedToken token, int leaves) {
    return new TracedToken(
        token.id(),
        token.text(),
        token.logProbability(),
        token.modelLogProbabilities().subList(0, leaves));
  }

  /** Against texts that are scored, which draws nothing and drafts nothing. */
  @Property(tries = 150)
  void everyModelSaysWhatItSaysOfTheTextWhenItIsScored(
      @ForAll("combiner") LogitCombiner combiner,
      @ForAll("option") SamplingOptions options,
      @ForAll("drafter") FunctionModel drafter,
      @ForAll AcceptanceRule rule,
      @ForAll @IntRange(max = 8) int blockLength) {
    List<SampleRequest> requests = requests(options, 3);
    EftSampler sampler =
        EftSampler.builder(combiner)
            .speculation(speculation(drafter, blockLength).withRule(rule))
            .build();

    List<Completion> completions = sampler.sampleAll(requests);

    for (int i = 0; i < requests.size(); i++) {
      Completion completion = completions.get(i);
      CompletionTrace trace = completion.trace().orElseThrow();
      Continuation text = new Continuation(requests.get(i).prompt(), completion.tokenIds());
      List<LogitCombiner.Leaf> readers =
          DecodingLoop.readers(combiner.leaves(), Speculation.draftWith(drafter));
      assertThat(trace.models()).isEqualTo(readers.stream().map(r -> r.model().name()).toList());
      assertThat(trace.models().get(trace.drafter().orElseThrow())).isEqualTo(drafter.name());
      for (int reader = 0; reader < readers.size(); reader++) {
        List<Double> scores =
            EftScorer.of(
                    LogitCombiner.of(readers.get(reader).model())
                        .prompted(readers.get(reader).format()))
                .score(List.of(text))
                .getFirst()
                .logProbabilities();
        for (int t = 0; t < scores.size(); t++) {
          assertThat(trace.tokens().get(t).token().modelLogProbabilities().get(reader))
              .isCloseTo(scores.get(t), within(ROUNDING));
        }
      }
      assertThat(trace.tokens())
          .extracting(t -> t.token().logProbability())
          .isEqualTo(completion.logProbabilities());
      assertThat(trace.tokens()).extracting(t -> t.token().id()).isEqualTo(completion.tokenIds());
    }
  }

  @Property(tries = 100)
  void draftsAndTotalVariationsAddUp(
      @ForAll("combiner") LogitCombiner combiner,
      @ForAll("drafter") FunctionModel drafter,
      @ForAll AcceptanceRule rule,
      @ForAll @IntRange(max = 8) int blockLength) {
    SamplingOptions options =
        SamplingOptions.builder().trace(VOCABULARY).seed(3).maxNewTokens(30).build();
    EftSampler sampler =
        EftSampler.builder(combiner)
            .options(options)
            .speculation(speculation(drafter, blockLength).withRule(rule))
            .build();

    Completion completion = sampler.sample(Prompt.ids(4));

    List<TokenTrace> tokens = completion.trace().orElseThrow().tokens();
    SpeculationStatistics statistics = completion.speculation();
    assertThat(tokens.stream().filter(t -> t.drafted().isPresent()).count())
        .isEqualTo(statistics.checked());
    assertThat(tokens.stream().filter(TokenTrace::accepted).count())
        .isEqualTo(statistics.accepted());
    for (TokenTrace token : tokens) {
      assertThat(token.candidates()).hasSize(VOCABULARY);
      for (int model = 0; model < token.totalVariations().size(); model++) {
        double sum = 0;
        for (TracedToken candidate : token.candidates()) {
          sum +=
              Math.abs(
                  Math.exp(candidate.logProbability())
                      - Math.exp(candidate.modelLogProbabilities().get(model)));
        }
        assertThat(token.totalVariations().get(model)).isCloseTo(sum / 2, within(ROUNDING));
      }
    }
  }

  @Test
  void aRefusedDraftIsShownBesideWhatTookItsPlace() {
    FunctionModel wrong = table("wrong", 0.1, 0.8, 0.1);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(table("right", 0.7, 0.2, 0.1)))
            .options(SamplingOptions.builder().greedy().maxNewTokens(4).trace(1).build())
            .speculation(Speculation.draftWith(wrong).withBlockLength(2))
            .build();

    CompletionTrace trace = trace(sampler, SampleRequest.of(Prompt.ids(0)));

    assertThat(trace.models()).containsExactly("right", "wrong");
    assertThat(trace.drafter()).hasValue(1);
    for (TokenTrace token : trace.tokens().subList(1, 3)) {
      TracedToken drafted = token.drafted().orElseThrow();
      assertThat(token.accepted()).isFalse();
      assertThat(token.token().id()).isZero();
      assertThat(drafted.id()).isEqualTo(1);
      assertThat(drafted.logProbability()).isCloseTo(Math.log(0.2), within(1e-7));
      assertClose(drafted.modelLogProbabilities(), Math.log(0.2), Math.log(0.8));
      assertThat(token.token().shift(1)).isCloseTo(Math.log(7), within(1e-6));
    }
  }

  @Test
  void whoIsNotTracedDoesNotPayForWhoIs() {
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(TUNED))
            .speculation(Speculation.draftWith(OUTSIDER).withBlockLength(3))
            .seed(1)
            .maxNewTokens(20)
            .build();
    int before = OUTSIDER.passes.get();
    Completion plain = sampler.sample(Prompt.ids(3));
    int without = OUTSIDER.passes.get() - before;
    SamplingOptions options = sampler.options().toBuilder().trace(1).build();
    List<Completion> both =
        sampler.sampleAll(
            List.of(
                SampleRequest.of(Prompt.ids(3)).withOptions(options),
                SampleRequest.of(Prompt.ids(3))));

    // One pass for the prompt, and one for each drafted token that has an own step.
    assertThat(without).isEqualTo(1 + plain.speculation().drafted());
    assertThat(both).extracting(Completion::tokenIds).containsOnly(plain.tokenIds());
    assertThat(both.getFirst().speculation()).isEqualTo(plain.speculation());
    assertThat(both.get(1).trace()).isEmpty();
  }

  @Test
  void idsThatOnlySomeModelsHaveTakeNoPart() {
    FunctionModel wide = table("wide", 0.3, 0.1, 0.1, 0.5);
    FunctionModel narrow = table("narrow", 0.5, 0.25, 0.25);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(wide).plus(LogitCombiner.of(narrow)))
            .options(SamplingOptions.builder().greedy().maxNewTokens(1).trace(3).build())
            .allowExtraTokens(true)
            .build();

    TokenTrace token = trace(sampler, SampleRequest.of(Prompt.ids(2))).tokens().getFirst();

    assertClose(token.token().modelLogProbabilities(), Math.log(0.6), Math.log(0.5));
    assertThat(token.token().logProbability()).isCloseTo(Math.log(0.75), within(1e-7));
    assertClose(token.totalVariations(), 0.15, 0.25);
    assertThat(token.candidates()).hasSize(3);
  }

  private static EftSampler writer(@Nullable Speculation speculation) {
    EftSampler.Builder builder =
        EftSampler.builder(LogitCombiner.of(FunctionModel.writing("so be it")))
            .options(SamplingOptions.builder().greedy().stopStrings(" it").trace(2).build());
    return (speculation == null ? builder : builder.speculation(speculation)).build();
  }

  @Test
  void everyTokenHasTheTextThatItAdds() {
    FunctionModel drafter = FunctionModel.writing("so he it");
    for (Speculation speculation :
        Arrays.asList(null, Speculation.draftWith(drafter).withBlockLength(3))) {
      Completion completion = writer(speculation).sample("");
      List<TokenTrace> tokens = completion.trace().orElseThrow().tokens();

      assertThat(completion.text()).isEqualTo("so be");
      assertThat(String.join("", tokens.stream().map(t -> t.token().text()).toList()))
          .isEqualTo("so be it");
      assertThat(tokens).allMatch(t -> t.candidates().getFirst().equals(t.token()));
      assertThat(tokens.getFirst().candidates().get(1).text()).isEmpty(); // <s>
      assertThat(tokens.stream().flatMap(t -> t.drafted().stream()).map(TracedToken::text))
          .isEqualTo(speculation == null ? List.of() : List.of("o", " ", "h", "e", " ", "i"));
    }
  }

  @Test
  void completionsOfOnePromptHaveEachTheirOwn() {
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.upScale(LARGE, TUNED, BASE))
            .options(SamplingOptions.builder().trace(1).seed(9).maxNewTokens(8).build())
            .speculation(Speculation.draftWith(TUNED).withBlockLength(3))
            .build();
    List<Completion> completions = sampler.sample(SampleRequest.of(Prompt.ids(1, 2, 3)), 4);
    for (Completion completion : completions) {
      SamplingOptions seeded = sampler.options().toBuilder().seed(completion.seed()).build();
      assertThat(trace(sampler, SampleRequest.of(Prompt.ids(1, 2, 3)).withOptions(seeded)))
          .isEqualTo(completion.trace().orElseThrow());
    }
    assertThat(completions.stream().map(Completion::trace).distinct()).hasSize(4);
    assertThat(Stream.of(LARGE, TUNED, BASE).mapToInt(m -> m.openCaches.get())).containsOnly(0);
  }
}
