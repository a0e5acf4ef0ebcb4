package io.github.eft4j.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
 * PyTorch's ops do what {@code CombineBenchmark} measures, on one thread: three rows of logits are
 * combined, filtered by temperature and top-p, and a token is drawn.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 2,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Dai.djl.offline=true"})
public class PyTorchCombineBenchmark {
  private static final double TEMPERATURE = 0.8;
  private static final double TOP_P = 0.95;

  /** The size of the vocabulary: Llama 2, Llama 3. */
  @Param({"32000", "128256"})
  public int vocabulary;

  private final SplittableRandom random = new SplittableRandom(7);
  private NDManager manager;
  private NDArray large;
  private NDArray tuned;
  private NDArray base;

  /** Makes the rows. */
  @Setup
  public void prepare() {
    manager = NDManager.newBaseManager("PyTorch");
    JniUtils.setNumThreads(1);
    double[] shared = random.doubles(vocabulary).map(_ -> 3 * random.nextGaussian()).toArray();
    large = row(shared);
    tuned = row(shared);
    base = row(shared);
  }

  private NDArray row(double[] shared) {
    float[] row = new float[vocabulary];
    for (int i = 0; i < vocabulary; i++) {
      row[i] = (float) (shared[i] + 0.5 * random.nextGaussian());
    }
    return manager.create(row);
  }

  /** Frees the rows. */
  @TearDown
  public void free() {
    manager.close();
  }

  /**
   * Combines, filters and draws.
   *
   * @return the token
   */
  @Benchmark
  public long combineAndDraw() {
    try (NDManager step = manager.newSubManager()) {
      large.tempAttach(step); // so that what is made of it is freed at the end
      NDArray scores = large.add(tuned).subi(base).divi(TEMPERATURE);
      NDArray probabilities = scores.softmax(0);
      NDArray order = probabilities.argSort(0, false);
      NDArray sorted = probabilities.gather(order, 0);
      NDArray cumulative = sorted.cumSum(0);
      // A token is kept while those before it have not reached top-p.
      long kept = cumulative.lt(TOP_P).sum().getLong() + 1;
      float total = cumulative.getFloat(kept - 1);
      long drawn = cumulative.lte(random.nextDouble() * total).sum().getLong();
      return order.getLong(Math.min(drawn, kept - 1));
    }
  }
}
