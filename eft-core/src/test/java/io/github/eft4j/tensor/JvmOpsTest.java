package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What {@link JvmOps} promises beyond {@link TensorOpsTest}. */
class JvmOpsTest {
  /**
   * Relative to the sum of the magnitudes of the products. Sums of up to 600 products in 16 partial
   * sums round some 40 times by at most 6e-8 each.
   */
  private static final double ROUNDING = 3e-6;

  private static final List<JvmOps> CONFIGURATIONS = new ArrayList<>();

  static {
    for (int bits : KernelProvider.supported()) {
      CONFIGURATIONS.add(JvmOps.builder().vectorBits(bits).threads(1).build());
      CONFIGURATIONS.add(JvmOps.builder().vectorBits(bits).threads(4).build());
    }
  }

  private final JvmOps ops = JvmOps.builder().build();

  /** Fails when the build forgets {@code --add-modules jdk.incubator.vector}. */
  @Test
  void thisBuildRunsOnVectors() {
    assertThat(JvmOps.builder().build().vectorBits()).isIn(128, 256, 512);
    assertThat(((JvmOps) TensorOps.jvm()).vectorBits()).isPositive();
  }

  @Test
  void configurationIsWhatWasAskedFor() {
    for (int bits : KernelProvider.supported()) {
      JvmOps ops = JvmOps.builder().vectorBits(bits).threads(3).build();
      assertThat(ops.vectorBits()).isEqualTo(bits);
      assertThat(ops.threads()).isEqualTo(3);
      assertThat(ops.name()).isEqualTo("jvm");
    }
    assertThat(JvmOps.builder().build().threads())
        .isBetween(1, Runtime.getRuntime().availableProcessors());
  }

