package io.github.eft4j.models.remote;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.LikeliestTokens;
import java.util.Arrays;

/** Collects the tokens that a server lists for one prompt. */
final class TokenListBuilder {
  /**
   * Tokens with a lower log-probability are left out: servers compute in float32, whose normal
   * numbers end at e^−87.3, and write what they cannot compute as −9999 or −3.4e38.
   */
  private static final float LEAST = -87;

  private final String where;
  private int[] ids;
  private float[] logProbabilities;
  private int count;
  private int left;

  TokenListBuilder(String where, int expected) {
    this.where = where;
    ids = new int[expected];
    logProbabilities = new float[expected];
  }

  void add(int id, JsonNode logProbability) {
    if (!logProbability.isNumber()) {
      throw new RemoteModelException(
          "%s: the log-probability of token id %d is %s, expected a number"
              .formatted(where, id, logProbability.isMissingNode() ? "missing" : logProbability));
    }
    float value = (float) logProbability.doubleValue();
    if (Float.isNaN(value)) {
      throw new RemoteModelException(
          "%s: the log-probability of token id %d is not a number".formatted(where, id));
    }
    if (value < LEAST) {
      left++;
      return;
    }
    if (count == ids.length) {
      ids = Arrays.copyOf(ids, 2 * count + 1);
      logProbabilities = Arrays.copyOf(logProbabilities, 2 * count + 1);
    }
    ids[count] = id;
    logProbabilities[count++] = value;
  }

  LikeliestTokens build(int wanted, int vocabulary) {
    if (count + left < wanted) {
      throw new RemoteModelException(
          "%s: %d tokens are listed, expected %d".formatted(where, count + left, wanted));
    }
    try {
      return LikeliestTokens.of(
              Arrays.copyOf(ids, count), Arrays.copyOf(logProbabilities, count), vocabulary)
          .first(wanted);
    } catch (IllegalArgumentException e) {
      throw new RemoteModelException(where + ": " + e.getMessage(), e);
    }
  }
}
