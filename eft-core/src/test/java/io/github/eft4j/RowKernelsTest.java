package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Vectors against one number at a time: the same bits. */
class RowKernelsTest {
  private final RowKernels scalar = new ScalarRowKernels();
  private final RowKernels vector = new VectorRowKernels();

  private static double[] random(Random random, int n, double spread) {
    return random.doubles(n, -spread, spread).toArray();
  }

  @Test
  void theBuildRunsOnVectors() {
    assertThat(RowKernels.fastest()).isInstanceOf(VectorRowKernels.class);
  }

  @Property(tries = 300)
  void exponentialsAndTheirSum(@ForAll @IntRange(min = 1, max = 200) int n, @ForAll long seed) {
    Random random = new Random(seed);
    double[] scores = random(random, n, seed % 2 == 0 ? 10 : 900);
    if (n > 5) {
      scores[3] = Double.NEGATIVE_INFINITY;
    }
    double max = scalar.max(scores);
    double[] expected = new double[n];
    double[] found = new double[n];

    assertThat(vector.max(scores)).isEqualTo(max);
    assertThat(vector.exp(scores, max, 0.7, found, new double[RowKernels.SUMS]))
        .isEqualTo(scalar.exp(scores, max, 0.7, expected, new double[RowKernels.SUMS]));
    assertThat(found).isEqualTo(expected);
    assertThat(vector.sumExp(scores, max, new double[RowKernels.SUMS]))
        .isEqualTo(scalar.sumExp(scores, max, new double[RowKernels.SUMS]))
        .isEqualTo(scalar.exp(scores, max, 1, expected, new double[RowKernels.SUMS]));
  }

  @Property(tries = 300)
  void exponentialsAroundTheLeast(@ForAll @IntRange(min = 1, max = 100) int n, @ForAll long seed) {
    double least = Distribution.EXP2_LEAST / Distribution.LOG2_E;
    double[] scores = new Random(seed).doubles(n, 1.001 * least, 0.999 * least).toArray();
    double[] expected = new double[n];
    double[] found = new double[n];

    scalar.exp(scores, 0, 1, expected, new double[RowKernels.SUMS]);
    vector.exp(scores, 0, 1, found, new double[RowKernels.SUMS]);
    assertThat(found).isEqualTo(expected);
    for (int i = 0; i < n; i++) {
      assertThat(found[i])
          .isCloseTo(
              scores[i] * Distribution.LOG2_E < Distribution.EXP2_LEAST
                  ? 0
                  : StrictMath.exp(scores[i]),
              withinPercentage(1e-9));
    }
  }

  @Property(tries = 300)
  void everyNanOfFloat32SpoilsTheSum(
      @ForAll @IntRange(min = 1, max = 100) int n, @ForAll int bits, @ForAll long seed) {
    Random random = new Random(seed);
    double[] scores = random(random, n, 10);
    scores[random.nextInt(n)] = Float.intBitsToFloat(bits | 0x7fc00000);

    for (RowKernels kernels : new RowKernels[] {scalar, vector}) {
      assertThat(kernels.sumExp(scores, 10, new double[RowKernels.SUMS])).isNaN();
      assertThat(kernels.exp(scores, 10, 0.7, new double[n], new double[RowKernels.SUMS])).isNaN();
    }
  }

  @Property(tries = 300)
  void weightedSumsOfRows(
      @ForAll @IntRange(min = 1, max = 5000) int n,
      @ForAll @IntRange(min = 0, max = 4) int leaves,
      @ForAll long seed) {
    Random random = new Random(seed);
    INDArray[] arrays = new INDArray[5];
    MemorySegment[] rows = new MemorySegment[arrays.length];
    for (int k = 0; k < arrays.length; k++) {
      float[] logits = new float[n];
      for (int i = 0; i < n; i++) {
        logits[i] = (float) (10 * random.nextGaussian());
      }
      arrays[k] = Nd4j.createFromArray(logits);
      rows[k] = NativeArrays.floats(arrays[k]);
    }
    double[] weights = random(random, leaves, 3);
    int[] which = random.ints(leaves, 0, arrays.length).toArray();
    double[] expected = random(random, n, 5);
    double[] found = random(random, n, 5);

    double greatest = scalar.combine(weights, which, rows, expected);
    assertThat(vector.combine(weights, which, rows, found))
        .isEqualTo(greatest)
        .isEqualTo(Arrays.stream(expected).max().orElseThrow());
    assertThat(found).isEqualTo(expected);
    int probe = random.nextInt(n);
    double sum = 0;
    for (int k = 0; k < leaves; k++) {
      sum += weights[k] * arrays[which[k]].getFloat(probe);
    }
    assertThat(found[probe]).isCloseTo(sum, within(1e-12));

    if (leaves > 0) {
      float[] bad = {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY};
      arrays[which[0]].putScalar(probe, bad[random.nextInt(bad.length)]);
      assertThat(scalar.combine(weights, which, rows, expected)).isNaN();
      assertThat(vector.combine(weights, which, rows, found)).isNaN();
    }
  }

  @Property(tries = 300)
  void racesAndCandidates(@ForAll @IntRange(min = 1, max = 200) int n, @ForAll long seed) {
    Random random = new Random(seed);
    double[] weights = random.doubles(n).map(w -> w < 0.2 ? 0 : w).toArray();
    weights[random.nextInt(n)] = 1;
    int[] expected = new int[n];
    int[] found = new int[n];

    for (double least : new double[] {0, 0.6, 1}) {
      int winner = vector.race(weights, least, seed);
      assertThat(winner).isEqualTo(scalar.race(weights, least, seed));
      assertThat(weights[winner]).isPositive().isGreaterThanOrEqualTo(least);
      double[] kept = Arrays.stream(weights).map(w -> w < least ? 0 : w).toArray();
      assertThat(winner).isEqualTo(scalar.race(kept, 0, seed));

      int count = vector.collect(weights, 0.5 * least, found);
      assertThat(count).isEqualTo(scalar.collect(weights, 0.5 * least, expected));
      assertThat(Arrays.copyOf(found, count))
          .isEqualTo(Arrays.copyOf(expected, count))
          .isEqualTo(
              IntStream.range(0, n)
                  .filter(i -> weights[i] > 0 && weights[i] >= 0.5 * least)
                  .toArray());
      assertThat(vector.race(weights, least, found, count, seed)).isEqualTo(winner);
    }
  }
}
