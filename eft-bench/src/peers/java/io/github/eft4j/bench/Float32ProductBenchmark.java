package io.github.eft4j.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.JniUtils;
import io.github.eft4j.tensor.WeightType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
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
 * What {@link LinearBenchmark} measures for {@link WeightType#F32}, by ND4J and by PyTorch: as many
 * matrices {@code [outputs, inputs]} in turn as make up {@link LinearBenchmark#BYTES}.
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
      "--sun-misc-unsafe-memory-access=allow",
      "-Dai.djl.offline=true"
    })
public class Float32ProductBenchmark {
  /** The number of rows of the input. */
  @Param({"1", "2", "4", "8", "16", "128"})
  public int rows;

  /** The layer's outputs and inputs. */
  @Param({"2048x2048", "4096x4096", "11008x4096", "32000x4096"})
  public String shape = "";

  /** The number of threads; 0: one a core. */
  @Param("0")
  public int threads;

  private int outputs;
  private int inputs;
  private int count;
  private int threadCount;
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

  /** Reads the parameters. */
  @Setup
  public void parse() {
    String[] sizes = shape.split("x", -1);
    outputs = Integer.parseInt(sizes[0]);
    inputs = Integer.parseInt(sizes[1]);
    count = (int) Math.max(1, LinearBenchmark.BYTES / WeightType.F32.bytes(weights()));
    threadCount = ModelFile.threadCount(threads);
  }

  private long weights() {
    return (long) outputs * inputs;
  }

  private int count(Counters counters) {
    counters.weights += weights();
    counters.bytes += WeightType.F32.bytes(weights());
    counters.multiplyAdds += weights() * rows;
    int index = next;
    next = (next + 1) % count;
    return index;
  }

  /** ND4J's matrices. */
  @State(Scope.Benchmark)
  public static class Nd4jArrays {
    private final List<INDArray> weights = new ArrayList<>();
    private INDArray x;
    private INDArray out;

    /**
     * Makes the matrices.
     *
     * @param sizes their sizes
     */
    @Setup
    public void make(Float32ProductBenchmark sizes) {
      Nd4j.factory().blas().setMaxThreads(sizes.threadCount);
      for (int i = 0; i < sizes.count; i++) {
        weights.add(Nd4j.rand(DataType.FLOAT, sizes.outputs, sizes.inputs));
      }
      x = Nd4j.rand(DataType.FLOAT, sizes.rows, sizes.inputs);
      out = Nd4j.create(DataType.FLOAT, sizes.rows, sizes.outputs);
    }

    /** Frees the matrices. */
    @TearDown
    public void free() {
      weights.forEach(INDArray::close);
      x.close();
      out.close();
    }
  }

  /** PyTorch's matrices. */
  @State(Scope.Benchmark)
  public static class PyTorchArrays {
    private final List<NDArray> weights = new ArrayList<>();
    private NDManager manager;
    private NDArray x;

    /**
     * Makes the matrices.
     *
     * @param sizes their sizes
     */
    @Setup
    public void make(Float32ProductBenchmark sizes) {
      manager = NDManager.newBaseManager("PyTorch");
      JniUtils.setNumThreads(sizes.threadCount);
      for (int i = 0; i < sizes.count; i++) {
        // Transposing is a view: the weights stay [outputs, inputs], as in PyTorch's own layers.
        weights.add(
            manager.randomUniform(0, 1, new Shape(sizes.outputs, sizes.inputs)).transpose());
      }
      x = manager.randomUniform(0, 1, new Shape(sizes.rows, sizes.inputs));
    }

    /** Frees the matrices. */
    @TearDown
    public void free() {
      manager.close();
    }
  }

  /**
   * Multiplies with the next matrix, by ND4J.
   *
   * @param arrays the matrices
   * @param counters counts the weights
   * @return the product
   */
  @Benchmark
  public INDArray nd4j(Nd4jArrays arrays, Counters counters) {
    INDArray weight = arrays.weights.get(count(counters));
    return Nd4j.gemm(arrays.x, weight, arrays.out, false, true, 1, 0);
  }

  /**
   * Multiplies with the next matrix, by PyTorch.
   *
   * @param arrays the matrices
   * @param counters counts the weights
   */
  @Benchmark
  public void pyTorch(PyTorchArrays arrays, Counters counters) {
    arrays.x.matMul(arrays.weights.get(count(counters))).close();
  }
}
