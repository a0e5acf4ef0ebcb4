package io.github.eft4j.bench;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.Speculation;
import io.github.eft4j.Speculation.AcceptanceRule;
import io.github.eft4j.SpeculationStatistics;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Emulated fine-tuning of a large model by two small ones, token by token or speculatively, for one
 * sequence or several together. Compare tokens a second with those of {@code speculation=off}.
 *
 * <p>Random models agree on nothing, so the combination is {@code tuned + w (large − base)}: with
 * {@code w = 0} every token that {@code tuned} drafts is accepted, and the greater {@code w}, the
 * fewer. Each model is run as often as for {@code w = 1}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 1, time = 10)
@Measurement(iterations = 3, time = 10)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow"
    })
public class SpeculationBenchmark {
  /** One, whose pass gives the first new token: no time is spent on reading a prompt. */
  private static final int PROMPT_TOKENS = 1;

  /** The positions whose logits decide on {@code w}, and the steps of the search for it. */
  private static final int POSITIONS = 16;

  private static final int BISECTIONS = 12;

  /** Shape and weight type of the large model, then of both small ones. */
  @Param({"7B:Q8_0/0.5B:Q8_0", "7B:Q4_0/1.1B:Q4_0"})
  public String models = "";

  /** How likely a drafted token is to be accepted: above 0, below 1. */
  @Param({"0.9", "0.8", "0.6"})
  public double acceptance;

  /** How tokens are drafted: off, adaptive, or a block's length. */
  @Param({"off", "adaptive", "2", "4", "8"})
  public String speculation = "";

  /** How drafted tokens are accepted. */
  @Param("COUPLED")
  public AcceptanceRule rule = AcceptanceRule.COUPLED;

  /** The number of sequences that are decoded together. */
  @Param({"1", "8"})
  public int sequences;

  /** The number of new tokens of a sequence. */
  @Param("64")
  public int newTokens;

  /** The width of the vectors; -1: the widest. */
  @Param("-1")
  public int vectorBits;

  /** The number of threads; 0: one a core. */
  @Param("0")
  public int threads;

  /** Which of the models that are loaded drafts. */
  private static final int TUNED = 1;

  private final List<LanguageModel> loaded = new ArrayList<>();
  private final List<SpeculationStatistics> statistics = new ArrayList<>();
  private LogitCombiner combiner;
  private EftSampler sampler;
  private int[] prompt;
  private long seed;

  /** What came of drafting, over all sequences. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Tokens a second. */
    public long tokens;

    /** Drafted tokens a second; divided by {@link #blocks}, the mean length of a block. */
    public long drafted;

    /** Drafted tokens that were compared with the target, a second. */
    public long checked;

    /** Accepted tokens a second; divided by {@link #checked}, the acceptance. */
    public long accepted;

