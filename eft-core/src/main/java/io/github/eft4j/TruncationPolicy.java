package io.github.eft4j;

/**
 * What a sampler does where a model gives only a list of its likeliest tokens, no longer one, and
 * the list does not decide which token is drawn. The token then comes from a distribution whose
 * total variation from the combination's own is bounded, see {@link TruncationReport}.
 *
 * @param limit the bound up to which a token is accepted, between 0 and 1
 * @param fails whether the completion fails at a token with a greater bound; else a warning is
 *     logged when it ends
 */
public record TruncationPolicy(double limit, boolean fails) {
  /** A warning where more than one in a hundred draws might have come out otherwise. */
  static final TruncationPolicy DEFAULT = warnAbove(0.01);

  /**
   * Checks the limit.
   *
   * @throws IllegalArgumentException if the limit is out of its range
   */
  public TruncationPolicy {
    if (!(limit >= 0 && limit <= 1)) {
      throw new IllegalArgumentException(
          "truncation limit is " + limit + ", expected between 0 and 1");
    }
  }

  /**
   * Accepts all tokens, and logs a warning where a bound was above a limit.
   *
   * @param limit the limit
   * @return the policy
   * @throws IllegalArgumentException if the limit is not between 0 and 1
   */
  public static TruncationPolicy warnAbove(double limit) {
    return new TruncationPolicy(limit, false);
  }

  /**
   * Fails at a token whose bound is above a limit.
   *
   * @param limit the limit; 0 accepts only tokens that are certain
   * @return the policy
   * @throws IllegalArgumentException if the limit is not between 0 and 1
   */
  public static TruncationPolicy failAbove(double limit) {
    return new TruncationPolicy(limit, true);
  }
}
