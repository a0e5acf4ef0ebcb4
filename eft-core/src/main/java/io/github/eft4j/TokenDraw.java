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
  /** Stands for all tokens. */
  private static final int ALL = -1;

  /** Filters look first at the weights above this part of the greatest. */
  private static final double FIRST_LIMIT = 0x1p-14;

  /** If those are too few, at the weights above this part of the limit before. */
  private static final double NEXT_LIMIT = 0x1p-8;

  /** Below this they look at all. */
  private static final double LAST_LIMIT = 0x1p-30;

  /** Weights fall into this many classes for each factor of two. */
  private static final int CLASSES_PER_OCTAVE = 8;

  /** A class has this many bits of a double less. */
  private static final int CLASS_SHIFT = 52 - Integer.numberOfTrailingZeros(CLASSES_PER_OCTAVE);

  /** The last class holds all weights below 2⁻⁶⁴. */
  private static final int CLASSES = 64 * CLASSES_PER_OCTAVE;

  private final RowKernels kernels = RowKernels.fastest();

  /** The scores as they came. */
  private double[] scores;

  private double logZ;

  /** The tokens' probabilities up to a factor, after temperature and filters. */
  private final double[] weights;

  /** Memory for changed scores, and for the search for a filter's limit. */
  private final double[] work;

  /** The tokens among which those are that can be drawn, in ascending order. */
  private final int[] candidates;

  /** How many {@link #candidates} there are; {@link #ALL} where no filter has looked for them. */
  private int candidateCount;

  /** Tokens with lesser weights are dropped. */
  private double least;

  private final double[] sums = new double[RowKernels.SUMS];
  private final double[] classSums = new double[CLASSES];
  private final int[] classSizes = new int[CLASSES];

  TokenDraw(int vocabulary) {
    scores = new double[0];
    weights = new double[vocabulary];
    work = new double[vocabulary];
    candidates = new int[vocabulary];
  }

  void prepare(double[] scores, SamplingOptions options) {
    prepare(scores, options, null);
  }

  void prepare(double[] scores, SamplingOptions options, @Nullable TokenCounts counts) {
    prepare(scores, kernels.max(scores), options, counts);
  }

  /**
   * Makes the distribution.
   *
   * @param scores log-probabilities up to a constant, {@code [vocab]}; must stay as they are until
   *     the next call
   * @param max the greatest of them
   * @param options biases, penalties, temperature and filters
   * @param counts the tokens that there are already, or null where the options do not penalise
   * @throws IllegalStateException if a score is NaN or positive infinity, or no token is possible
   */
  void prepare(double[] scores, double max, SamplingOptions options, @Nullable TokenCounts counts) {
    this.scores = scores;
    boolean changes = changes(options, counts);
    boolean asTheyAre = options.temperature() == 1 && !changes;
    double total =
        asTheyAre ? kernels.exp(scores, max, 1, weights, sums) : kernels.sumExp(scores, max, sums);
    logZ = max + StrictMath.log(total);
    if (!Double.isFinite(logZ)) {
      throw new IllegalStateException("the distribution cannot be normalised: log Z is " + logZ);
    }
    least = 0;
    candidateCount = ALL;
    double[] changed = scores;
    if (changes) {
      adjust(options, counts);
      changed = work;
    }
    if (options.temperature() == 0) {
      Arrays.fill(weights, 0);
      weights[argMax(changed)] = 1;
      return;
    }
    if (!asTheyAre) {
      double greatest = changes ? kernels.max(changed) : max;
      if (greatest == Double.NEGATIVE_INFINITY) {
        throw new IllegalStateException("every token that is possible is forbidden");
      }
      total = kernels.exp(changed, greatest, 1 / options.temperature(), weights, sums);
    }
    filter(options, total);
  }

  private static boolean changes(SamplingOptions options, @Nullable TokenCounts counts) {
    return counts != null || !options.logitBias().isEmpty();
  }

  /** Writes the log-probabilities with penalties and biases to {@link #work}. */
  private void adjust(SamplingOptions options, @Nullable TokenCounts counts) {
    for (int id = 0; id < scores.length; id++) {
      double logProbability = scores[id] - logZ;
      if (counts != null && counts.occurs(id)) {
        int times = counts.inCompletion(id);
        logProbability =
            logProbability * options.repetitionPenalty()
                - times * options.frequencyPenalty()
                - (times > 0 ? options.presencePenalty() : 0);
      }
      work[id] = logProbability;
    }
    for (Map.Entry<Integer, Double> bias : options.logitBias().entrySet()) {
      work[bias.getKey()] += bias.getValue();
    }
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

  /** Whether a token can be drawn. */
  boolean keeps(int id) {
    return weights[id] > 0 && weights[id] >= least;
  }

  /** Draws a token with the noise at an address. */
  int draw(long address) {
    return candidateCount == ALL
        ? kernels.race(weights, least, address)
        : kernels.race(weights, least, candidates, candidateCount, address);
  }

  /** Writes the distribution: the probability with which each token is drawn. */
  void probabilities(double[] out) {
    double total = 0;
    for (int id = 0; id < weights.length; id++) {
      out[id] = keeps(id) ? weights[id] : 0;
      total += out[id];
    }
    for (int id = 0; id < weights.length; id++) {
      out[id] /= total;
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

  /** Drops the tokens that the filters drop. */
  private void filter(SamplingOptions options, double total) {
    double kept = total;
    if (options.topK() > 0 && options.topK() < weights.length) {
      kept = keepLikeliest(options.topK(), Double.POSITIVE_INFINITY, 0);
    }
    if (options.topP() < 1) {
      // Weights below the limit sum up to less than what top-p leaves out: none is in the nucleus.
      double limit = (1 - options.topP()) * kept / weights.length;
      keepLikeliest(weights.length, options.topP() * kept, limit);
    }
    least = Math.max(least, options.minP()); // the likeliest token's weight is 1
  }

  /**
   * Keeps the likeliest tokens, of equals those with the lowest ids, until there are enough or
   * their weights reach a sum. The weight of the last one is looked for among as few of the
   * greatest weights as are sure to be enough: first the class that it is in, then as quickselect
   * does.
   *
   * @param count how many tokens are enough
   * @param sum which sum of weights is enough
   * @param limit no token below this weight is kept
   * @return the sum of the weights that are kept
   */
  private double keepLikeliest(int count, double sum, double limit) {
    double lowest = Math.max(limit, least);
    double from = FIRST_LIMIT;
    boolean all;
    do {
      all = from <= lowest || from < LAST_LIMIT;
      candidateCount = kernels.collect(weights, all ? lowest : from, candidates);
      classify();
      from *= NEXT_LIMIT;
    } while (!all && candidateCount < count && !reaches(sum));
    double reached = 0;
    int kind = 0;
    while (kind < CLASSES - 1 && classSizes[kind] < count && reached + classSums[kind] < sum) {
      reached += classSums[kind];
      count -= classSizes[kind];
      kind++;
    }
    int size = 0;
    for (int i = 0; i < candidateCount; i++) {
      double weight = weights[candidates[i]];
      if (classOf(weight) == kind) {
        work[size++] = weight;
      }
    }
    return select(size, count, sum, reached);
  }

  private static int classOf(double weight) {
    long below = Double.doubleToRawLongBits(1) - Double.doubleToRawLongBits(weight);
    return (int) Math.min(below >>> CLASS_SHIFT, CLASSES - 1);
  }

  private void classify() {
    Arrays.fill(classSums, 0);
    Arrays.fill(classSizes, 0);
    for (int i = 0; i < candidateCount; i++) {
      double weight = weights[candidates[i]];
      int kind = classOf(weight);
      classSums[kind] += weight;
      classSizes[kind]++;
    }
  }

  /** Whether the candidates' weights sum up to enough. */
  private boolean reaches(double sum) {
    double reached = 0;
    for (int kind = 0; kind < CLASSES; kind++) {
      reached += classSums[kind];
    }
    return reached >= sum;
  }

  /** Finds the least weight that is kept among the first numbers of {@link #work}. */
  private double select(int size, int count, double sum, double reached) {
    int from = 0;
    while (size > 0) {
      double pivot = medianOfThree(work[from], work[from + size / 2], work[from + size - 1]);
      int greater = from;
      int smaller = from + size;
      double greaterSum = 0;
      int same = 0;
      for (int i = from; i < smaller; ) {
        double weight = work[i];
        if (weight > pivot) {
          greaterSum += weight;
          work[i++] = work[greater];
          work[greater++] = weight;
        } else if (weight < pivot) {
          work[i] = work[--smaller];
          work[smaller] = weight;
        } else {
          same++;
          i++;
        }
      }
      int above = greater - from;
      if (above >= count || reached + greaterSum >= sum) {
        size = above;
        continue;
      }
      reached += greaterSum;
      count -= above;
      least = pivot;
      int equals = 0;
      while (equals < same && count > 0 && reached < sum) {
        reached += pivot;
        count--;
        equals++;
      }
      if (count == 0 || reached >= sum) {
        if (equals < same) {
          dropEqualsBehind(pivot, equals);
        }
        break;
      }
      size = from + size - smaller;
      from = smaller;
    }
    return reached;
  }

  private void dropEqualsBehind(double weight, int keep) {
    int seen = 0;
    for (int id = 0; id < weights.length; id++) {
      if (weights[id] == weight && ++seen > keep) {
        weights[id] = 0;
      }
    }
  }

  private static double medianOfThree(double a, double b, double c) {
    return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
  }
}
