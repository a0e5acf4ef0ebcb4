package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

class LogitCombinerTest {
  private static final int VOCABULARY = 33;

  /** Sums of a handful of numbers below 100 in double precision. */
  private static final double ROUNDING = 1e-12;

  private final float[] largeLogits = random(1);
  private final float[] tunedLogits = random(2);
  private final float[] otherLogits = random(3);
  private final float[] baseLogits = random(4);
  private final LanguageModel large = FunctionModel.constant("large", largeLogits);
  private final LanguageModel tuned = FunctionModel.constant("tuned", tunedLogits);
  private final LanguageModel other = FunctionModel.constant("other", otherLogits);
  private final LanguageModel base = FunctionModel.constant("base", baseLogits);

  private static float[] random(long seed) {
    Random random = new Random(seed);
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      logits[i] = (float) (3 * random.nextGaussian());
    }
    return logits;
  }

  private float[] logits(LanguageModel model) {
    return switch (model.name()) {
      case "large" -> largeLogits;
      case "tuned" -> tunedLogits;
      case "other" -> otherLogits;
      default -> baseLogits;
    };
  }

  private double[] logProbabilities(LogitCombiner combiner) {
    CombinerPlan plan = new CombinerPlan(combiner, Map.of(), VOCABULARY);
    INDArray[] rows =
        combiner.leaves().stream()
            .map(leaf -> Nd4j.createFromArray(logits(leaf.model())))
            .toArray(INDArray[]::new);
    MemorySegment[] memory =
        Arrays.stream(rows).map(NativeArrays::floats).toArray(MemorySegment[]::new);
    double[] scores = new double[VOCABULARY];
    assertThat(plan.evaluate(memory, scores)).isNotNaN();
    double logZ = Distribution.logSumExp(scores);
    return Arrays.stream(scores).map(s -> s - logZ).toArray();
  }

  @Property(tries = 50)
  void upScalingIsItsFormula(@ForAll @DoubleRange(min = -2, max = 2) double beta) {
    double[] expected = new double[VOCABULARY];
    double z = 0;
    for (int i = 0; i < VOCABULARY; i++) {
      expected[i] = largeLogits[i] + beta * (tunedLogits[i] - (double) baseLogits[i]);
      z += Math.exp(expected[i]);
    }
    double logZ = Math.log(z);

    assertThat(logProbabilities(LogitCombiner.upScale(large, tuned, base, beta)))
        .containsExactly(Arrays.stream(expected).map(e -> e - logZ).toArray(), within(ROUNDING));
  }

  @Test
  void cancelledModelsAreNotRun() {
    assertThat(LogitCombiner.upScale(large, tuned, base, 0).models()).containsExactly(large);
    assertThat(LogitCombiner.upScale(large, base, base).models()).containsExactly(large);
    assertThat(LogitCombiner.upScale(base, tuned, base).models()).containsExactly(tuned);
    assertThat(LogitCombiner.interpolate(large, tuned, other, base, 1).models())
        .containsExactly(large, tuned, base);
  }

  @Test
  void interpolationEndsAtEachReward() {
    assertThat(logProbabilities(LogitCombiner.interpolate(large, tuned, other, base, 1)))
        .containsExactly(
            logProbabilities(LogitCombiner.upScale(large, tuned, base)), within(ROUNDING));
    assertThat(logProbabilities(LogitCombiner.interpolate(large, tuned, other, base, 0)))
        .containsExactly(
            logProbabilities(LogitCombiner.upScale(large, other, base)), within(ROUNDING));
  }

  @Test
  void orderDoesNotMatter() {
    LogitCombiner a =
        LogitCombiner.of(large).plus(LogitCombiner.of(tuned)).minus(LogitCombiner.of(base));
    LogitCombiner b =
        LogitCombiner.of(base)
            .times(-1)
            .plus(LogitCombiner.of(tuned))
            .plus(LogitCombiner.of(large));

    assertThat(logProbabilities(a)).containsExactly(logProbabilities(b), within(ROUNDING));
  }

  @Test
  void customFunctionsSeeNormalisedDistributions() {
    LogitCombiner up = LogitCombiner.upScale(large, tuned, base);
    LogitCombiner identity = LogitCombiner.custom(rows -> rows.getFirst(), up);
    LogitCombiner mean =
        LogitCombiner.custom(
            rows ->
                Transforms.log(
                    Transforms.exp(rows.get(0)).addi(Transforms.exp(rows.get(1))).divi(2)),
            LogitCombiner.of(large),
            LogitCombiner.of(tuned));

    assertThat(logProbabilities(identity)).containsExactly(logProbabilities(up), within(ROUNDING));
    double[] p = logProbabilities(LogitCombiner.of(large));
    double[] q = logProbabilities(LogitCombiner.of(tuned));
    double[] expected = new double[VOCABULARY];
    Arrays.setAll(expected, i -> Math.log((Math.exp(p[i]) + Math.exp(q[i])) / 2));
    assertThat(logProbabilities(mean)).containsExactly(expected, within(ROUNDING));
    assertThat(logProbabilities(mean.times(2).minus(mean)))
        .containsExactly(logProbabilities(mean), within(ROUNDING));
  }

  @Test
  void expressionsAreReadable() {
    assertThat(LogitCombiner.upScale(large, tuned, base, 0.5))
        .hasToString("large + 0.5*tuned - 0.5*base");
    assertThat(LogitCombiner.of(base).times(-1)).hasToString("-base");
    assertThat(LogitCombiner.of(base).minus(LogitCombiner.of(base))).hasToString("0");
  }

  @Test
  void aFormatBelongsToTheModelsItIsGivenTo() {
    LogitCombiner guided =
        LogitCombiner.of(large)
            .prompted(PromptFormat.around("a", ""))
            .minus(LogitCombiner.of(large));

    assertThat(guided.models()).containsExactly(large);
    assertThat(guided.leaves()).hasSize(2);
  }

  @Test
  void refusesNonsense() {
    assertThatThrownBy(() -> LogitCombiner.of(large).times(Double.NaN))
        .hasMessage("factor is NaN, expected a finite number");
    assertThatThrownBy(() -> LogitCombiner.custom(rows -> rows.getFirst()))
        .hasMessageContaining("at least one input");
  }
}
