package io.github.eft4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.Completion;
import io.github.eft4j.CompletionTrace;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.Speculation;
import io.github.eft4j.TokenProbability;
import io.github.eft4j.TokenTrace;
import io.github.eft4j.TracedToken;
import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.TensorOps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole path, from checkpoints on disk to emulated fine-tuning. */
class EmulatedFineTuningTest {
  /** The error of the models' own logits, three of which are combined. */
  private static final double TOLERANCE = 1e-4;

  private static final int PROMPTS = 3;
  private static final int NEW_TOKENS = 16;

  /** The four models of a golden set. */
  private record Quadruple(
      LanguageModel large, LanguageModel base, LanguageModel tuned, LanguageModel other)
      implements AutoCloseable {
    static Quadruple load(String set, TensorOps ops) {
      LoadOptions options = LoadOptions.defaults().withOps(ops);
      return new Quadruple(
          LanguageModels.load(GoldenTensors.directory(set + "/large-base"), options),
          LanguageModels.load(GoldenTensors.directory(set + "/small-base"), options),
          LanguageModels.load(GoldenTensors.directory(set + "/small-ft"), options),
          LanguageModels.load(GoldenTensors.directory(set + "/small-ft2"), options));
    }

    LogitCombiner beta(double beta) {
      return LogitCombiner.upScale(large, tuned, base, beta);
    }

    LogitCombiner lambda(double lambda) {
      return LogitCombiner.interpolate(large, tuned, other, base, lambda);
    }

    @Override
    public void close() {
      Stream.of(large, base, tuned, other).forEach(LanguageModel::close);
    }
  }

  static Stream<Arguments> setsAndOps() {
    return Stream.of("eft", "eft-falcon")
        .flatMap(
            set ->
                Stream.of(TensorOps.nd4j(), TensorOps.jvm())
                    .map(ops -> Arguments.of(set, ops.name(), ops)));
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("setsAndOps")
  void everyBetaAndLambdaAgreesWithTheReference(String set, String name, TensorOps ops) {
    GoldenTensors expected =
        GoldenTensors.read(GoldenTensors.directory(set).resolve("expected.safetensors"));
    try (Quadruple models = Quadruple.load(set, ops)) {
      for (int p = 0; p < PROMPTS; p++) {
        for (String beta : List.of("0.5", "1.0", "1.5")) {
          check(models.beta(Double.parseDouble(beta)), expected, p, "beta=" + beta);
        }
        for (String lambda : List.of("0.0", "0.25", "0.5", "1.0")) {
          check(models.lambda(Double.parseDouble(lambda)), expected, p, "lambda=" + lambda);
        }
      }
    }
  }

  private static void check(
      LogitCombiner combiner, GoldenTensors expected, int prompt, String setting) {
    String key = "prompt" + prompt + "." + setting;
    int vocabulary = combiner.models().getFirst().vocabularySize();
    Completion completion =
        EftSampler.builder(combiner)
            .options(
                SamplingOptions.builder()
                    .greedy()
                    .ignoreEndOfText(true)
                    .maxNewTokens(NEW_TOKENS)
                    .topLogProbabilities(vocabulary)
                    .build())
            .build()
            .sample(Prompt.ids(expected.ints("prompt" + prompt + ".ids")));

    assertThat(completion.tokenIds())
        .as(key)
        .isEqualTo(Arrays.stream(expected.ints(key + ".greedy")).boxed().toList());
    double[] reference = expected.doubles(key + ".logp");
    for (TokenProbability token : completion.topLogProbabilities().getFirst()) {
      assertThat(token.logProbability())
          .as(key)
          .isCloseTo(reference[token.id()], within(TOLERANCE));
    }
  }

  /** Each model's share in the first token, and how far each is from the combination. */
  @ParameterizedTest
  @ValueSource(strings = {"eft", "eft-falcon"})
  void tracesAgreeWithTheReference(String set) {
    GoldenTensors expected =
        GoldenTensors.read(GoldenTensors.directory(set).resolve("expected.safetensors"));
    List<String> names = List.of("large-base", "small-ft", "small-base");
    try (Quadruple models = Quadruple.load(set, TensorOps.jvm())) {
      int vocabulary = models.large().vocabularySize();
      EftSampler sampler =
          EftSampler.builder(models.beta(1.5))
              .options(SamplingOptions.builder().greedy().trace(vocabulary).build())
              .speculation(Speculation.draftWith(models.tuned()))
              .maxNewTokens(NEW_TOKENS)
              .build();
      for (int p = 0; p < PROMPTS; p++) {
        String prompt = "prompt" + p;
        CompletionTrace trace =
            sampler.sample(Prompt.ids(expected.ints(prompt + ".ids"))).trace().orElseThrow();
        double[] combined = expected.doubles(prompt + ".beta=1.5.logp");
        TokenTrace first = trace.tokens().getFirst();
        assertThat(trace.models()).isEqualTo(names);
        assertThat(trace.drafter()).hasValue(1);
        for (int model = 0; model < names.size(); model++) {
          double[] alone = logSoftmax(expected.floats(prompt + "." + names.get(model) + ".logits"));
          double variation = 0;
          for (int id = 0; id < vocabulary; id++) {
            variation += Math.abs(Math.exp(combined[id]) - Math.exp(alone[id])) / 2;
          }
          assertThat(first.totalVariations().get(model)).isCloseTo(variation, within(TOLERANCE));
          for (TracedToken token : first.candidates()) {
            assertThat(token.logProbability()).isCloseTo(combined[token.id()], within(TOLERANCE));
            assertThat(token.modelLogProbabilities().get(model))
                .isCloseTo(alone[token.id()], within(TOLERANCE));
          }
        }
      }
    }
  }

  private static double[] logSoftmax(float[] logits) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    double[] row = new double[logits.length];
    for (int id = 0; id < row.length; id++) {
      row[id] = logits[id] - Math.log(sum);
    }
    return row;
  }

