package io.github.eft4j.bench;

import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.Linear;
import io.github.eft4j.tensor.Matrix;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.openjdk.jmh.annotations.AuxCounters;
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
 * Linear layers of {@link JvmOps}. Compare with {@link MemoryBandwidth} (few rows) and {@link
 * FmaPeak} (many) of the same run.
 *
 * <p>As many layers are multiplied in turn as make up {@link #megabytes}, so that each comes from
 * memory as it does in a model.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow"
    })
public class LinearBenchmark {
  /** More than caches hold. */
  private static final int MEGABYTES = 256;

  /** The same in bytes. */
  static final long BYTES = (long) MEGABYTES << 20;

  /** How the weights are stored. */
  @Param public WeightType type = WeightType.F32;

  /** The number of rows of the input. */
  @Param({"1", "2", "4", "8", "16", "128"})
  public int rows;

  /** The layer's outputs and inputs. */
  @Param({"2048x2048", "4096x4096", "11008x4096", "32000x4096"})
  public String shape = "";

  /** The width of the vectors; -1: the widest. */
  @Param("-1")
  public int vectorBits = -1;

  /** The number of threads; 0: one a core. */
  @Param("0")
  public int threads;

  /** The weights that are multiplied in turn; 0: of one layer, which may stay in a cache. */
  @Param("" + MEGABYTES)
  public int megabytes = MEGABYTES;

  private final Arena arena = Arena.ofShared();
  private List<List<Linear>> layers = List.of();
  private INDArray x;
  private List<INDArray> out = List.of();
  private JvmOps ops;
  private int next;

  /** Weights read. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Weights a second. */
    public long weights;

    /** Bytes of weights a second. */
    public long bytes;

    /** Multiply-adds a second. */
    public long multiplyAdds;
  }

  /** Makes the operations. */
  public LinearBenchmark() {
    ops = JvmOps.builder().build();
    x = ops.allocate(1, 1);
  }

  /** Makes the layers. */
  @Setup
  public void fill() {
    JvmOps.Builder builder = JvmOps.builder();
    if (vectorBits >= 0) {
      builder.vectorBits(vectorBits);
    }
    if (threads > 0) {
      builder.threads(threads);
    }
    ops = builder.build();
    String[] sizes = shape.split("x", -1);
    int outputs = Integer.parseInt(sizes[0]);
    int inputs = Integer.parseInt(sizes[1]);
    long bytes = type.bytes((long) outputs * inputs);
    int count = (int) Math.max(1, ((long) megabytes << 20) / bytes);
    layers =
        IntStream.range(0, count)
            .mapToObj(i -> List.of(new Linear(random(outputs, inputs, i), null)))
            .toList();
    x = ops.allocate(rows, inputs);
    Random random = new Random(1);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < inputs; j++) {
        x.putScalar(i, j, random.nextGaussian());
      }
    }
    out = List.of(ops.allocate(rows, outputs));
  }

  private Matrix random(int outputs, int inputs, int seed) {
    MemorySegment data = arena.allocate(type.bytes((long) outputs * inputs), 64);
    RandomWeights.fill(type, data, seed);
    return ops.matrix(new StoredTensor("random", type, outputs, inputs, data));
  }

  /** Frees the weights. */
  @TearDown
  public void free() {
    for (List<Linear> layer : layers) {
      layer.getFirst().weight().close();
    }
    arena.close();
  }

  /**
   * Multiplies with the next layer.
   *
   * @param counters counts the weights
   */
  @Benchmark
  public void linear(Counters counters) {
    List<Linear> layer = layers.get(next);
    next = (next + 1) % layers.size();
    ops.linear(x, layer, out);
    Matrix weight = layer.getFirst().weight();
    long count = (long) weight.rows() * weight.columns();
    counters.weights += count;
    counters.bytes += type.bytes(count);
    counters.multiplyAdds += count * rows;
  }
}