    /** Passes of the target models a second, each of which checked one block of a sequence. */
    public long blocks;
  }

  /** Loads the models, and finds the combination of the acceptance asked for. */
  @Setup
  public void load() throws IOException {
    if (!(acceptance > 0 && acceptance < 1)) {
      throw new IllegalArgumentException(
          "acceptance is " + acceptance + ", expected above 0 and below 1");
    }
    String[] sizes = models.split("/", -1);
    if (sizes.length != 2) {
      throw new IllegalArgumentException(
          "models is " + models + ", expected such as 7B:Q8_0/0.5B:Q8_0");
    }
    LanguageModel large = load(sizes[0], 1);
    LanguageModel tuned = load(sizes[1], 2);
    LanguageModel base = load(sizes[1], 3);
    prompt = ModelFile.prompt(PROMPT_TOKENS, large.vocabularySize());
    double weight = weight(logits(large), logits(tuned), logits(base));
    combiner =
        LogitCombiner.of(tuned)
            .plus(LogitCombiner.of(large).minus(LogitCombiner.of(base)).times(weight));
    sampler = sampler(speculation);
  }

  /**
   * A sampler of the models that are loaded.
   *
   * @param speculation how it drafts: off, adaptive, or a block's length
   */
  EftSampler sampler(String speculation) {
    var builder =
        EftSampler.builder(combiner)
            .temperature(1)
            .maxNewTokens(newTokens)
            .ignoreEndOfText(true)
            .batchSize(sequences);
    if (!speculation.equals("off")) {
      Speculation drafting = Speculation.draftWith(loaded.get(TUNED)).withRule(rule);
      builder.speculation(
          speculation.equals("adaptive")
              ? drafting
              : drafting.withBlockLength(Integer.parseInt(speculation)));
    }
    return builder.build();
  }

  private LanguageModel load(String size, int weights) throws IOException {
    String[] parts = size.split(":", -1);
    if (parts.length != 2) {
      throw new IllegalArgumentException("a model is " + size + ", expected such as 7B:Q8_0");
    }
    RandomModel random =
        new RandomModel(ModelShape.named(parts[0]), WeightType.valueOf(parts[1]), weights);
    LanguageModel model =
        LoadedModel.load(
            random.file(RandomModel.directory()), ModelFile.threadCount(threads), vectorBits);
    loaded.add(model);
    return model;
  }

  /** A model's logits at some positions. */
  private static double[][] logits(LanguageModel model) {
    int vocabulary = model.vocabularySize();
    try (KeyValueCache cache = model.newCache();
        INDArray logits = Nd4j.createUninitialized(POSITIONS, vocabulary)) {
      model.forward(ForwardBatch.all(cache, ModelFile.prompt(POSITIONS, vocabulary)), logits);
      return logits.toDoubleMatrix();
    }
  }

  /** The {@code w} at which drafted tokens are accepted as often as asked for, by bisection. */
  private double weight(double[][] large, double[][] tuned, double[][] base) {
    double low = 0;
    double high = 1;
    while (expected(high, large, tuned, base) > acceptance) {
      low = high;
      high *= 2;
    }
    for (int i = 0; i < BISECTIONS; i++) {
      double middle = (low + high) / 2;
      if (expected(middle, large, tuned, base) > acceptance) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return (low + high) / 2;
  }

  /** The acceptance at a {@code w}, on average over the positions. */
  private double expected(double weight, double[][] large, double[][] tuned, double[][] base) {
    return IntStream.range(0, POSITIONS)
        .parallel()
        .mapToDouble(
            i -> {
              double[] target = new double[tuned[i].length];
              for (int id = 0; id < target.length; id++) {
                target[id] = tuned[i][id] + weight * (large[i][id] - base[i][id]);
              }
              return ExpectedAcceptance.of(rule, tuned[i], target);
            })
        .average()
        .orElseThrow();
  }

  /** Frees the models. */
  @TearDown
  public void free() {
    loaded.forEach(LanguageModel::close);
  }

  /** Says what came of drafting in an iteration: the counters hold it as rates only. */
  @TearDown(Level.Iteration)
  public void report() {
    int drafted = statistics.stream().mapToInt(SpeculationStatistics::drafted).sum();
    int blocks = statistics.stream().mapToInt(SpeculationStatistics::passes).sum();
    if (drafted > 0) {
      int checked = statistics.stream().mapToInt(SpeculationStatistics::checked).sum();
      int accepted = statistics.stream().mapToInt(SpeculationStatistics::accepted).sum();
      System.out.printf(
          "acceptance %.3f, mean block %.2f; ",
          (double) accepted / checked, (double) drafted / blocks);
    }
    statistics.clear();
  }

  /**
   * Completes the prompt once for each sequence, each time with other seeds.
   *
   * @param counters counts the tokens
   */
  @Benchmark
  public void sample(Counters counters) {
    for (Completion completion : complete(sampler)) {
      SpeculationStatistics s = completion.speculation();
      counters.tokens += completion.tokenIds().size();
      counters.drafted += s.drafted();
      counters.checked += s.checked();
      counters.accepted += s.accepted();
      counters.blocks += s.passes();
      statistics.add(s);
    }
  }

  /** Completes the prompt once for each sequence, with seeds that were not used yet. */
  List<Completion> complete(EftSampler sampler) {
    return sampler.sampleAll(
        IntStream.range(0, sequences)
            .mapToObj(
                _ ->
                    SampleRequest.of(Prompt.ids(prompt))
                        .withOptions(sampler.options().toBuilder().seed(seed++).build()))
            .toList());
  }
}