  /**
   * On the JVM kernels, how a completion is decoded changes no token and no bit: 1,000 requests
   * over both sets.
   */
  @ParameterizedTest
  @ValueSource(strings = {"eft", "eft-falcon"})
  void speculationBatchingAndThreadsChangeNothing(String set) {
    Random random = new Random(11);
    try (Quadruple one = Quadruple.load(set, JvmOps.builder().threads(1).build());
        Quadruple two = Quadruple.load(set, JvmOps.builder().threads(3).build())) {
      for (int round = 0; round < 100; round++) {
        double beta = 0.5 + 0.25 * (round % 5);
        EftSampler alone = EftSampler.builder(one.beta(beta)).build();
        Speculation speculation = Speculation.draftWith(round % 3 == 0 ? two.large() : two.tuned());
        int block = round % 17;
        EftSampler together =
            EftSampler.builder(two.beta(beta))
                .speculation(block == 0 ? speculation : speculation.withBlockLength(block))
                .batchSize(1 + round % 8)
                .build();
        List<SampleRequest> requests = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
          requests.add(request(random, one.large().vocabularySize(), round, i));
        }
        List<Completion> expected = requests.stream().map(alone::sample).toList();
        List<Completion> found = together.sampleAll(requests);
        for (int i = 0; i < requests.size(); i++) {
          assertThat(found.get(i).tokenIds()).isEqualTo(expected.get(i).tokenIds());
          assertThat(found.get(i).logProbabilities()).isEqualTo(expected.get(i).logProbabilities());
        }
      }
    }
  }

  private static SampleRequest request(Random random, int vocabulary, int round, int i) {
    SamplingOptions.Builder options =
        SamplingOptions.builder()
            .temperature(List.of(0.0, 0.7, 1.0).get((round + i) % 3))
            .seed(random.nextLong())
            .maxNewTokens(1 + random.nextInt(20));
    if (i % 2 == 0) {
      options.topP(0.9).topK(40).minP(0.01);
    }
    int[] prompt = random.ints(1 + random.nextInt(12), 3, vocabulary).toArray();
    return SampleRequest.of(Prompt.ids(prompt)).withOptions(options.build());
  }
}
