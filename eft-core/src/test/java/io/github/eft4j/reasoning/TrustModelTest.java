package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class TrustModelTest {
  private static final double ROUNDING = 1e-12;

  @Test
  void theLikeliestLabelDecides() {
    TrustModel trust = TrustModel.hardLabel();
    assertThat(trust.trust(new Judgement(.6, .3, .1))).isEqualTo(0.95);
    assertThat(trust.trust(new Judgement(.2, .5, .3))).isEqualTo(0.60);
    assertThat(trust.trust(new Judgement(.2, .3, .5))).isEqualTo(0.10);
    assertThat(TrustModel.hardLabel(.8, .5, .2).trust(new Judgement(1, 0, 0))).isEqualTo(.8);
  }

  @Test
  void equallyLikelyLabelsSpeakAgainst() {
    assertThat(new Judgement(.4, .2, .4).label()).isEqualTo(Judgement.Label.CONTRADICTION);
    assertThat(new Judgement(.4, .4, .2).label()).isEqualTo(Judgement.Label.NEUTRAL);
    assertThat(new Judgement(.2, .4, .4).label()).isEqualTo(Judgement.Label.CONTRADICTION);
  }

  @Test
  void theExpectationWeighsAllLabels() {
    assertThat(TrustModel.expectedValue().trust(new Judgement(.5, .3, .2)))
        .isCloseTo(.5 * .95 + .3 * .6 + .2 * .1, within(ROUNDING));
    assertThat(TrustModel.expectedValue(.8, .5, .2).trust(new Judgement(.5, 0, .5)))
        .isCloseTo(.5, within(ROUNDING));
  }

  @Property
  void theExpectationOfACertainJudgementIsThatOfItsLabel(
      @ForAll @DoubleRange(min = 0.01, max = 0.99) double trust) {
    assertThat(TrustModel.expectedValue(trust, .5, .5).trust(new Judgement(1, 0, 0)))
        .isCloseTo(
            TrustModel.hardLabel(trust, .5, .5).trust(new Judgement(1, 0, 0)), within(ROUNDING));
  }

  @Test
  void refusesTrustsThatLeaveNoDoubt() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrustModel.hardLabel(1, .6, .1))
        .withMessage("trust is 1.0, expected a number above 0 and below 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TrustModel.expectedValue(.9, .6, 0))
        .withMessage("trust is 0.0, expected a number above 0 and below 1");
  }

  @Test
  void judgementsAreProbabilities() {
    assertThat(new Judgement(.33333, .33333, .33333).label())
        .isEqualTo(Judgement.Label.CONTRADICTION);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Judgement(.5, .3, .3))
        .withMessageContaining("expected probabilities that sum up to 1");
    assertThatIllegalArgumentException().isThrownBy(() -> new Judgement(1.1, -.1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Judgement(Double.NaN, 0, 1));
  }
}
