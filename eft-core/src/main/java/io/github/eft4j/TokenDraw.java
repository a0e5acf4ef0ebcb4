package io.github.eft4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Turns scores into the distribution that a token is drawn from, and draws from it: normalises,
 * applies biases and penalties, temperature and filters. Holds the memory that this needs; not safe
 * for use by several threads at once.
 *
 * <p>Tokens are drawn by an exponential race, which is the Gumbel-max trick without its logarithm
 * of probabilities: each token has the noise {@code E = −log(1 − u)} with u from {@link Noise}, and
 * the token with the greatest {@code p / E} wins with probability p.
 */
final class TokenDraw {
  /** The normalised scores as they came: log-probabilities. */
  private double[] scores;

  private double logZ;

  /** Weights of all tokens after temperature, the likeliest one's is 1. */
  private final double[] weights;

  /** Tokens that the filters keep: {@code kept[0 .. keptCount)}. */
  private final int[] kept;

  private int keptCount;

  /** Memory of the heap that finds the likeliest tokens. */
  private final int[] heap;

  private final double[] adjusted;

  TokenDraw(int vocabulary) {
    scores = new double[0];
    weights = new double[vocabulary];
    kept = new int[vocabulary];
    heap = new int[vocabulary];
    adjusted = new double[vocabulary];
  }

  void prepare(double[] scores, SamplingOptions options) {
    prepare(scores, options, null);
  }

  /**
   * Makes the distribution.
   *
   * @param scores log-probabilities up to a constant, {@code [vocab]}; must stay as they are until
   *     the next call
   * @param options biases, penalties, temperature and filters
   * @param counts the tokens that there are already, or null where the options do not penalise
   * @throws ArithmeticException if a score is NaN or positive infinity, or no token is possible
   */
  void prepare(double[] scores, SamplingOptions options, @Nullable TokenCounts counts) {
    this.scores = scores;
    logZ = Distribution.logSumExp(scores, scores.length);
    if (!Double.isFinite(logZ)) {
      throw new ArithmeticException("the distribution cannot be normalised: log Z is " + logZ);
    }
    double[] changed = adjust(options, counts);
    if (options.temperature() == 0) {
      kept[0] = argMax(changed);
      keptCount = 1;
      weights[kept[0]] = 1;
      return;
    }
    double max = Distribution.max(changed, changed.length);
    if (max == Double.NEGATIVE_INFINITY) {
      throw new ArithmeticException("every token that is possible is forbidden");
    }
    double inverseTemperature = 1 / options.temperature();
    for (int i = 0; i < changed.length; i++) {
      weights[i] = Distribution.exp((changed[i] - max) * inverseTemperature);
    }
    filter(options);
  }

  private double[] adjust(SamplingOptions options, @Nullable TokenCounts counts) {
    if (counts == null && options.logitBias().isEmpty()) {
      return scores;
    }
    for (int id = 0; id < scores.length; id++) {
      double logProbability = scores[id] - logZ;
      if (counts != null && counts.occurs(id)) {
        int times = counts.inCompletion(id);
        logProbability =
            logProbability * options.repetitionPenalty()
                - times * options.frequencyPenalty()
                - (times > 0 ? options.presencePenalty() : 0);
      }
      adjusted[id] = logProbability;
    }
    for (Map.Entry<Integer, Double> bias : options.logitBias().entrySet()) {
      adjusted[bias.getKey()] += bias.getValue();
    }
    return adjusted;
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

  /** A token's natural-log probability before biases, penalties, temperature and filters. */
  double logProbability(int id) {
    return scores[id] - logZ;
  }

  /** The tokens that can be drawn. */
  int[] kept() {
    return Arrays.copyOf(kept, keptCount);
  }

  /** Draws a token with the noise at an address. */
  int draw(long address) {
    if (keptCount == 1) {
      return kept[0];
    }
    int winner = kept[0];
    double best = -1;
    for (int c = 0; c < keptCount; c++) {
      int id = kept[c];
      double u = Noise.uniform(address, id);
      // −log(1 − u) ≥ u: most tokens lose without the logarithm.
      if (weights[id] > best * u) {
        double race = weights[id] / -StrictMath.log1p(-u);
        if (race > best) {
          best = race;
          winner = id;
        }
      }
    }
    return winner;
  }

  /** Writes the distribution: the probability with which each token is drawn. */
  void probabilities(double[] out) {
    Arrays.fill(out, 0);
    double total = 0;
    for (int c = 0; c < keptCount; c++) {
      total += weights[kept[c]];
    }
    for (int c = 0; c < keptCount; c++) {
      out[kept[c]] = weights[kept[c]] / total;
    }
  }

  /** Draws from the normalised positive part of the difference of two distributions. */
  static int drawResidual(double[] p, double[] q, long address) {
    int winner = -1;
    double best = 0;
    for (int id = 0; id < p.length; id++) {
      double rest = p[id] - q[id];
      if (rest > 0) {
        double race = rest / -StrictMath.log1p(-Noise.uniform(address, id));
        if (race > best) {
          best = race;
          winner = id;
        }
      }
    }
    if (winner < 0) {
      // p ≤ q everywhere: they are equal but for rounding, and the refusal was rounding too.
      return argMax(p);
    }
    return winner;
  }

  /** The likeliest tokens before biases, penalties, temperature and filters. */
  List<TokenProbability> top(int count) {
    Comparator<Integer> worstFirst =
        Comparator.<Integer>comparingDouble(id -> scores[id])
            .thenComparing(Comparator.reverseOrder());
    PriorityQueue<Integer> best = new PriorityQueue<>(worstFirst);
    for (int id = 0; id < scores.length; id++) {
      if (best.size() < count) {
        best.add(id);
      } else if (count > 0 && scores[id] > scores[best.element()]) {
        best.remove();
        best.add(id);
      }
    }
    List<Integer> ids = new ArrayList<>(best);
    ids.sort(worstFirst.reversed());
    return ids.stream().map(id -> new TokenProbability(id, logProbability(id))).toList();
  }

  /** Leaves the tokens that all filters keep at the front of {@link #kept}. */
  private void filter(SamplingOptions options) {
    boolean ordered = options.topK() > 0 || options.topP() < 1;
    int[] candidates = ordered ? heap : kept;
    double least = options.minP(); // the likeliest token's weight is 1
    int count = 0;
    double total = 0;
    for (int i = 0; i < weights.length; i++) {
      double weight = weights[i];
      if (weight > 0 && (ordered || weight >= least)) {
        candidates[count++] = i;
      }
      total += weight;
    }
    if (!ordered) {
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
      int top = heap[0];
      kept[taken++] = top;
      sum += weights[top];
      heap[0] = heap[--count];
      siftDown(0, count);
    }
    double nucleus =
        options.topK() == 0 || options.topP() == 1
            ? Double.POSITIVE_INFINITY
            : options.topP() * sum;
    keptCount = 0;
    double reached = 0;
    while (keptCount < taken && reached < nucleus && weights[kept[keptCount]] >= least) {
      reached += weights[kept[keptCount++]];
    }
  }

  /** The likelier token is above; of equals the one with the lower id. */
  private boolean above(int a, int b) {
    return weights[a] > weights[b] || (weights[a] == weights[b] && a < b);
  }

  private void siftDown(int root, int size) {
    if (size == 0) {
      return;
    }
    int id = heap[root];
    int hole = root;
    for (int child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
      if (child + 1 < size && above(heap[child + 1], heap[child])) {
        child++;
      }
      if (!above(heap[child], id)) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = id;
  }
}
