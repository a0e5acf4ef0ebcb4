package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.Random;
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
  }

  @Property(tries = 300)
  void scaledSums(@ForAll @IntRange(min = 1, max = 200) int n, @ForAll long seed) {
    Random random = new Random(seed);
    float[] logits = new float[n];
    for (int i = 0; i < n; i++) {
      logits[i] = (float) (10 * random.nextGaussian());
    }
    double[] expected = random(random, n, 5);
    double[] found = expected.clone();
    INDArray array = Nd4j.createFromArray(logits);
    MemorySegment row = NativeArrays.floats(array);

    assertThat(scalar.addScaled(1.7, row, expected)).isTrue();
    assertThat(vector.addScaled(1.7, row, found)).isTrue();
    assertThat(found).isEqualTo(expected);

    array.putScalar(random.nextInt(n), random.nextBoolean() ? Float.NaN : Float.NEGATIVE_INFINITY);
    assertThat(scalar.addScaled(1.7, row, expected)).isFalse();
    assertThat(vector.addScaled(1.7, row, found)).isFalse();
  }

  @Property(tries = 300)
  void racesAndFilters(@ForAll @IntRange(min = 1, max = 200) int n, @ForAll long seed) {
    Random random = new Random(seed);
    double[] weights = random.doubles(n).map(w -> w < 0.2 ? 0 : w).toArray();
    weights[random.nextInt(n)] = 1;
    double[] expected = new double[n];
    double[] found = new double[n];

    assertThat(vector.race(weights, seed)).isEqualTo(scalar.race(weights, seed));
    assertThat(vector.collect(weights, 0.5, found))
        .isEqualTo(scalar.collect(weights, 0.5, expected));
    assertThat(found).isEqualTo(expected);
    double[] other = weights.clone();
    vector.zeroBelow(weights, 0.6);
    scalar.zeroBelow(other, 0.6);
    assertThat(weights).isEqualTo(other);
  }
}
