package io.github.eft4j.bench;

import io.github.eft4j.models.config.EncoderConfig;
import io.github.eft4j.models.transformer.Classification;
import io.github.eft4j.models.transformer.EncoderInput;
import io.github.eft4j.models.transformer.SequenceClassifier;
import io.github.eft4j.models.transformer.Transformers;
import io.github.eft4j.reasoning.BeliefPropagation;
import io.github.eft4j.reasoning.EntropyUnit;
import io.github.eft4j.reasoning.GraphScore;
import io.github.eft4j.reasoning.ReasoningGraph;
import io.github.eft4j.tensor.TensorOps;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * What an agent's graph costs beside writing it, by the number of its steps: both parts grow
 * linearly. The judge has random weights and a small shape, and reads 32 tokens a pair.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 10, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow"
    })
public class ReasoningBenchmark {
  private static final int PAIR_TOKENS = 32;
  private static final int VOCABULARY = 1000;

  private static final EncoderConfig JUDGE =
      new EncoderConfig(
          EncoderConfig.Family.ROBERTA,
          256,
          4,
          4,
          1024,
          VOCABULARY,
          PAIR_TOKENS + 2,
          1,
          1e-5f,
          1,
          List.of("entailment", "neutral", "contradiction"));

  /** The number of steps. */
  @Param({"2", "4", "8", "16", "32", "64"})
  public int steps;

  private SequenceClassifier judge;
  private List<EncoderInput> pairs;
  private ReasoningGraph graph;
  private List<Double> trusts;

  /** Makes the judge, and a chain of steps. */
  @Setup
  public void setUp() {
    judge = Transformers.load(JUDGE, new RandomTensors(), TensorOps.standard(), "judge");
    pairs =
        IntStream.range(1, steps)
            .mapToObj(
                step ->
                    EncoderInput.of(
                        IntStream.range(0, PAIR_TOKENS)
                            .map(i -> 2 + (step * PAIR_TOKENS + i) % (VOCABULARY - 2))
                            .toArray()))
            .toList();
    graph =
        new ReasoningGraph(
            IntStream.range(0, steps).mapToObj(i -> "step " + i).toList(),
            IntStream.range(1, steps).mapToObj(i -> new ReasoningGraph.Edge(i - 1, i)).toList());
    trusts = Collections.nCopies(steps - 1, 0.95);
  }

  /** Frees the judge. */
  @TearDown
  public void tearDown() {
    judge.close();
  }

  /**
   * Judges all pairs of adjacent steps.
   *
   * @return what is said of them
   */
  @Benchmark
  public List<Classification> judge() {
    return judge.classify(pairs);
  }

  /**
   * Spreads belief through the graph and scores it.
   *
   * @return the score
   */
  @Benchmark
  public GraphScore propagate() {
    return GraphScore.of(
        BeliefPropagation.STANDARD.propagate(graph, trusts).values(), EntropyUnit.NATS);
  }
}
