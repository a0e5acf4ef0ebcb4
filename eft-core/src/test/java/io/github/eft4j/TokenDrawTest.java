package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenDrawTest {
  private static final int DRAWS = 200_000;

  /**
   * Chance below one in a million that a right sampler exceeds it: the draws are fixed by a seed.
   */
  private static final double STANDARD_DEVIATIONS = 5;

  static Stream<SamplingOptions> distributions() {
    return Stream.of(
        SamplingOptions.builder().build(),
        SamplingOptions.builder().temperature(0.5).build(),
        SamplingOptions.builder().temperature(1.7).build(),
        SamplingOptions.builder().topK(5).build(),
        SamplingOptions.builder().topP(0.8).build(),
        SamplingOptions.builder().minP(0.2).build(),
        SamplingOptions.builder().temperature(1.3).topK(9).topP(0.9).minP(0.05).build());
  }

  @ParameterizedTest
  @MethodSource("distributions")
  void drawsFollowTheExactDistribution(SamplingOptions options) {
    Random random = new Random(7);
    double[] scores = random.doubles(20, -3, 3).toArray();
    double[] expected = exact(scores, options);
    int[] counts = new int[scores.length];
    TokenDraw draw = new TokenDraw(scores.length);
    for (int i = 0; i < DRAWS; i++) {
      counts[draw(draw, scores, options, Noise.address(42, i, Noise.Use.DRAW))]++;
    }

    double chiSquared = 0;
    int cells = 0;
    for (int id = 0; id < scores.length; id++) {
      if (expected[id] == 0) {
        assertThat(counts[id]).isZero();
      } else {
        double mean = DRAWS * expected[id];
        chiSquared += (counts[id] - mean) * (counts[id] - mean) / mean;
        cells++;
      }
    }
    // Chi-squared with f degrees of freedom has mean f and variance 2f.
    double freedom = cells - 1;
    assertThat(cells).isGreaterThan(2);
    assertThat(chiSquared).isLessThan(freedom + STANDARD_DEVIATIONS * Math.sqrt(2 * freedom));
  }

  private static int draw(TokenDraw draw, double[] scores, SamplingOptions options, long address) {
    draw.prepare(scores, options);
    return draw.draw(address);
  }

  /** The same filters, written as their definitions say. */
  private static double[] exact(double[] scores, SamplingOptions options) {
    double[] p = Arrays.stream(scores).map(s -> Math.exp(s / options.temperature())).toArray();
    List<Integer> order =
        IntStream.range(0, p.length)
            .boxed()
            .sorted(Comparator.<Integer>comparingDouble(i -> -p[i]).thenComparing(i -> i))
            .toList();
    List<Integer> kept =
        options.topK() > 0 ? order.subList(0, Math.min(options.topK(), p.length)) : order;
    double total = kept.stream().mapToDouble(i -> p[i]).sum();
    double sum = 0;
    int nucleus = 0;
    while (nucleus < kept.size() && (options.topP() == 1 || sum < options.topP() * total)) {
      sum += p[kept.get(nucleus++)];
    }
    List<Integer> last =
        kept.subList(0, nucleus).stream()
            .filter(i -> p[i] >= options.minP() * p[order.getFirst()])
            .toList();
    double z = last.stream().mapToDouble(i -> p[i]).sum();
    double[] result = new double[p.length];
    last.forEach(i -> result[i] = p[i] / z);
    return result;
  }

  @Provide
  Arbitrary<double[]> scores() {
    return Arbitraries.doubles()
        .between(-8, 8)
        .ofScale(1)
        .array(double[].class)
        .ofMinSize(1)
        .ofMaxSize(50);
  }

  @Property
  void filtersKeepWhatTheirDefinitionsSay(
      @ForAll("scores") double[] scores,
      @ForAll @IntRange(max = 60) int topK,
      @ForAll @DoubleRange(min = 0.01, max = 0.99) double topP,
      @ForAll @DoubleRange(max = 0.99) double minP) {
    SamplingOptions options =
        SamplingOptions.builder().temperature(0.9).topK(topK).topP(topP).minP(minP).build();
    TokenDraw draw = new TokenDraw(scores.length);
    int id = draw(draw, scores, options, Noise.address(1, 2, Noise.Use.DRAW));

    double[] expected = exact(scores, options);
    assertThat(IntStream.range(0, scores.length).filter(draw::keeps).toArray())
        .containsExactly(IntStream.range(0, scores.length).filter(i -> expected[i] > 0).toArray());
    assertThat(expected[id]).isPositive();
  }

  @Test
  void greedyTakesTheFirstOfTheLikeliest() {
    TokenDraw draw = new TokenDraw(4);
    SamplingOptions greedy = SamplingOptions.builder().greedy().build();

    assertThat(draw(draw, new double[] {0, 2, 2, 1}, greedy, 99)).isEqualTo(1);
    double z = Math.log(1 + 2 * Math.exp(2) + Math.E);
    assertThat(draw.logProbability(1)).isCloseTo(2 - z, within(1e-12));
  }

  @Test
  void logProbabilityIsThatBeforeTemperatureAndFilters() {
    TokenDraw draw = new TokenDraw(3);
    SamplingOptions options = SamplingOptions.builder().temperature(0.1).topK(1).build();

    assertThat(draw(draw, new double[] {0, Math.log(2), 0}, options, 5)).isEqualTo(1);
    assertThat(draw.logProbability(1)).isCloseTo(Math.log(0.5), within(1e-12));
  }

  @Test
  void tokensThatAreForbiddenAreNeverDrawn() {
    TokenDraw draw = new TokenDraw(3);
    double[] scores = {Double.NEGATIVE_INFINITY, 0, Double.NEGATIVE_INFINITY};
    for (SamplingOptions options : distributions().toList()) {
      assertThat(draw(draw, scores, options, 8)).isEqualTo(1);
    }
    assertThatThrownBy(
            () -> draw(draw, new double[] {Double.NaN, 0, 0}, SamplingOptions.DEFAULT, 8))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("log Z is NaN");
  }
}
