package io.github.eft4j.reasoning;

/**
 * How much a step is to be trusted given a step that supports it. A trust θ turns the belief of the
 * parent into that of the child (see {@link BeliefPropagation}): above one half it strengthens, at
 * one half it leaves belief unchanged, below it weakens.
 */
@FunctionalInterface
public interface TrustModel {
  /**
   * The trust that a judgement is worth.
   *
   * @param judgement how the child stands to the parent
   * @return the trust θ, above 0 and below 1
   */
  double trust(Judgement judgement);

  /**
   * The paper's: the likeliest label decides, with a trust of 0.95 for entailment, 0.60 for neutral
   * and 0.10 for contradiction.
   *
   * @return the model
   */
  static TrustModel hardLabel() {
    return hardLabel(0.95, 0.60, 0.10);
  }

  /**
   * The likeliest label decides.
   *
   * @param entailment the trust for entailment, above 0 and below 1
   * @param neutral the trust for a neutral relation, above 0 and below 1
   * @param contradiction the trust for contradiction, above 0 and below 1
   * @return the model
   * @throws IllegalArgumentException if a trust is out of its range
   */
  static TrustModel hardLabel(double entailment, double neutral, double contradiction) {
    check(entailment, neutral, contradiction);
    return judgement ->
        switch (judgement.label()) {
          case ENTAILMENT -> entailment;
          case NEUTRAL -> neutral;
          case CONTRADICTION -> contradiction;
        };
  }

  /**
   * The expected trust over the label probabilities, with the numbers of {@link #hardLabel()}: what
   * a judge is unsure of counts for less.
   *
   * @return the model
   */
  static TrustModel expectedValue() {
    return expectedValue(0.95, 0.60, 0.10);
  }

  /**
   * The expected trust over the label probabilities.
   *
   * @param entailment the trust for entailment, above 0 and below 1
   * @param neutral the trust for a neutral relation, above 0 and below 1
   * @param contradiction the trust for contradiction, above 0 and below 1
   * @return the model
   * @throws IllegalArgumentException if a trust is out of its range
   */
  static TrustModel expectedValue(double entailment, double neutral, double contradiction) {
    check(entailment, neutral, contradiction);
    return judgement -> {
      double sum = judgement.entailment() + judgement.neutral() + judgement.contradiction();
      return (judgement.entailment() * entailment
              + judgement.neutral() * neutral
              + judgement.contradiction() * contradiction)
          / sum;
    };
  }

  private static void check(double... trusts) {
    for (double trust : trusts) {
      if (!(trust > 0 && trust < 1)) {
        throw new IllegalArgumentException(
            "trust is " + trust + ", expected a number above 0 and below 1");
      }
    }
  }
}
