package io.github.eft4j;

import java.util.List;
import java.util.Optional;

/**
 * How one token of a completion came about.
 *
 * @param token the token
 * @param drafted the token that was drafted in this place and compared with the target: the same
 *     one where the draft was accepted, another one where it was refused; empty where nothing was
 *     drafted
 * @param totalVariations how far each model's distribution is from the combined one in this place,
 *     in the order of {@link CompletionTrace#models}: the total variation {@code ½ Σ |π̃ −
 *     π_model|}, from 0 for the same distribution to 1 for two that have no token in common, before
 *     biases, penalties, temperature and filters. A token that is drafted from it is accepted with
 *     probability 1 less this, by the {@linkplain Speculation.AcceptanceRule#RATIO ratio rule} at
 *     temperature 1
 * @param candidates the likeliest tokens under the combined distribution, the likeliest first
 */
public record TokenTrace(
    TracedToken token,
    Optional<TracedToken> drafted,
    List<Double> totalVariations,
    List<TracedToken> candidates) {
  /** Copies the lists. */
  public TokenTrace {
    totalVariations = List.copyOf(totalVariations);
    candidates = List.copyOf(candidates);
  }

  /**
   * Whether the token was drafted and accepted.
   *
   * @return true if it was; false if another one was drafted, or none
   */
  public boolean accepted() {
    return drafted.isPresent() && drafted.get().id() == token.id();
  }
}