  @Test
  void impossibleConfigurationsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JvmOps.builder().vectorBits(64))
        .withMessageContaining("64")
        .withMessageContaining("128, 256 or 512");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JvmOps.builder().threads(0))
        .withMessageContaining("threads: 0");
  }

  @Property(tries = 150)
  void sameBitsForAnyWidthThreadsAndNumberOfRows(
      @ForAll WeightType type,
      @ForAll @IntRange(min = 1, max = 13) int rows,
      @ForAll @IntRange(min = 1, max = 90) int out,
      @ForAll boolean extremes,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int in = columns(type, random);
    StoredTensor first = Weights.random(type, out, in, extremes, random);
    StoredTensor second = Weights.random(type, 7, in, extremes, random);
    INDArray x = array(rows, in, random);
    INDArray bias = array(1, out, random);
    List<float[]> expected = null;
    for (JvmOps ops : CONFIGURATIONS) {
      List<Linear> layers =
          List.of(
              new Linear(ops.matrix(first), bias.reshape(out)),
              new Linear(ops.matrix(second), null));
      List<INDArray> together = List.of(ops.allocate(rows, out), ops.allocate(rows, 7));
      ops.linear(x, layers, together);
      List<float[]> actual = List.of(read(together.get(0)), read(together.get(1)));
      if (expected == null) {
        expected = actual;
        assertRowsAlone(ops, x, layers, actual);
      }
      for (int i = 0; i < 2; i++) {
        assertThat(bits(actual.get(i)))
            .as("%s, %d bits, %d threads", type, ops.vectorBits(), ops.threads())
            .isEqualTo(bits(expected.get(i)));
      }
    }
  }

  private static void assertRowsAlone(
      JvmOps ops, INDArray x, List<Linear> layers, List<float[]> expected) {
    for (int r = 0; r < x.rows(); r++) {
      INDArray row = NativeArrays.rows(x, r, r + 1);
      for (int i = 0; i < 2; i++) {
        int n = layers.get(i).weight().rows();
        INDArray alone = ops.allocate(1, n);
        ops.linear(row, layers.get(i), alone);
        float[] same = new float[n];
        System.arraycopy(expected.get(i), r * n, same, 0, n);
        assertThat(bits(read(alone))).isEqualTo(bits(same));
      }
    }
  }

  @Property(tries = 150)
  void productsAgreeWithDequantisedWeightsInDoublePrecision(
      @ForAll WeightType type,
      @ForAll @IntRange(min = 1, max = 6) int rows,
      @ForAll @IntRange(min = 1, max = 50) int out,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int in = columns(type, random);
    StoredTensor tensor = Weights.random(type, out, in, false, random);
    INDArray x = array(rows, in, random);
    INDArray y = ops.allocate(rows, out);
    ops.linear(x, new Linear(ops.matrix(tensor), null), y);
    float[] numbers = read(x);
    float[] actual = read(y);
    float[] weights = new float[in];
    for (int o = 0; o < out; o++) {
      Dequantize.row(tensor, o, weights);
      for (int r = 0; r < rows; r++) {
        double sum = 0;
        double magnitude = 0;
        double rounding = 0;
        for (int i = 0; i < in; i++) {
          double product = (double) numbers[r * in + i] * weights[i];
          sum += product;
          magnitude += Math.abs(product);
          rounding += Math.abs(weights[i]) * step(type, numbers, r * in, i) / 2;
        }
        assertThat((double) actual[r * out + o])
            .as("%s", type)
            .isCloseTo(sum, within(ROUNDING * magnitude + rounding * 1.0001));
      }
    }
  }

  /** What lies between two activations as they are rounded for packed weights. */
  private static double step(WeightType type, float[] numbers, int row, int column) {
    if (!JvmOps.packs(type)) {
      return 0;
    }
    boolean fives = type == WeightType.Q5_0 || type == WeightType.Q5_K;
    int together = fives ? Packed.FIVE_COLUMNS : Packed.COLUMNS;
    float most = 0;
    for (int i = 0; i < together; i++) {
      int block = column / together * together;
      most = Math.max(most, Math.abs(numbers[row + block + i]));
    }
    return most / (type == WeightType.Q8_0 ? Packed.FINE_LARGEST : Packed.LARGEST);
  }

  @Test
  void tablesAreForLookupsOnly() {
    SplittableRandom random = new SplittableRandom(5);
    StoredTensor tensor = Weights.random(WeightType.Q4_0, 40, 64, false, random);
    float[] expected = new float[64];
    Dequantize.row(tensor, 39, expected);
    try (Matrix table = ops.table(tensor);
        Matrix matrix = ops.matrix(tensor)) {
      for (Matrix lookup : List.of(table, matrix)) {
        INDArray out = ops.allocate(1, 64);
        ops.embed(lookup, new int[] {39}, out);
        assertThat(read(out)).isEqualTo(expected);
      }
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> ops.linear(array(1, 64, random), new Linear(table, null), ops.allocate(1, 40)))
          .withMessage("random Q4_0 is a table for lookups only");
    }
  }

  @Test
  void memoryOfPackedWeightsIsNotLimitedByTheHeap() {
    assertThat(System.getProperty("org.bytedeco.javacpp.maxPhysicalBytes")).isEqualTo("0");
  }

  @Test
  void packedWeightsAreFreedOnce() {
    SplittableRandom random = new SplittableRandom(6);
    Matrix matrix = ops.matrix(Weights.random(WeightType.Q4_0, 40, 64, false, random));
    matrix.close();
    matrix.close();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> ops.linear(array(1, 64, random), new Linear(matrix, null), ops.allocate(1, 40)));
  }

  @ParameterizedTest
  @CsvSource({"Q8_0, 0", "Q4_0, 0", "Q4_K, 0", "Q4_K, 2", "Q5_0, 0", "Q5_K, 2", "Q6_K, 208"})
  void scalesThatAreNotFiniteAreRefused(WeightType type, int at) {
    StoredTensor tensor = Weights.random(type, 40, 256, false, new SplittableRandom(7));
    long block = type.bytes(256 * 39);
    tensor.data().set(ValueLayout.JAVA_SHORT_UNALIGNED, block + at, (short) 0xfc00);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.matrix(tensor))
        .withMessage("tensor random %s: a scale of -Infinity, expected finite ones", type);
  }

  @Property(tries = 40)
  void attentionHasTheSameBitsForAnyWidthThreadsAndNumberOfRows(
      @ForAll @IntRange(min = 1, max = 140) int headSize,
      @ForAll @IntRange(min = 1, max = 3) int keyValueHeads,
      @ForAll @IntRange(min = 1, max = 3) int shared,
      @ForAll boolean biased,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int heads = keyValueHeads * shared;
    int length = 1 + random.nextInt(250);
    INDArray q = array(length, heads * headSize, random);
    INDArray k = array(length, keyValueHeads * headSize, random);
    INDArray v = array(length, keyValueHeads * headSize, random);
    Alibi alibi = biased ? Alibi.ofHeads(heads) : null;
    int[] expected = null;
    for (JvmOps ops : CONFIGURATIONS) {
      INDArray out = ops.allocate(length, heads * headSize);
      try (KeyValueStore store = ops.newKeyValueStore(1, keyValueHeads, headSize)) {
        int past = 0;
        while (past < length) {
          int rows = ops.threads() == 1 ? 1 + random.nextInt(length - past) : length - past;
          ops.attention(
              0,
              NativeArrays.rows(q, past, past + rows),
              NativeArrays.rows(k, past, past + rows),
              NativeArrays.rows(v, past, past + rows),
              new AttentionBatch().add(store, rows, past),
              0.3f,
              alibi,
              NativeArrays.rows(out, past, past + rows));
          past += rows;
        }
      }
      int[] actual = bits(read(out));
      expected = expected == null ? actual : expected;
      assertThat(actual)
          .as("%d bits, %d threads", ops.vectorBits(), ops.threads())
          .isEqualTo(expected);
    }
  }

  @Test
  void halfPrecisionKeysAndValuesAreRoundedAndTakeHalfTheMemory() {
    SplittableRandom random = new SplittableRandom(3);
    int length = 130;
    INDArray q = array(length, 4 * 24, random);
    INDArray k = array(length, 2 * 24, random);
    INDArray v = array(length, 2 * 24, random);
    v.putScalar(0, 1e6f); // beyond the range
    INDArray rounded = k.dup();
    INDArray roundedValues = v.dup();
    for (INDArray array : List.of(rounded, roundedValues)) {
      for (long i = 0; i < array.length(); i++) {
        float clamped = Math.min(array.getFloat(i), 65504);
        array.putScalar(i, Float.float16ToFloat(Float.floatToFloat16(clamped)));
      }
    }
    for (int bits : KernelProvider.supported()) {
      JvmOps single = JvmOps.builder().vectorBits(bits).build();
      JvmOps half = JvmOps.builder().vectorBits(bits).keyValueType(WeightType.F16).build();
      INDArray expected = single.allocate(length, 4 * 24);
      INDArray actual = single.allocate(length, 4 * 24);
      try (KeyValueStore exact = single.newKeyValueStore(1, 2, 24);
          KeyValueStore narrow = half.newKeyValueStore(1, 2, 24)) {
        AttentionBatch batch = new AttentionBatch().add(exact, length, 0);
        single.attention(0, q, rounded, roundedValues, batch, 0.2f, null, expected);
        half.attention(0, q, k, v, new AttentionBatch().add(narrow, length, 0), 0.2f, null, actual);
        assertThat(bits(read(actual))).as("%d bits", bits).isEqualTo(bits(read(expected)));
        assertThat(2 * narrow.bytes()).isEqualTo(exact.bytes());
      }
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> JvmOps.builder().keyValueType(WeightType.Q8_0))
        .withMessage("keys and values as Q8_0, expected F32 or F16");
  }

  @Property(tries = 30)
  void rowsOfTheOtherOperationsDoNotDependOnEachOther(
      @ForAll @IntRange(min = 1, max = 9) int rows, @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int n = 2 * (1 + random.nextInt(4000));
    INDArray a = array(rows, n, random);
    INDArray b = array(rows, n, random);
    INDArray weight = array(1, n, random).reshape(n);
    INDArray angles = array(rows, n / 2, random);
    for (JvmOps ops : CONFIGURATIONS) {
      List<INDArray> together = apply(ops, a, b, weight, angles);
      for (int r = 0; r < rows; r++) {
        List<INDArray> alone =
            apply(
                CONFIGURATIONS.getFirst(),
                NativeArrays.rows(a, r, r + 1),
                NativeArrays.rows(b, r, r + 1),
                weight,
                NativeArrays.rows(angles, r, r + 1));
        for (int i = 0; i < alone.size(); i++) {
          assertThat(bits(read(NativeArrays.rows(together.get(i), r, r + 1))))
              .as("operation %d, %d bits, %d threads", i, ops.vectorBits(), ops.threads())
              .isEqualTo(bits(read(alone.get(i))));
        }
      }
    }
  }

  private static List<INDArray> apply(
      JvmOps ops, INDArray a, INDArray b, INDArray weight, INDArray angles) {
    List<INDArray> outs = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      outs.add(ops.allocate(a.rows(), a.columns()));
    }
    ops.rmsNorm(a, weight, 1e-5f, outs.get(0));
    ops.layerNorm(a, weight, weight, 1e-5f, outs.get(1));
    ops.siluGate(a, b, outs.get(2));
    ops.gelu(a, outs.get(3));
    ops.add(a, b, outs.get(4));
    ops.add(a, b, outs.get(5));
    ops.rotary(outs.get(5), angles, angles, RotaryLayout.HALVES);
    ops.add(a, b, outs.get(6));
    ops.rotary(outs.get(6), angles, angles, RotaryLayout.PAIRS);
    ops.tanh(a, outs.get(7));
    return outs;
  }

  @Test
  void wrongShapesAreRefusedBeforeAnyMemoryIsTouched() {
    SplittableRandom random = new SplittableRandom(1);
    Matrix matrix = ops.matrix(Weights.random(WeightType.F32, 5, 8, false, random));
    Linear layer = new Linear(matrix, null);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.linear(ops.allocate(1, 7), layer, ops.allocate(1, 5)))
        .withMessageContaining("[5, 8]")
        .withMessageContaining("7");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.linear(ops.allocate(2, 8), layer, ops.allocate(1, 5)))
        .withMessageContaining("[1, 5], expected [2, 5]");
    INDArray doubles = Nd4j.create(DataType.DOUBLE, 2, 8);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.add(doubles, doubles, doubles))
        .withMessageContaining("DOUBLE");
    INDArray columns = Nd4j.create(DataType.FLOAT, 8, 2).transpose();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.gelu(columns, columns))
        .withMessageContaining("strides [1, 2]");
    Matrix foreign = TensorOps.nd4j().matrix(Weights.random(WeightType.F32, 5, 8, false, random));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.embed(foreign, new int[] {0}, ops.allocate(1, 8)))
        .withMessageContaining("other tensor operations");
  }

  /** A number of columns: not a multiple of 16 where the type allows that. */
  private static int columns(WeightType type, SplittableRandom random) {
    if (random.nextInt(8) == 0) { // more than is multiplied together
      return type.blockSize() * (1 + random.nextInt(2600 / type.blockSize()));
    }
    return type.blockSize() * (1 + random.nextInt(type.blockSize() == 1 ? 200 : 2));
  }

  private static INDArray array(int rows, int columns, SplittableRandom random) {
    INDArray array = Nd4j.createUninitialized(DataType.FLOAT, rows, columns);
    MemorySegment memory = NativeArrays.floats(array);
    for (long i = 0; i < array.length(); i++) {
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return array;
  }

  private static float[] read(INDArray array) {
    return NativeArrays.floats(array).toArray(ValueLayout.JAVA_FLOAT);
  }

  private static int[] bits(float[] numbers) {
    int[] bits = new int[numbers.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToIntBits(numbers[i]);
    }
    return bits;
  }
}
