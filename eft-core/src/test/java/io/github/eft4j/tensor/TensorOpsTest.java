package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Holds every implementation of {@link TensorOps} against the formulas in its Javadoc, computed
 * here in float64 by plain loops.
 *
 * <p>Arrays are rows of larger arrays, with NaN in all that an operation must not read.
 */
@ParameterizedClass
@MethodSource("implementations")
class TensorOpsTest {
  /**
   * Relative to the sum of the magnitudes of all that is added up. Float32 rounds by 6e-8; sums
   * here have up to about 200 terms, in an order that the implementation chooses.
   */
  private static final double TOLERANCE = 1e-5;

  static List<TensorOps> implementations() {
    List<TensorOps> implementations = new ArrayList<>(List.of(TensorOps.nd4j()));
    for (int bits : KernelProvider.supported()) {
      implementations.add(JvmOps.builder().vectorBits(bits).threads(2).build());
    }
    return implementations;
  }

  private final TensorOps ops;
  private final SplittableRandom random = new SplittableRandom(42);
  private final Arena arena = Arena.ofShared();

  TensorOpsTest(TensorOps ops) {
    this.ops = ops;
  }

  @AfterEach
  void unmap() {
    arena.close();
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "1,7,5", "2,16,16", "3,17,33", "9,64,70", "17,130,67", "5,2500,13"})
  void linearMultipliesWithTheTransposedWeight(int rows, int in, int out) {
    float[][] x = random(rows, in);
    List<float[][]> weights = List.of(random(out, in), random(1, in), random(out + 3, in));
    List<float[]> biases = List.of(random(out), random(1), random(out + 3));
    List<Linear> layers = new ArrayList<>();
    List<INDArray> outs = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      INDArray bias = i == 1 ? null : ops.vector(vector(biases.get(i)));
      layers.add(new Linear(ops.matrix(matrix(weights.get(i), WeightType.F32)), bias));
      outs.add(target(rows, weights.get(i).length));
    }
    ops.linear(array(x), layers, outs);
    for (int i = 0; i < 3; i++) {
      float[] bias = i == 1 ? new float[1] : biases.get(i);
      assertProduct(x, weights.get(i), bias, outs.get(i));
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void linearReadsWeightsAsTheyAreStored(WeightType type) {
    float[][] weight = round(random(19, 34), type);
    Matrix matrix = ops.matrix(matrix(weight, type));
    assertThat(matrix.rows()).isEqualTo(19);
    assertThat(matrix.columns()).isEqualTo(34);
    for (int rows : new int[] {1, 5}) {
      float[][] x = random(rows, 34);
      INDArray out = target(rows, 19);
      ops.linear(array(x), new Linear(matrix, null), out);
      assertProduct(x, weight, new float[19], out);
    }
  }

  private static void assertProduct(float[][] x, float[][] w, float[] bias, INDArray out) {
    float[][] actual = read(out);
    for (int r = 0; r < x.length; r++) {
      for (int o = 0; o < w.length; o++) {
        double sum = bias[o];
        double magnitude = 1e-30 + Math.abs(bias[o]);
        for (int i = 0; i < w[o].length; i++) {
          sum += (double) x[r][i] * w[o][i];
          magnitude += Math.abs((double) x[r][i] * w[o][i]);
        }
        assertThat((double) actual[r][o]).isCloseTo(sum, within(TOLERANCE * magnitude));
      }
    }
  }

  @Test
  void readsMappedWeightsAtAnyAlignment(@TempDir Path directory) throws IOException {
    float[][] weight = random(3, 5);
    MemorySegment data = matrix(weight, WeightType.F32).data();
    float[][] x = random(2, 5);
    for (int offset = 0; offset < 4; offset++) {
      Path file = directory.resolve("weights" + offset);
      byte[] bytes = new byte[offset + (int) data.byteSize()];
      MemorySegment.copy(data, ValueLayout.JAVA_BYTE, 0, bytes, offset, (int) data.byteSize());
      Files.write(file, bytes);
      try (FileChannel channel = FileChannel.open(file)) {
        MemorySegment mapped =
            channel.map(FileChannel.MapMode.READ_ONLY, offset, data.byteSize(), arena);
        Matrix matrix = ops.matrix(new StoredTensor("w", WeightType.F32, 3, 5, mapped));
        INDArray out = target(2, 3);
        ops.linear(array(x), new Linear(matrix, null), out);
        assertProduct(x, weight, new float[3], out);
        matrix.close();
        matrix.close();
        assertThat(mapped.mismatch(data)).isEqualTo(-1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void embedLooksUpRows(WeightType type) {
    float[][] table = round(random(11, 13), type);
    int[] ids = {10, 0, 3, 3, 99};
    INDArray out = target(4, 13);
    ops.embed(ops.matrix(matrix(table, type)), ids, out);
    assertThat(read(out)).isDeepEqualTo(new float[][] {table[10], table[0], table[3], table[3]});
  }

  @Test
  void gatherCopiesRows() {
    float[][] x = random(5, 3);
    INDArray out = target(2, 3);
    ops.gather(array(x), new int[] {4, 1, 77}, out);
    assertThat(read(out)).isDeepEqualTo(new float[][] {x[4], x[1]});
  }

  @ParameterizedTest
  @CsvSource({"1,1,1e-5", "1,64,1e-6", "3,17,1e-5", "4,100,1e-2"})
  void rmsNormDividesByTheRootMeanSquare(int rows, int n, float epsilon) {
    float[][] x = random(rows, n);
    float[] weight = random(n);
    double[][] expected = new double[rows][n];
    for (int r = 0; r < rows; r++) {
      double squares = 0;
      for (float v : x[r]) {
        squares += (double) v * v;
      }
      for (int i = 0; i < n; i++) {
        expected[r][i] = x[r][i] / Math.sqrt(squares / n + epsilon) * weight[i];
      }
    }
    INDArray out = target(rows, n);
    ops.rmsNorm(array(x), ops.vector(vector(weight)), epsilon, out);
    assertClose(out, expected);
    INDArray inPlace = array(x);
    ops.rmsNorm(inPlace, ops.vector(vector(weight)), epsilon, inPlace);
    assertClose(inPlace, expected);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1e-5", "1,64,1e-6", "3,17,1e-5", "4,100,1e-2"})
  void layerNormSubtractsTheMeanAndDividesByTheDeviation(int rows, int n, float epsilon) {
    float[][] x = random(rows, n);
    float[] weight = random(n);
    float[] bias = random(n);
    double[][] expected = new double[rows][n];
    for (int r = 0; r < rows; r++) {
      double mean = 0;
      for (float v : x[r]) {
        mean += v / (double) n;
      }
      double variance = 0;
      for (float v : x[r]) {
        variance += (v - mean) * (v - mean) / n;
      }
      for (int i = 0; i < n; i++) {
        expected[r][i] = (x[r][i] - mean) / Math.sqrt(variance + epsilon) * weight[i] + bias[i];
      }
    }
    INDArray out = target(rows, n);
    ops.layerNorm(array(x), ops.vector(vector(weight)), ops.vector(vector(bias)), epsilon, out);
    assertClose(out, expected);
    INDArray inPlace = array(x);
    ops.layerNorm(inPlace, ops.vector(vector(weight)), ops.vector(vector(bias)), epsilon, inPlace);
    assertClose(inPlace, expected);
  }

  @ParameterizedTest
  @CsvSource({"1,6,2,2", "1,4,4,4", "2,8,2,2", "3,9,3,3", "6,6,6,6"})
  void splitTakesGroupsApart(int groups, int query, int key, int value) {
    int rows = 3;
    int size = (query + key + value) / groups;
    float[][] fused = random(rows, groups * size);
    INDArray q = target(rows, query);
    INDArray k = target(rows, key);
    INDArray v = target(rows, value);
    ops.split(array(fused), groups, q, k, v);
    for (int r = 0; r < rows; r++) {
      List<Float> queries = new ArrayList<>();
      List<Float> keys = new ArrayList<>();
      List<Float> values = new ArrayList<>();
      for (int i = 0; i < fused[r].length; i++) {
        int inGroup = i % size;
        List<Float> part =
            inGroup < query / groups ? queries : inGroup < (query + key) / groups ? keys : values;
        part.add(fused[r][i]);
      }
      assertThat(read(q)[r]).containsExactly(queries.toArray(Float[]::new));
      assertThat(read(k)[r]).containsExactly(keys.toArray(Float[]::new));
      assertThat(read(v)[r]).containsExactly(values.toArray(Float[]::new));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,2,HALVES", "1,1,2,PAIRS", "1,4,16,HALVES", "1,4,16,PAIRS",
    "5,3,6,HALVES", "5,3,6,PAIRS", "4,2,128,HALVES", "4,2,34,PAIRS"
  })
  void rotaryTurnsPairs(int rows, int heads, int headSize, RotaryLayout layout) {
    int half = headSize / 2;
    float[][] x = random(rows, heads * headSize);
    float[][] angles = random(rows, half);
    float[][] cos = new float[rows][half];
    float[][] sin = new float[rows][half];
    double[][] expected = new double[rows][heads * headSize];
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < half; i++) {
        cos[r][i] = (float) Math.cos(angles[r][i]);
        sin[r][i] = (float) Math.sin(angles[r][i]);
        for (int h = 0; h < heads; h++) {
          int a = h * headSize + (layout == RotaryLayout.HALVES ? i : 2 * i);
          int b = layout == RotaryLayout.HALVES ? a + half : a + 1;
          expected[r][a] = (double) x[r][a] * cos[r][i] - (double) x[r][b] * sin[r][i];
          expected[r][b] = (double) x[r][b] * cos[r][i] + (double) x[r][a] * sin[r][i];
        }
      }
    }
    INDArray rotated = array(x);
    ops.rotary(rotated, array(cos), array(sin), layout);
    assertClose(rotated, expected);
  }

  @ParameterizedTest
  @CsvSource({
    // heads, key/value heads, head size, ALiBi
    "1,1,2,false",
    "4,4,16,false",
    "8,2,8,false",
    "6,1,10,false",
    "3,3,7,false",
    "4,2,64,false",
    "4,4,16,true",
    "6,6,10,true",
    "16,16,4,true"
  })
  void attentionIsCausalSoftmaxOverTheSequence(
      int heads, int keyValueHeads, int headSize, boolean biased) {
    Alibi alibi = biased ? Alibi.ofHeads(heads) : null;
    float scale = (float) (1 / Math.sqrt(headSize));
    int[][] newRows = {{1, 40, 3}, {2, 1, 0}, {5, 30, 1}, {1, 1, 1}, {0, 7, 70}};
    List<List<float[]>> keys = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    List<List<float[]>> values = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    List<KeyValueStore> stores = new ArrayList<>();
    for (int s = 0; s < 3; s++) {
      stores.add(ops.newKeyValueStore(2, keyValueHeads, headSize));
    }
    AttentionBatch batch = new AttentionBatch();
    for (int[] counts : newRows) {
      batch.clear();
      for (int s = 0; s < 3; s++) {
        if (counts[s] > 0) {
          batch.add(stores.get(s), counts[s], keys.get(s).size());
        }
      }
      int rows = batch.rows();
      float[][] q = random(rows, heads * headSize);
      float[][] k = random(rows, keyValueHeads * headSize);
      float[][] v = random(rows, keyValueHeads * headSize);
      INDArray out = target(rows, heads * headSize);
      // The other layer holds something else, which must not show.
      ops.attention(0, array(q), array(v), array(k), batch, scale, alibi, out);
      ops.attention(1, array(q), array(k), array(v), batch, scale, alibi, out);
      float[][] actual = read(out);
      int row = 0;
      for (int s = 0; s < 3; s++) {
        for (int i = 0; i < counts[s]; i++, row++) {
          keys.get(s).add(k[row]);
          values.get(s).add(v[row]);
          double[] expected = attend(q[row], keys.get(s), values.get(s), heads, scale, alibi);
          assertClose(actual[row], expected);
        }
      }
    }
    stores.forEach(KeyValueStore::close);
  }

  @Test
  void bidirectionalAttentionReadsAheadButNotWhatIsHidden() {
    int heads = 2;
    int headSize = 5;
    int[] rows = {3, 40, 1, 6};
    int[] readable = {3, 37, 1, 5};
    AttentionBatch batch = new AttentionBatch();
    for (int s = 0; s < rows.length; s++) {
      batch.addBidirectional(ops.newKeyValueStore(1, heads, headSize), rows[s], readable[s]);
    }
    for (int pass = 0; pass < 2; pass++) { // the second writes over the first
      float[][] q = random(batch.rows(), heads * headSize);
      float[][] k = random(batch.rows(), heads * headSize);
      float[][] v = random(batch.rows(), heads * headSize);
      INDArray out = target(batch.rows(), heads * headSize);
      ops.attention(0, array(q), array(k), array(v), batch, 0.5f, null, out);
      float[][] actual = read(out);
      for (int s = 0; s < rows.length; s++) {
        List<float[]> keys = List.of(k).subList(batch.start(s), batch.start(s) + readable[s]);
        List<float[]> values = List.of(v).subList(batch.start(s), batch.start(s) + readable[s]);
        for (int row = batch.start(s); row < batch.end(s); row++) {
          assertClose(actual[row], attend(q[row], keys, values, heads, 0.5f, null));
        }
      }
    }
    for (int s = 0; s < rows.length; s++) {
      batch.store(s).close();
    }
  }

  @Test
  void bidirectionalSequencesReadAtLeastOneRow() {
    try (KeyValueStore store = ops.newKeyValueStore(1, 1, 2)) {
      AttentionBatch batch = new AttentionBatch();
      for (int readable : new int[] {0, 4}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> batch.addBidirectional(store, 3, readable))
            .withMessage(readable + " readable positions, expected 1 to the 3 rows");
      }
    }
  }

  private static double[] attend(
      float[] query,
      List<float[]> keys,
      List<float[]> values,
      int heads,
      float scale,
      @Nullable Alibi alibi) {
    int headSize = query.length / heads;
    int keyValueHeads = keys.getFirst().length / headSize;
    double[] out = new double[query.length];
    for (int h = 0; h < heads; h++) {
      int from = h * keyValueHeads / heads * headSize;
      double[] weights = new double[keys.size()];
      double sum = 0;
      for (int p = 0; p < keys.size(); p++) {
        double score = alibi == null ? 0 : alibi.bias(h, p);
        for (int i = 0; i < headSize; i++) {
          score += (double) query[h * headSize + i] * keys.get(p)[from + i];
        }
        weights[p] = Math.exp(score * scale);
        sum += weights[p];
      }
      for (int p = 0; p < keys.size(); p++) {
        for (int i = 0; i < headSize; i++) {
          out[h * headSize + i] += weights[p] / sum * values.get(p)[from + i];
        }
      }
    }
    return out;
  }

  @Test
  void attentionSurvivesLargeScores() {
    AttentionBatch batch = new AttentionBatch().add(ops.newKeyValueStore(1, 1, 2), 2, 0);
    INDArray out = target(2, 2);
    ops.attention(
        0,
        array(new float[][] {{1000, 0}, {1000, 0}}),
        array(new float[][] {{1000, 0}, {-1000, 0}}),
        array(new float[][] {{1, 2}, {3, 4}}),
        batch,
        1,
        null,
        out);
    assertThat(read(out)).isDeepEqualTo(new float[][] {{1, 2}, {1, 2}});
    batch.store(0).close();
  }

  @Test
  void rejectedPositionsAreOverwritten() {
    KeyValueStore store = ops.newKeyValueStore(1, 1, 2);
    float[][] q = random(3, 2);
    float[][] k = random(3, 2);
    float[][] v = random(3, 2);
    INDArray once = target(3, 2);
    ops.attention(
        0, array(q), array(k), array(v), new AttentionBatch().add(store, 3, 0), 1, null, once);
    float[][] junk = random(2, 2);
    AttentionBatch drafted = new AttentionBatch().add(store, 2, 1);
    ops.attention(0, array(junk), array(junk), array(junk), drafted, 1, null, target(2, 2));
    float[][] lastTwo = {q[1], q[2]};
    INDArray again = target(2, 2);
    ops.attention(
        0,
        array(lastTwo),
        array(new float[][] {k[1], k[2]}),
        array(new float[][] {v[1], v[2]}),
        drafted,
        1,
        null,
        again);
    assertClose(again, toDouble(new float[][] {read(once)[1], read(once)[2]}));
    store.close();
  }

  @Test
  void copiedStoresAreIndependent() {
    KeyValueStore store = ops.newKeyValueStore(2, 2, 3);
    float[][] k = random(50, 6);
    float[][] v = random(50, 6);
    for (int layer = 0; layer < 2; layer++) {
      AttentionBatch batch = new AttentionBatch().add(store, 50, 0);
      ops.attention(layer, array(k), array(k), array(v), batch, 1, null, target(50, 6));
    }
    KeyValueStore copy = store.copy(40);
    assertThat(copy.bytes()).isPositive();
    float[][] q = random(1, 6);
    List<float[][]> nextKeys = List.of(random(1, 6), random(1, 6));
    List<float[][]> nextValues = List.of(random(1, 6), random(1, 6));
    List<KeyValueStore> stores = List.of(store, copy);
    List<INDArray> outs = List.of(target(1, 6), target(1, 6));
    for (int layer = 0; layer < 2; layer++) {
      for (int i = 0; i < 2; i++) {
        AttentionBatch batch = new AttentionBatch().add(stores.get(i), 1, 40);
        INDArray key = array(nextKeys.get(i));
        ops.attention(layer, array(q), key, array(nextValues.get(i)), batch, 1, null, outs.get(i));
      }
    }
    for (int i = 0; i < 2; i++) {
      List<float[]> keys = new ArrayList<>(List.of(k).subList(0, 40));
      List<float[]> values = new ArrayList<>(List.of(v).subList(0, 40));
      keys.add(nextKeys.get(i)[0]);
      values.add(nextValues.get(i)[0]);
      assertClose(read(outs.get(i))[0], attend(q[0], keys, values, 2, 1, null));
    }
    KeyValueStore empty = store.copy(0);
    store.close();
    copy.close();
    empty.close();
  }

  @Test
  void closedStoresHoldNothingAndAreRefused() {
    KeyValueStore store = ops.newKeyValueStore(2, 1, 4);
    store.close();
    store.close();
    assertThat(store.bytes()).isZero();
    assertThatIllegalStateException().isThrownBy(() -> store.copy(0));
    AttentionBatch batch = new AttentionBatch().add(store, 1, 0);
    INDArray x = array(random(1, 4));
    INDArray out = target(1, 4);
    assertThatIllegalStateException()
        .isThrownBy(() -> ops.attention(0, x, x, x, batch, 1, null, out));
  }

  @Test
  void siluGateMultipliesWithTheGate() {
    float[][] gate = random(3, 21);
    gate[1][0] = 100;
    gate[1][1] = -100;
    gate[1][2] = 0;
    float[][] up = random(3, 21);
    double[][] expected = new double[3][21];
    for (int r = 0; r < 3; r++) {
      for (int i = 0; i < 21; i++) {
        expected[r][i] = gate[r][i] / (1 + Math.exp(-gate[r][i])) * up[r][i];
      }
    }
    INDArray out = target(3, 21);
    ops.siluGate(array(gate), array(up), out);
    assertClose(out, expected);
    INDArray first = array(gate);
    ops.siluGate(first, array(up), first);
    assertClose(first, expected);
    INDArray second = array(up);
    INDArray untouched = array(gate);
    ops.siluGate(untouched, second, second);
    assertClose(second, expected);
    assertThat(read(untouched)).isDeepEqualTo(gate);
  }

  @Test
  void geluIsTheExactOne() {
    // Φ(x) from tables of the normal distribution.
    float[][] x = {{0, 1, -1, 0.5f, 3, -3, 10, -10}};
    double[][] expected = {
      {
        0,
        0.8413447460685429,
        -0.15865525393145707,
        0.5 * 0.6914624612740131,
        3 * 0.9986501019683699,
        -3 * 0.0013498980316301,
        10,
        0
      }
    };
    INDArray out = target(1, 8);
    INDArray untouched = array(x);
    ops.gelu(untouched, out);
    assertClose(out, expected);
    assertThat(read(untouched)).isDeepEqualTo(x);
    ops.gelu(untouched, untouched);
    assertClose(untouched, expected);
  }

  @Test
  void tanhOfSmallAndLargeNumbers() {
    float[][] x = {{0, 1e-6f, -0.01f, 0.3f, -1, 2.5f, 9, -100, 1e30f}};
    double[][] expected = {Arrays.stream(toDouble(x)[0]).map(Math::tanh).toArray()};
    INDArray out = target(1, 9);
    INDArray untouched = array(x);
    ops.tanh(untouched, out);
    assertClose(out, expected);
    assertThat(read(untouched)).isDeepEqualTo(x);
    ops.tanh(untouched, untouched);
    assertClose(untouched, expected);
  }

  @Test
  void addAddsInPlaceToo() {
    float[][] a = random(3, 5);
    float[][] b = random(3, 5);
    float[][] expected = new float[3][5];
    for (int r = 0; r < 3; r++) {
      for (int i = 0; i < 5; i++) {
        expected[r][i] = a[r][i] + b[r][i];
      }
    }
    INDArray out = target(3, 5);
    ops.add(array(a), array(b), out);
    assertThat(read(out)).isDeepEqualTo(expected);
    INDArray first = array(a);
    ops.add(first, array(b), first);
    assertThat(read(first)).isDeepEqualTo(expected);
    INDArray second = array(b);
    ops.add(array(a), second, second);
    assertThat(read(second)).isDeepEqualTo(expected);
  }

  @Test
  void manyThreadsGetWhatOneGets() throws Exception {
    float[][] weight = random(40, 48);
    Linear layer = new Linear(ops.matrix(matrix(weight, WeightType.F32)), null);
    INDArray norm = ops.vector(vector(random(40)));
    float[][] x = random(3, 48);
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<float[][]>> results = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        results.add(
            threads.submit(
                () -> {
                  INDArray out = ops.allocate(3, 40);
                  ops.linear(array(x), layer, out);
                  ops.rmsNorm(out, norm, 1e-5f, out);
                  return read(out);
                }));
      }
      float[][] first = results.getFirst().get();
      for (Future<float[][]> result : results) {
        assertThat(result.get()).isDeepEqualTo(first);
      }
    }
  }

  private float[] random(int n) {
    return random(1, n)[0];
  }

  private float[][] random(int rows, int columns) {
    float[][] numbers = new float[rows][columns];
    for (float[] row : numbers) {
      for (int i = 0; i < columns; i++) {
        row[i] = (float) (random.nextGaussian() * (random.nextInt(8) == 0 ? 4 : 1));
      }
    }
    return numbers;
  }

  private static float[][] round(float[][] numbers, WeightType type) {
    for (float[] row : numbers) {
      for (int i = 0; i < row.length; i++) {
        row[i] =
            switch (type) {
              case F16 -> Float.float16ToFloat(Float.floatToFloat16(row[i]));
              case BF16 -> Float.intBitsToFloat(Float.floatToRawIntBits(row[i]) & 0xffff0000);
              default -> row[i];
            };
      }
    }
    return numbers;
  }

  private StoredTensor vector(float[] numbers) {
    return matrix(new float[][] {numbers}, WeightType.F32);
  }

  private StoredTensor matrix(float[][] numbers, WeightType type) {
    int rows = numbers.length;
    int columns = numbers[0].length;
    MemorySegment data = arena.allocate(type.bytes((long) rows * columns), 64);
    var shorts = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    var floats = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);
    long i = 0;
    for (float[] row : numbers) {
      for (float v : row) {
        switch (type) {
          case F32 -> data.setAtIndex(floats, i++, v);
          case F16 -> data.setAtIndex(shorts, i++, Float.floatToFloat16(v));
          case BF16 -> data.setAtIndex(shorts, i++, (short) (Float.floatToRawIntBits(v) >>> 16));
          default -> throw new AssertionError(type);
        }
      }
    }
    return new StoredTensor("test", type, rows, columns, data);
  }

  /** The numbers as the first rows of a larger array. */
  private INDArray array(float[][] numbers) {
    INDArray larger = ops.allocate(numbers.length + 2, numbers[0].length);
    larger.assign(Float.NaN);
    INDArray array = NativeArrays.rows(larger, 0, numbers.length);
    for (int r = 0; r < numbers.length; r++) {
      MemorySegment row = NativeArrays.floats(NativeArrays.rows(array, r, r + 1));
      MemorySegment.copy(numbers[r], 0, row, ValueLayout.JAVA_FLOAT, 0, numbers[r].length);
    }
    NativeArrays.changed(array);
    return array;
  }

  /** Some rows in the middle of a larger array. */
  private INDArray target(int rows, int columns) {
    INDArray larger = ops.allocate(rows + 2, columns);
    larger.assign(Float.NaN);
    return NativeArrays.rows(larger, 1, rows + 1);
  }

  private static float[][] read(INDArray array) {
    float[][] numbers = new float[(int) array.size(0)][];
    for (int r = 0; r < numbers.length; r++) {
      numbers[r] =
          NativeArrays.floats(NativeArrays.rows(array, r, r + 1)).toArray(ValueLayout.JAVA_FLOAT);
    }
    return numbers;
  }

  private static double[][] toDouble(float[][] numbers) {
    double[][] doubles = new double[numbers.length][];
    for (int r = 0; r < numbers.length; r++) {
      doubles[r] = new double[numbers[r].length];
      for (int i = 0; i < numbers[r].length; i++) {
        doubles[r][i] = numbers[r][i];
      }
    }
    return doubles;
  }

  private static void assertClose(INDArray actual, double[][] expected) {
    float[][] rows = read(actual);
    assertThat(rows).hasNumberOfRows(expected.length);
    for (int r = 0; r < expected.length; r++) {
      assertClose(rows[r], expected[r]);
    }
  }

  /** Compares numbers whose terms are of the order of 1 to 10. */
  private static void assertClose(float[] actual, double[] expected) {
    assertThat(actual).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      double magnitude = Math.max(1, Math.abs(expected[i]));
      assertThat((double) actual[i]).isCloseTo(expected[i], within(TOLERANCE * magnitude));
    }
  }
}
