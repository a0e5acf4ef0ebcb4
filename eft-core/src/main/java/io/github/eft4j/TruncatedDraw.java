package io.github.eft4j;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Draws tokens where one model of the combination tells only its likeliest ones, exactly as if it
 * told all.
 *
 * <p>An unlisted token i has the weight {@code aᵢ θᵢ^α} that is drawn from, where aᵢ is its weight
 * if it had the greatest probability b that it can have, {@code θᵢ ≤ 1} is the share of b that it
 * has, and α is the model's weight over the temperature. All of them have the mass m, so {@code Σ
 * θᵢ ≤ m/b}, and {@link #greatestSum} is the most U that they can weigh.
 *
 * <p>Filters keep between {@code least} and {@code most} of the listed tokens, in order of their
 * weight, and a bounded weight U of unlisted ones. Every token of the former has at least the
 * probability {@code q(i) = wᵢ / (W(most) + U)}, and with a longer list no less. A number u,
 * uniform in (0, 1), decides whether the list is long enough: if {@code u < Σq}, a token is drawn
 * from q; else a longer list gives {@code q′ ≥ q}, and if {@code u < Σq′} a token is drawn from
 * {@code q′ − q}, and so on. The token's probability is the sum of the differences, which is what a
 * whole list would have given. Where there is no longer list, what is drawn differs by at most
 * {@code 1 − Σq} in total variation; without filters that is {@code U / (S + U)}, with S the listed
 * weight.
 *
 * <p>All of these draws use the noise of an ordinary one, of which u is independent: a draft model
 * that shares it draws the same token as often as it can. Not safe for use by several threads at
 * once.
 */
final class TruncatedDraw {
  /** The token id whose noise is u: none. */
  private static final int NO_TOKEN = -1;

  private final MemorySegment row;
  private final double[] scores;
  private final boolean[] unknown;

  /** What is drawn from, and what is certain: of this list and of the one before. */
  private final double[] weights;

  private final double[] certain;
  private final double[] before;

  /** The logarithms of the weights of all tokens, then in ascending order. */
  private final double[] logWeights;

  private final double[] listed;
  private final double[] unlisted;
  private final double[] sums;
  private int listedCount;
  private int unlistedCount;

  /** How many of the listed tokens are kept: these for certain, and these possibly. */
  private int least;

  private int most;

  /** What the unlisted tokens that are kept can weigh. */
  private double unlistedWeight;

  /** Tells more of the model whose lists are drawn from. */
  interface Source {
    /** A list of that length, or shorter if there are no more tokens. */
    LikeliestTokens ask(int count);

    /** Says which model gave a number that is not finite. */
    RuntimeException notFinite();
  }

  /**
   * Makes room.
   *
   * @param vocabulary the number of ids that are combined
   * @param modelVocabulary the number of ids of the model that gives lists
   */
  TruncatedDraw(int vocabulary, int modelVocabulary) {
    row = Arena.ofAuto().allocate((long) Float.BYTES * modelVocabulary, 64);
    scores = new double[vocabulary];
    unknown = new boolean[vocabulary];
    weights = new double[vocabulary];
    certain = new double[vocabulary];
    before = new double[vocabulary];
    logWeights = new double[vocabulary];
    listed = new double[vocabulary];
    unlisted = new double[vocabulary];
    sums = new double[vocabulary + 1];
  }

  /**
   * Draws a sequence's next token.
   *
   * @param sequence the sequence, which is told what the draw was worth
   * @param leaf the leaf whose model gives lists
   * @param rows the rows of logits, of which that of the sequence's truncated leaf is replaced
   * @param list what is known of that leaf
   * @param source tells more
   * @param target is left with the distribution over the listed tokens
   * @param policy what to accept
   * @return the token, the forced one where there is one
   */
  int draw(
      Sequence sequence,
      TruncatedLeaf leaf,
      MemorySegment[] rows,
      LikeliestTokens list,
      Source source,
      TokenDraw target,
      TruncationPolicy policy) {
    rows[leaf.leaf()] = row;
    long address = sequence.noiseAddress(Noise.Use.DRAW);
    double u = Noise.uniform(address, NO_TOKEN);
    int forced = sequence.forced(NO_TOKEN);
    int longest = leaf.model().longestList();
    int count = leaf.model().firstList();
    int known = Math.max(count, list.size());
    Arrays.fill(before, 0);
    boolean again = false;
    while (true) {
      if (count > known) {
        list = source.ask(count);
        known = count;
      }
      LikeliestTokens part = list.first(count);
      if (!evaluate(sequence, leaf, rows, part)) {
        throw source.notFinite();
      }
      double share = findCertain(sequence, leaf, part, target);
      boolean last = count >= longest;
      boolean decided = forced == NO_TOKEN ? u < share : !unknown[forced];
      if (decided || last) {
        int id =
            forced != NO_TOKEN ? forced : RowKernels.fastest().race(drawnFrom(decided), 0, address);
        double bound =
            forced != NO_TOKEN || (decided && TruncatedLeaf.canBeWhole(leaf.model()))
                ? 0
                : 1 - share;
        if (bound > policy.limit() && policy.fails()) {
          throw new IllegalStateException(
              "new token %d: the %d likeliest tokens, the most that model %s tells, leave a total variation of %.3g open, above the limit of %s"
                  .formatted(
                      sequence.position(),
                      part.size(),
                      leaf.model().name(),
                      bound,
                      policy.limit()));
        }
        double logProbabilityBound =
            unknown[id] ? Double.POSITIVE_INFINITY : logProbabilityBound(leaf, part);
        for (int i = 0; i < scores.length; i++) {
          if (unknown[i] && i != id) {
            scores[i] = Double.NEGATIVE_INFINITY;
          }
        }
        target.prepare(scores, sequence.options(), sequence.counts());
        sequence.truncated(Math.max(0, bound), logProbabilityBound, again);
        return id;
      }
      System.arraycopy(certain, 0, before, 0, before.length);
      count = (int) Math.min(2L * count, longest);
      again = true;
    }
  }

  /** What this list adds to the one before, or if it does not decide, all that may be drawn. */
  private double[] drawnFrom(boolean decided) {
    if (decided) {
      for (int id = 0; id < certain.length; id++) {
        certain[id] = Math.max(0, certain[id] - before[id]);
      }
      return certain;
    }
    return weights;
  }

  /** Scores all tokens, unlisted ones as if they were as likely as they can be. */
  private boolean evaluate(
      Sequence sequence, TruncatedLeaf leaf, MemorySegment[] rows, LikeliestTokens list) {
    list.write(row, Math.nextUp((float) list.greatestUnlisted()));
    CombinerPlan plan = sequence.plan();
    boolean finite = !Double.isNaN(plan.evaluate(rows, leaf.leaf(), scores));
    Arrays.fill(unknown, true);
    for (int i = 0; i < list.size(); i++) {
      if (list.id(i) < unknown.length) {
        unknown[list.id(i)] = false;
      }
    }
    boolean[] selected = plan.selected(leaf.leaf(), rows);
    for (int id = 0; id < unknown.length && selected != null; id++) {
      unknown[id] &= selected[id];
    }
    return finite;
  }

  /**
   * Finds how much of each token's probability is certain.
   *
   * @return the sum
   */
  private double findCertain(
      Sequence sequence, TruncatedLeaf leaf, LikeliestTokens list, TokenDraw target) {
    SamplingOptions options = sequence.options();
    weigh(options, sequence.counts());
    split(logWeights);
    if (unlistedCount == 0) {
      target.prepare(scores, options, sequence.counts());
      target.probabilities(certain);
      System.arraycopy(certain, 0, weights, 0, weights.length);
      return 1;
    }
    if (listedCount == 0 || listed[listedCount - 1] == Double.NEGATIVE_INFINITY) {
      Arrays.fill(certain, 0);
      for (int id = 0; id < weights.length; id++) {
        weights[id] = Distribution.exp(logWeights[id]);
      }
      return 0;
    }
    if (options.temperature() == 0) {
      keep(1, 1, weights);
      boolean sure = unlisted[unlistedCount - 1] < listed[listedCount - 1];
      keep(sure ? 1 : 0, 1, certain);
      return sure ? 1 : 0;
    }
    double alpha = leaf.slope() / options.temperature();
    filter(options, budget(list), alpha);
    double total = sums[most] + unlistedWeight;
    keep(most, 1, weights);
    keep(least, 1 / total, certain);
    return sums[least] / total;
  }

  /** How many unlisted tokens could have the greatest probability that one can have. */
  private static double budget(LikeliestTokens list) {
    return StrictMath.exp(StrictMath.log(list.restMass()) - list.greatestUnlisted());
  }

  /** The logarithms of the weights that are drawn from, the greatest of them 0. */
  private void weigh(SamplingOptions options, @Nullable TokenCounts counts) {
    double max = Double.NEGATIVE_INFINITY;
    for (int id = 0; id < scores.length; id++) {
      double score = scores[id];
      if (counts != null) {
        int times = counts.inCompletion(id);
        score -= times * options.frequencyPenalty() + (times > 0 ? options.presencePenalty() : 0);
      }
      logWeights[id] = score;
    }
    for (Map.Entry<Integer, Double> bias : options.logitBias().entrySet()) {
      logWeights[bias.getKey()] += bias.getValue();
    }
    for (double score : logWeights) {
      max = Math.max(max, score);
    }
    if (max == Double.NEGATIVE_INFINITY) {
      throw new IllegalStateException("every token that is possible is forbidden");
    }
    double factor = options.temperature() == 0 ? 1 : 1 / options.temperature();
    for (int id = 0; id < logWeights.length; id++) {
      logWeights[id] = (logWeights[id] - max) * factor;
    }
  }

  /** Sorts the weights, and sums up those of the listed tokens from the greatest on. */
  private void split(double[] logs) {
    listedCount = 0;
    unlistedCount = 0;
    for (int id = 0; id < logs.length; id++) {
      if (unknown[id]) {
        unlisted[unlistedCount++] = logs[id];
      } else {
        listed[listedCount++] = logs[id];
      }
    }
    Arrays.sort(listed, 0, listedCount);
    Arrays.sort(unlisted, 0, unlistedCount);
    for (int k = 1; k <= listedCount; k++) {
      sums[k] = sums[k - 1] + Distribution.exp(listed[listedCount - k]);
    }
  }

  /** The logarithm of the weight of the k-th likeliest listed token, k from 1 on. */
  private double listed(int k) {
    return listed[listedCount - k];
  }

  /** The number of unlisted tokens that may weigh as much as that. */
  private int unlistedFrom(double logWeight) {
    return atLeast(unlisted, unlistedCount, logWeight);
  }

  private static int atLeast(double[] ascending, int size, double value) {
    int from = 0;
    int to = size;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (ascending[middle] >= value) {
        to = middle;
      } else {
        from = middle + 1;
      }
    }
    return size - from;
  }

  /** Finds which tokens the filters keep, possibly and for certain. */
  private void filter(SamplingOptions options, double budget, double alpha) {
    least = listedCount;
    most = listedCount;
    int candidates = unlistedCount;
    if (options.topK() > 0 && options.topK() < scores.length) {
      int k = options.topK();
      most = Math.min(most, k);
      least = 0;
      while (least < most && least + 1 + unlistedFrom(listed(least + 1)) <= k) {
        least++;
      }
      candidates = Math.min(k, listedCount < k ? unlistedCount : unlistedFrom(listed(k)));
    }
    if (options.topP() < 1) {
      double p = options.topP();
      double other = greatestSum(unlisted, unlistedCount, candidates, budget, alpha);
      double enough = p * (sums[most] + other);
      int last = 1;
      while (last < most && sums[last] < enough) {
        last++;
      }
      int sure = 0;
      while (sure < least && sums[sure] + (1 - p) * other < p * sums[least]) {
        sure++;
      }
      if (sums[last] >= enough) {
        candidates = Math.min(candidates, unlistedFrom(listed(last)));
      }
      most = last;
      least = sure;
    }
    if (options.minP() > 0) {
      double logMinP = StrictMath.log(options.minP());
      double top = listed(1);
      double greatest = candidates > 0 ? Math.max(top, unlisted[unlistedCount - 1]) : top;
      most = Math.min(most, atLeast(listed, listedCount, top + logMinP));
      least = Math.min(least, atLeast(listed, listedCount, greatest + logMinP));
      candidates = Math.min(candidates, unlistedFrom(top + logMinP));
    }
    unlistedWeight = greatestSum(unlisted, unlistedCount, candidates, budget, alpha);
  }

  /** Writes the weights of the k likeliest listed tokens, and zero elsewhere. */
  private void keep(int k, double scale, double[] out) {
    Arrays.fill(out, 0);
    if (k == 0) {
      return;
    }
    double last = listed(k);
    int equals = k - atLeast(listed, listedCount, Math.nextUp(last));
    for (int id = 0; id < out.length; id++) {
      if (!unknown[id] && (logWeights[id] > last || (logWeights[id] == last && equals-- > 0))) {
        out[id] = scale * Distribution.exp(logWeights[id]);
      }
    }
  }

  /**
   * The greatest value of {@code Σ aᵢ θᵢ^α} with {@code 0 ≤ θᵢ ≤ 1} and {@code Σ θᵢ ≤ budget}.
   *
   * <p>If {@code α ≥ 1} the sum is convex and greatest in a corner: the greatest aᵢ have {@code θᵢ
   * = 1} and the next one what is left, which for {@code α = 1} is the fractional knapsack. If
   * {@code α < 1} it is concave, and by Lagrange {@code θᵢ = min(1, c aᵢ^β)} with {@code β = 1/(1 −
   * α)}: the k greatest have {@code θᵢ = 1}, with the least k for which the others stay below;
   * those share {@code r = budget − k}, and their sum is {@code r^α (Σ aᵢ^β)^(1 − α)}.
   *
   * @param logs the logarithms of all aᵢ, ascending, none above 0
   * @param size their number
   * @param candidates how many of the greatest may have {@code θᵢ > 0}
   * @param budget the sum of θᵢ, at least 1
   * @param alpha the exponent, above 0
   * @return the greatest value
   */
  static double greatestSum(double[] logs, int size, int candidates, double budget, double alpha) {
    double sum = 0;
    if (alpha >= 1) {
      int whole = (int) Math.min(candidates, Math.floor(budget));
      for (int k = 0; k < whole; k++) {
        sum += Distribution.exp(logs[size - 1 - k]);
      }
      return whole < candidates
          ? sum + StrictMath.pow(budget - whole, alpha) * Distribution.exp(logs[size - 1 - whole])
          : sum;
    }
    double beta = 1 / (1 - alpha);
    double[] logSums = new double[candidates]; // of aᵢ^β from the least candidate on
    double logSum = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < candidates; i++) {
      logSum = logOfSum(logSum, beta * logs[size - candidates + i]);
      logSums[i] = logSum;
    }
    for (int k = 0; k < candidates; k++) {
      double left = StrictMath.log(Math.max(0, budget - k));
      double others = logSums[candidates - 1 - k];
      if (others == Double.NEGATIVE_INFINITY) {
        return sum;
      }
      if (left + beta * logs[size - 1 - k] <= others) {
        return sum + StrictMath.exp(alpha * left + (1 - alpha) * others);
      }
      sum += Distribution.exp(logs[size - 1 - k]);
    }
    return sum;
  }

  private static double logOfSum(double a, double b) {
    double max = Math.max(a, b);
    return max == Double.NEGATIVE_INFINITY
        ? max
        : max + StrictMath.log1p(StrictMath.exp(Math.min(a, b) - max));
  }

  /** How much of {@code log Z} before temperature and filters the unlisted tokens can be. */
  private double logProbabilityBound(TruncatedLeaf leaf, LikeliestTokens list) {
    double max = RowKernels.fastest().max(scores);
    for (int id = 0; id < scores.length; id++) {
      logWeights[id] = scores[id] - max;
    }
    split(logWeights);
    double other = greatestSum(unlisted, unlistedCount, unlistedCount, budget(list), leaf.slope());
    return StrictMath.log1p(other / sums[listedCount]);
  }
}
