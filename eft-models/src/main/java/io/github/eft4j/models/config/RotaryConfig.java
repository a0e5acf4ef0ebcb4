package io.github.eft4j.models.config;

import io.github.eft4j.tensor.RotaryLayout;

/**
 * Rotary position embedding (Su et al. 2021, <a href="https://arxiv.org/abs/2104.09864">arXiv
 * 2104.09864</a>): at position p, pair i of a head turns by the angle {@code p · theta^(-2i /
 * headSize)}, which the scaling changes.
 *
 * @param theta the base of the frequencies
 * @param scaling how frequencies change to reach beyond the context that a model was trained on
 * @param layout which two numbers of a head make a pair in this checkpoint
 */
public record RotaryConfig(double theta, RotaryScaling scaling, RotaryLayout layout) {
  /**
   * Checks the base.
   *
   * @throws IllegalArgumentException if {@code theta} is not positive and finite
   */
  public RotaryConfig {
    Checks.positive("rotary base", theta);
  }
}
