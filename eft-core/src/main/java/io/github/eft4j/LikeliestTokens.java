package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The likeliest next tokens of a model, with their probabilities. Of all others it is known that
 * together they have what is left of the probability, and that none is likelier than the last one
 * of the list. Immutable.
 */
public final class LikeliestTokens {
  /**
   * How far above one the sum of probabilities may be: servers sum up float32 probabilities of a
   * whole vocabulary one by one, and lose the smallest.
   */
  private static final double SUM_TOLERANCE = 1e-3;

  /** What rounding to float32 may have taken from the rest of the probability. */
  private static final double ROUNDING = 1e-5;

  private final int[] ids;
  private final float[] logProbabilities;
  private final int vocabulary;

  private LikeliestTokens(int[] ids, float[] logProbabilities, int vocabulary) {
    this.ids = ids;
    this.logProbabilities = logProbabilities;
    this.vocabulary = vocabulary;
  }

  /**
   * Makes a list, in any order of the tokens.
   *
   * @param ids the token ids, each once
   * @param logProbabilities their natural-log probabilities, normalised over the whole vocabulary
   * @param vocabulary the number of ids of the model
   * @return the list
   * @throws IllegalArgumentException if the list is empty, an id is outside the vocabulary or
   *     occurs twice, a log-probability is NaN, or the probabilities' sum is above one
   */
  public static LikeliestTokens of(int[] ids, float[] logProbabilities, int vocabulary) {
    if (ids.length == 0 || ids.length != logProbabilities.length) {
      throw new IllegalArgumentException(
          "a list of %d tokens with %d log-probabilities"
              .formatted(ids.length, logProbabilities.length));
    }
    BitSet seen = new BitSet();
    double sum = 0;
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabulary) {
        throw new IllegalArgumentException(
            "token id %d is outside the vocabulary of %d ids".formatted(ids[i], vocabulary));
      }
      if (seen.get(ids[i])) {
        throw new IllegalArgumentException("token id " + ids[i] + " is listed twice");
      }
      seen.set(ids[i]);
      if (Float.isNaN(logProbabilities[i])) {
        throw new IllegalArgumentException(
            "the log-probability of token id " + ids[i] + " is not a number");
      }
      sum += StrictMath.exp(logProbabilities[i]);
    }
    if (sum > 1 + SUM_TOLERANCE) {
      throw new IllegalArgumentException(
          "the probabilities of %d tokens sum up to %s, expected at most 1"
              .formatted(ids.length, sum));
    }
    // Without its sign, a float that is not positive orders as its bits do, the likeliest first.
    long[] order = new long[ids.length];
    for (int i = 0; i < order.length; i++) {
      long magnitude =
          Float.floatToRawIntBits(Math.min(logProbabilities[i], -0f)) & Integer.MAX_VALUE;
      order[i] = magnitude << 32 | ids[i];
    }
    Arrays.sort(order);
    int[] sortedIds = new int[order.length];
    float[] sorted = new float[order.length];
    for (int i = 0; i < order.length; i++) {
      sortedIds[i] = (int) order[i];
      sorted[i] = -Float.intBitsToFloat((int) (order[i] >>> 32));
    }
    return new LikeliestTokens(sortedIds, sorted, vocabulary);
  }

  /**
   * The number of tokens.
   *
   * @return the number of tokens
   */
  public int size() {
    return ids.length;
  }

  /**
   * Whether all tokens of the model are listed.
   *
   * @return true if no token is left
   */
  public boolean isWhole() {
    return ids.length == vocabulary;
  }

  /**
   * A token.
   *
   * @param index its place, 0 for the likeliest
   * @return its id
   */
  public int id(int index) {
    return ids[index];
  }

  /**
   * A token's probability.
   *
   * @param index its place, 0 for the likeliest
   * @return its natural-log probability
   */
  public double logProbability(int index) {
    return logProbabilities[index];
  }

  /**
   * The beginning of the list.
   *
   * @param count how many tokens to keep
   * @return the likeliest of them; this list if it is not longer
   */
  public LikeliestTokens first(int count) {
    return count >= ids.length
        ? this
        : new LikeliestTokens(
            Arrays.copyOf(ids, count), Arrays.copyOf(logProbabilities, count), vocabulary);
  }

  /** The most probability that all tokens which are not listed can have together. */
  double restMass() {
    double listed = 0;
    for (float logProbability : logProbabilities) {
      listed += StrictMath.exp(logProbability);
    }
    return Math.max(0, 1 - listed) + ROUNDING;
  }

  /** The greatest natural-log probability that a token which is not listed can have. */
  double greatestUnlisted() {
    return Math.min(logProbabilities[ids.length - 1], StrictMath.log(restMass()));
  }

  /** The natural-log probability of every unlisted token if all were equally likely. */
  double evenUnlisted() {
    return Math.min(
        greatestUnlisted(), StrictMath.log(restMass() / Math.max(1, vocabulary - ids.length)));
  }

  /**
   * Writes the list as a row of log-probabilities.
   *
   * @param row receives them, float32 {@code [vocabulary]}
   * @param unlisted what stands for the tokens that are not listed
   */
  void write(MemorySegment row, double unlisted) {
    if (!isWhole()) {
      float fill = (float) unlisted;
      for (int id = 0; id < vocabulary; id++) {
        row.setAtIndex(ValueLayout.JAVA_FLOAT, id, fill);
      }
    }
    for (int i = 0; i < ids.length; i++) {
      row.setAtIndex(ValueLayout.JAVA_FLOAT, ids[i], logProbabilities[i]);
    }
  }
}
