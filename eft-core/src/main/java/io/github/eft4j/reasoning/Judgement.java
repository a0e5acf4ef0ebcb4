package io.github.eft4j.reasoning;

/**
 * How a hypothesis stands to a premise, as three probabilities.
 *
 * @param entailment the probability that the premise implies the hypothesis
 * @param neutral the probability that it neither implies nor excludes it
 * @param contradiction the probability that it excludes it
 */
public record Judgement(double entailment, double neutral, double contradiction) {
  /** Probabilities that a model computed in float32 sum up to 1 within this. */
  private static final double SUM_TOLERANCE = 1e-3;

  /**
   * Checks that these are probabilities.
   *
   * @throws IllegalArgumentException if one is not between 0 and 1, or they do not sum up to 1
   */
  public Judgement {
    double sum = entailment + neutral + contradiction;
    if (!(entailment >= 0 && neutral >= 0 && contradiction >= 0)
        || !(Math.abs(sum - 1) <= SUM_TOLERANCE)) {
      throw new IllegalArgumentException(
          "entailment %s, neutral %s and contradiction %s, expected probabilities that sum up to 1"
              .formatted(entailment, neutral, contradiction));
    }
  }

  /** The relations between a premise and a hypothesis. */
  public enum Label {
    /** The premise implies the hypothesis. */
    ENTAILMENT,
    /** The premise neither implies nor excludes the hypothesis. */
    NEUTRAL,
    /** The premise excludes the hypothesis. */
    CONTRADICTION
  }

  /**
   * The likeliest relation.
   *
   * @return the label; of equally likely ones the one that speaks less for the hypothesis
   */
  public Label label() {
    if (contradiction >= neutral && contradiction >= entailment) {
      return Label.CONTRADICTION;
    }
    return neutral >= entailment ? Label.NEUTRAL : Label.ENTAILMENT;
  }
}
