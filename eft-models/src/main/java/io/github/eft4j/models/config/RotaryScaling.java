package io.github.eft4j.models.config;

import java.util.List;

/**
 * How the frequencies of a rotary embedding change so that a model reaches beyond the context that
 * it was trained on.
 */
public sealed interface RotaryScaling {
  /** Frequencies as trained. */
  record None() implements RotaryScaling {}

  /**
   * Position interpolation (Chen et al. 2023, <a href="https://arxiv.org/abs/2306.15595">arXiv
   * 2306.15595</a>): all frequencies are divided by the factor.
   *
   * @param factor the divisor
   */
  record Linear(double factor) implements RotaryScaling {
    /**
     * Checks the factor.
     *
     * @throws IllegalArgumentException if it is not positive and finite
     */
    public Linear {
      Checks.positive("rotary scaling factor", factor);
    }
  }

  /**
   * Dynamic NTK-aware scaling: once a sequence of length n is longer than the original context, the
   * base becomes {@code theta · (factor · n / originalContextLength − (factor − 1))^(d / (d − 2))}
   * for a head of size d.
   *
   * @param factor how fast the base grows
   * @param originalContextLength the number of positions up to which frequencies stay as trained
   */
  record Dynamic(double factor, int originalContextLength) implements RotaryScaling {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is not positive and finite
     */
    public Dynamic {
      Checks.positive("rotary scaling factor", factor);
      Checks.positive("original context length", originalContextLength);
    }
  }

  /**
   * Llama 3.1's scaling: wavelengths above {@code originalContextLength / lowFrequencyFactor} are
   * stretched by the factor, those below {@code originalContextLength / highFrequencyFactor} stay,
   * and those between are interpolated.
   *
   * @param factor what low frequencies are divided by
   * @param lowFrequencyFactor sets the wavelength above which the factor applies in full
   * @param highFrequencyFactor sets the wavelength below which nothing changes, greater than {@code
   *     lowFrequencyFactor}
   * @param originalContextLength the number of positions that the model was first trained on
   */
  record Llama3(
      double factor,
      double lowFrequencyFactor,
      double highFrequencyFactor,
      int originalContextLength)
      implements RotaryScaling {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is not positive and finite, or the low-frequency
     *     factor is not below the high-frequency factor
     */
    public Llama3 {
      Checks.positive("rotary scaling factor", factor);
      Checks.positive("low-frequency factor", lowFrequencyFactor);
      Checks.positive("high-frequency factor", highFrequencyFactor);
      Checks.positive("original context length", originalContextLength);
      if (lowFrequencyFactor >= highFrequencyFactor) {
        throw new IllegalArgumentException(
            "low-frequency factor %s is not below the high-frequency factor %s"
                .formatted(lowFrequencyFactor, highFrequencyFactor));
      }
    }
  }

  /**
   * YaRN (Peng et al., ICLR 2024, <a href="https://arxiv.org/abs/2309.00071">arXiv 2309.00071</a>):
   * pairs that turn more than {@code betaFast} times within the original context keep their
   * frequency, those that turn less than {@code betaSlow} times have it divided by the factor, with
   * a linear ramp over the pairs between; cosines and sines are multiplied by the attention factor.
   *
   * @param factor what low frequencies are divided by
   * @param originalContextLength the number of positions that the model was first trained on
   * @param attentionFactor what cosines and sines are multiplied by
   * @param betaFast the number of turns at which the ramp begins
   * @param betaSlow the number of turns at which the ramp ends
   * @param truncate whether the ramp's ends are rounded outwards to whole pairs
   */
  record Yarn(
      double factor,
      int originalContextLength,
      double attentionFactor,
      double betaFast,
      double betaSlow,
      boolean truncate)
      implements RotaryScaling {
    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is not positive and finite, or {@code betaFast} is
     *     below {@code betaSlow}
     */
    public Yarn {
      Checks.positive("rotary scaling factor", factor);
      Checks.positive("original context length", originalContextLength);
      Checks.positive("attention factor", attentionFactor);
      Checks.positive("beta_fast", betaFast);
      Checks.positive("beta_slow", betaSlow);
      if (betaFast < betaSlow) {
        throw new IllegalArgumentException(
            "beta_fast %s is below beta_slow %s".formatted(betaFast, betaSlow));
      }
    }

    /**
     * The attention factor that the paper recommends: {@code 0.1 ln(factor) + 1}, or 1 for factors
     * up to 1.
     *
     * @param factor the scaling factor
     * @return the attention factor
     */
    public static double defaultAttentionFactor(double factor) {
      return defaultAttentionFactor(factor, 1);
    }

    /**
     * The attention factor with a weight for the logarithm: {@code 0.1 mscale ln(factor) + 1}, or 1
     * for factors up to 1.
     *
     * @param factor the scaling factor
     * @param mscale the weight
     * @return the attention factor
     */
    public static double defaultAttentionFactor(double factor, double mscale) {
      return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }
  }

  /**
   * Each pair's frequency divided by a number of its own, as GGUF files store Llama 3.1's scaling.
   *
   * @param divisors one divisor for each pair of a head
   */
  record Divisors(List<Float> divisors) implements RotaryScaling {
    /**
     * Checks the divisors.
     *
     * @throws IllegalArgumentException if one is not positive and finite
     */
    public Divisors {
      divisors = List.copyOf(divisors);
      for (float divisor : divisors) {
        Checks.positive("rotary frequency divisor", divisor);
      }
    }
  }
}
