package io.github.eft4j.examples.study;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The share of a gap that a combination recovers: {@code (combined − from) / (to − from)}.
 *
 * @param value the share
 * @param low the lower end of its 95 % interval
 * @param high the upper end of its 95 % interval
 */
public record Recovery(double value, double low, double high) {
  private static final int RESAMPLES = 10_000;
  private static final long SEED = 1934;

  /**
   * The share of the factuality gap from small tuned to large tuned that up-scaling recovers.
   *
   * @param outcomes the outcomes by name
   * @return the share, or empty where one of the three is missing
   */
  static Optional<Recovery> ofFactuality(Map<String, Outcome> outcomes) {
    @Nullable Outcome from = outcomes.get(Models.SMALL_TUNED);
    @Nullable Outcome combined = outcomes.get(Models.UP_SCALED);
    @Nullable Outcome to = outcomes.get(Models.LARGE_TUNED);
    return from == null || combined == null || to == null
        ? Optional.empty()
        : Optional.of(ofFactuality(from, combined, to));
  }

  /**
   * The share of the factuality gap. Its interval comes from the bootstrap (Efron 1979): the
   * questions are drawn anew, each with the answers of all three.
   *
   * @param from where the gap begins, the small tuned model
   * @param combined what recovers it
   * @param to where it ends, the large tuned model
   * @return the share
   */
  static Recovery ofFactuality(Outcome from, Outcome combined, Outcome to) {
    int questions = from.judgements().size();
    int[] low = hits(from);
    int[] middle = hits(combined);
    int[] high = hits(to);
    Random random = new Random(SEED);
    double[] shares = new double[RESAMPLES];
    for (int resample = 0; resample < RESAMPLES; resample++) {
      int recovered = 0;
      int gap = 0;
      for (int i = 0; i < questions; i++) {
        int question = random.nextInt(questions);
        recovered += middle[question] - low[question];
        gap += high[question] - low[question];
      }
      shares[resample] = (double) recovered / gap;
    }
    Arrays.sort(shares);
    return new Recovery(
        (double) (sum(middle) - sum(low)) / (sum(high) - sum(low)),
        shares[(int) (Proportion.TAIL * RESAMPLES)],
        shares[(int) ((1 - Proportion.TAIL) * RESAMPLES)]);
  }

  private static int[] hits(Outcome outcome) {
    return outcome.judgements().stream().mapToInt(j -> j.factual() ? 1 : 0).toArray();
  }

  private static int sum(int... hits) {
    return Arrays.stream(hits).sum();
  }

  /** Such as {@code 82 % (71–94)}, or a dash where there is no gap. */
  @Override
  public String toString() {
    return Double.isFinite(value)
        ? "%.0f %% (%.0f–%.0f)".formatted(100 * value, 100 * low, 100 * high)
        : "–";
  }
}
