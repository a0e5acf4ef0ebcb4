package io.github.eft4j;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a token costs beside the models' passes: three rows of logits are combined, normalised,
 * filtered by temperature and top-p, and a token is drawn. ND4J's ops do the same up to the draw.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 2, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class CombineBenchmark {
  /** The size of the vocabulary: Llama 2, Llama 3. */
  @Param({"32000", "128256"})
  public int vocabulary;

  private @Nullable Step step;

  /** The rows of three models, and the memory that combining them needs. */
  private static final class Step {
    final INDArray[] logits;
    final MemorySegment[] rows;
    final CombinerPlan plan;
    final double[] scores;
    final TokenDraw draw;
    final SamplingOptions options = SamplingOptions.builder().temperature(0.8).topP(0.95).build();
    long position;

    Step(int vocabulary) {
      Random random = new Random(7);
      float[] shared = logits(random, vocabulary, 3);
      logits =
          Stream.of(1, 2, 3)
              .map(
                  _ -> {
                    float[] own = logits(random, vocabulary, 0.5);
                    for (int i = 0; i < vocabulary; i++) {
                      own[i] += shared[i];
                    }
                    return Nd4j.createFromArray(own);
                  })
              .toArray(INDArray[]::new);
      rows = Stream.of(logits).map(NativeArrays::floats).toArray(MemorySegment[]::new);
      LanguageModel[] models =
          Stream.of("large", "tuned", "base")
              .map(name -> new VocabularyOnlyModel(name, vocabulary))
              .toArray(LanguageModel[]::new);
      plan =
          new CombinerPlan(
              LogitCombiner.upScale(models[0], models[1], models[2]), Map.of(), vocabulary);
      scores = new double[vocabulary];
      draw = new TokenDraw(vocabulary);
    }

    private static float[] logits(Random random, int vocabulary, double spread) {
      float[] logits = new float[vocabulary];
      for (int i = 0; i < vocabulary; i++) {
        logits[i] = (float) (spread * random.nextGaussian());
      }
      return logits;
    }
  }

  /** Makes the rows. */
  @Setup
  public void prepare() {
    step = new Step(vocabulary);
  }

  /**
   * Combines, filters and draws.
   *
   * @return the token
   */
  @Benchmark
  public int combineAndDraw() {
    Step s = Objects.requireNonNull(step);
    double max = s.plan.evaluate(s.rows, s.scores);
    s.draw.prepare(s.scores, max, s.options, null);
    return s.draw.draw(Noise.address(1, s.position++, Noise.Use.DRAW));
  }

  /**
   * Combines and normalises with ND4J's ops, without filters and draw.
   *
   * @return the probabilities
   */
  @Benchmark
  public INDArray nd4jCombineOnly() {
    Step s = Objects.requireNonNull(step);
    INDArray sum = s.logits[0].add(s.logits[1]).subi(s.logits[2]).divi(0.8);
    return Transforms.softmax(sum.reshape(1, vocabulary), false);
  }
}
