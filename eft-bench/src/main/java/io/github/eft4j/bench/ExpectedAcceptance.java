package io.github.eft4j.bench;

import io.github.eft4j.Speculation.AcceptanceRule;
import java.util.Comparator;
import java.util.stream.IntStream;

/** How likely a drafted token is to be accepted, computed from both distributions. */
final class ExpectedAcceptance {
  private ExpectedAcceptance() {}

  /**
   * The probability that a token drawn from one distribution is accepted for another.
   *
   * <p>Ratio: {@code 1 − TV = Σᵢ min(pᵢ, qᵢ)}. Coupled: {@code Σᵢ 1 / Σⱼ max(pⱼ/pᵢ, qⱼ/qᵢ)}
   * (Daliri, Musco and Suresh 2024, <a href="https://arxiv.org/abs/2408.07978">arXiv
   * 2408.07978</a>), where {@code pⱼ/pᵢ} is the larger one exactly where {@code pⱼ/qⱼ > pᵢ/qᵢ}:
   * with the tokens in the order of {@code p/q} the inner sums are running sums.
   *
   * @param rule how drafted tokens are accepted
   * @param draft the logits that the token is drawn from, {@code [vocab]}
   * @param target the logits that it should have been drawn from, {@code [vocab]}
   * @return the probability
   */
  static double of(AcceptanceRule rule, double[] draft, double[] target) {
    double[] q = softmax(draft);
    double[] p = softmax(target);
    return switch (rule) {
      case RATIO -> IntStream.range(0, p.length).mapToDouble(i -> Math.min(p[i], q[i])).sum();
      case COUPLED -> {
        int[] order =
            IntStream.range(0, p.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> target[i] - draft[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double above = 1; // the sum of p of the tokens behind
        double below = 0; // the sum of q up to here
        double sum = 0;
        for (int i : order) {
          above -= p[i];
          below += q[i];
          if (p[i] > 0 && q[i] > 0) {
            sum += 1 / (Math.max(0, above) / p[i] + below / q[i]);
          }
        }
        yield sum;
      }
    };
  }

  private static double[] softmax(double[] logits) {
    double largest = IntStream.range(0, logits.length).mapToDouble(i -> logits[i]).max().orElse(0);
    double[] result = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < result.length; i++) {
      result[i] = Math.exp(logits[i] - largest);
      sum += result[i];
    }
    for (int i = 0; i < result.length; i++) {
      result[i] /= sum;
    }
    return result;
  }
}
