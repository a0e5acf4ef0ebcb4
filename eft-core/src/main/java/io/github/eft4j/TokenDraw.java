package io.github.eft4j;

import java.util.Arrays;

/**
 * Draws one token from a combined distribution: normalises, applies temperature and filters, draws.
 * Holds the memory that this needs; not safe for use by several threads at once.
 *
 * <p>Tokens are drawn by an exponential race, which is the Gumbel-max trick without its logarithm
 * of probabilities: each token has the noise {@code E = −log(1 − u)} with u from {@link Noise}, and
 * the token with the greatest {@code p / E} wins with probability p.
 */
final class TokenDraw {
  private final double[] probabilities;
  private final int[] candidates;
  private final int[] kept;
  private int keptCount;
  private double logProbability;

  TokenDraw(int vocabulary) {
    probabilities = new double[vocabulary];
    candidates = new int[vocabulary];
    kept = new int[vocabulary];
  }

  /**
   * Draws a token.
   *
   * @param scores log-probabilities up to a constant, {@code [vocab]}; not all negative infinity
   * @param options temperature and filters
   * @param address where the noise is, from {@link Noise#address}
   * @return the token id
   * @throws ArithmeticException if a score is NaN or positive infinity, or no token is possible
   */
  int draw(double[] scores, SamplingOptions options, long address) {
    int n = probabilities.length;
    double logZ = Distribution.logSumExp(scores, n);
    if (!Double.isFinite(logZ)) {
      throw new ArithmeticException(
          "the combined distribution cannot be normalised: log Z is " + logZ);
    }
    int id = options.temperature() == 0 ? argMax(scores) : drawFiltered(scores, options, address);
    logProbability = scores[id] - logZ;
    return id;
  }

  /** The natural-log probability of the token drawn last, before temperature and filters. */
  double logProbability() {
    return logProbability;
  }

  /** The tokens that the filters of the last draw at a temperature above 0 kept. */
  int[] kept() {
    return Arrays.copyOf(kept, keptCount);
  }

  private static int argMax(double[] scores) {
    int best = 0;
    for (int i = 1; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      }
    }
    return best;
  }

  private int drawFiltered(double[] scores, SamplingOptions options, long address) {
    int n = probabilities.length;
    double max = Distribution.max(scores, n);
    double inverseTemperature = 1 / options.temperature();
    for (int i = 0; i < n; i++) {
      probabilities[i] = Distribution.exp((scores[i] - max) * inverseTemperature);
    }
    filter(options);
    int winner = kept[0];
    double best = -1;
    for (int c = 0; c < keptCount; c++) {
      int id = kept[c];
      double u = Noise.uniform(address, id);
      // −log(1 − u) ≥ u: most tokens lose without the logarithm.
      if (probabilities[id] > best * u) {
        double race = probabilities[id] / -StrictMath.log1p(-u);
        if (race > best) {
          best = race;
          winner = id;
        }
      }
    }
    return winner;
  }

  /** Leaves the tokens that all filters keep at the front of {@link #kept}. */
  private void filter(SamplingOptions options) {
    boolean ordered = options.topK() > 0 || options.topP() < 1;
    double least = options.minP(); // the likeliest token's entry is 1
    int count = 0;
    double total = 0;
    for (int i = 0; i < probabilities.length; i++) {
      double p = probabilities[i];
      if (p > 0 && (ordered || p >= least)) {
        candidates[count++] = i;
      }
      total += p;
    }
    if (!ordered) {
      System.arraycopy(candidates, 0, kept, 0, count);
      keptCount = count;
      return;
    }
    // All filters keep a number of the likeliest tokens: take these off a heap.
    for (int root = count / 2 - 1; root >= 0; root--) {
      siftDown(root, count);
    }
    int limit = options.topK() == 0 ? count : Math.min(options.topK(), count);
    double wanted = options.topK() == 0 ? options.topP() * total : Double.POSITIVE_INFINITY;
    int taken = 0;
    double sum = 0;
    while (taken < limit && sum < wanted) {
      int top = candidates[0];
      kept[taken++] = top;
      sum += probabilities[top];
      candidates[0] = candidates[--count];
      siftDown(0, count);
    }
    double nucleus = options.topP() == 1 ? Double.POSITIVE_INFINITY : options.topP() * sum;
    keptCount = 0;
    double reached = 0;
    while (keptCount < taken
        && (options.topK() == 0 || reached < nucleus)
        && probabilities[kept[keptCount]] >= least) {
      reached += probabilities[kept[keptCount++]];
    }
  }

  /** The likelier token is above; of equals the one with the lower id. */
  private boolean above(int a, int b) {
    return probabilities[a] > probabilities[b] || (probabilities[a] == probabilities[b] && a < b);
  }

  private void siftDown(int root, int size) {
    if (size == 0) {
      return;
    }
    int id = candidates[root];
    int hole = root;
    for (int child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && above(candidates[child + 1], candidates[child])) {
        child++;
      }
      if (!above(candidates[child], id)) {
        break;
      }
      candidates[hole] = candidates[child];
      hole = child;
    }
    candidates[hole] = id;
  }
}
