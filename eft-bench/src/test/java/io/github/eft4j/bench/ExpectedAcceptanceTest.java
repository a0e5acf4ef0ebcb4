package io.github.eft4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.Speculation.AcceptanceRule;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExpectedAcceptanceTest {
  private static final int VOCABULARY = 12;
  private static final int DRAWS = 200_000;

  /** Four standard deviations of a share of {@link #DRAWS}. */
  private static final double NOISE = 4 * 0.5 / Math.sqrt(DRAWS);

  @ParameterizedTest
  @EnumSource
  void equalDistributionsAcceptAll(AcceptanceRule rule) {
    double[] logits = logits(1, 2);
    assertThat(ExpectedAcceptance.of(rule, logits, logits)).isCloseTo(1, within(1e-12));
  }

  @Test
  void theCoupledRuleAcceptsWhatSharedGumbelNoiseDrawsTwice() {
    double[] draft = logits(1, 2);
    double[] target = logits(2, 2);
    SplittableRandom random = new SplittableRandom(3);
    int same = 0;
    for (int i = 0; i < DRAWS; i++) {
      double[] noise = new double[VOCABULARY];
      Arrays.setAll(noise, _ -> -Math.log(-Math.log(1 - random.nextDouble())));
      same += largest(draft, noise) == largest(target, noise) ? 1 : 0;
    }
    assertThat(ExpectedAcceptance.of(AcceptanceRule.COUPLED, draft, target))
        .isCloseTo((double) same / DRAWS, within(NOISE));
  }

  @Test
  void theRatioRuleAcceptsTheCommonPart() {
    double[] even = {0, 0};
    double[] skewed = {Math.log(3), 0}; // 3/4, 1/4
    assertThat(ExpectedAcceptance.of(AcceptanceRule.RATIO, even, skewed))
        .isCloseTo(0.75, within(1e-12));
  }

  @Test
  void theCoupledRuleIsBetweenItsBounds() {
    double[] draft = logits(4, 1);
    double[] target = logits(5, 1);
    double ratio = ExpectedAcceptance.of(AcceptanceRule.RATIO, draft, target);
    assertThat(ExpectedAcceptance.of(AcceptanceRule.COUPLED, draft, target))
        .isBetween(ratio / (2 - ratio), ratio);
  }

  private static double[] logits(long seed, double deviation) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] logits = new double[VOCABULARY];
    Arrays.setAll(logits, _ -> deviation * random.nextGaussian());
    return logits;
  }

  private static int largest(double[] logits, double[] noise) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] + noise[i] > logits[best] + noise[best]) {
        best = i;
      }
    }
    return best;
  }
}
