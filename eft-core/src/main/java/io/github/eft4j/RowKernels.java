package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The loops over the vocabulary that every token costs. All implementations give the same bits: a
 * sum has {@value #SUMS} partial sums, number i added to partial sum i mod {@value #SUMS} in order
 * of i, and the partial sums added in order of their index.
 */
interface RowKernels {
  /** The number of partial sums of a sum. */
  int SUMS = 8;

  /** The fastest implementation here. */
  static RowKernels fastest() {
    return Holder.FASTEST;
  }

  /** Found once. */
  final class Holder {
    private static final RowKernels FASTEST =
        ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
            ? new VectorRowKernels()
            : new ScalarRowKernels();

    private Holder() {}
  }

  /** Numbers that are combined at once: few enough for the first-level cache. */
  int CHUNK = 2048;

  /**
   * A weighted sum of rows of logits: {@code scores[i] = Σ weights[k] · rows[leaves[k]][i]}, in the
   * order of k, fused.
   *
   * @param weights the factors
   * @param leaves which rows they belong to
   * @param rows float32 {@code [n]} each
   * @param scores receives the sums, {@code [n]}
   * @return the greatest score, NaN if a logit that was read is not finite
   */
  default double combine(double[] weights, int[] leaves, MemorySegment[] rows, double[] scores) {
    if (weights.length == 0) {
      Arrays.fill(scores, 0);
    }
    double spoilt = 0;
    for (int from = 0; from < scores.length; from += CHUNK) {
      int to = Math.min(from + CHUNK, scores.length);
      for (int k = 0; k < weights.length; k++) {
        if (k == 0) {
          scaled(weights[k], rows[leaves[k]], scores, from, to);
        } else {
          addScaled(weights[k], rows[leaves[k]], scores, from, to);
        }
      }
      spoilt += spoilt(scores, from, to);
    }
    return max(scores) + spoilt;
  }

  /**
   * One row in double precision.
   *
   * @param row float32 {@code [n]}
   * @param scores receives it, {@code [n]}
   * @return whether all logits are finite
   */
  default boolean widen(MemorySegment row, double[] scores) {
    scaled(1, row, scores, 0, scores.length);
    return spoilt(scores, 0, scores.length) == 0;
  }

  /**
   * A multiple of a part of a row: {@code scores[i] = weight · row[i]}.
   *
   * @param weight the factor
   * @param row float32 {@code [n]}
   * @param scores {@code [n]}
   * @param from the part's first index
   * @param to the index behind the part
   */
  void scaled(double weight, MemorySegment row, double[] scores, int from, int to);

  /**
   * Adds a multiple of a part of a row: {@code scores[i] += weight · row[i]}, fused.
   *
   * @param weight the factor
   * @param row float32 {@code [n]}
   * @param scores {@code [n]}
   * @param from the part's first index
   * @param to the index behind the part
   */
  void addScaled(double weight, MemorySegment row, double[] scores, int from, int to);

  /**
   * Whether a part of the scores is finite: 0 if so, else NaN. A sum of float32 numbers with finite
   * weights is finite exactly where they all are.
   *
   * @param scores {@code [n]}
   * @param from the part's first index
   * @param to the index behind the part
   * @return 0 or NaN
   */
  double spoilt(double[] scores, int from, int to);

  /**
   * The greatest number; one that is NaN counts as none.
   *
   * @param values {@code [n]}
   * @return the maximum, negative infinity if there is none
   */
  double max(double[] values);

  /**
   * Exponentials: {@code out[i] = exp((scores[i] − max) · factor)}.
   *
   * @param scores {@code [n]}
   * @param max the greatest of them
   * @param factor multiplies the difference
   * @param out {@code [n]}
   * @param sums working memory, {@code [SUMS]}
   * @return their sum
   */
  double exp(double[] scores, double max, double factor, double[] out, double[] sums);

  /**
   * The sum of exponentials: {@code Σ exp(scores[i] − max)}, the same as that of {@link #exp}.
   *
   * @param scores {@code [n]}
   * @param max the greatest of them
   * @param sums working memory, {@code [SUMS]}
   * @return the sum
   */
  double sumExp(double[] scores, double max, double[] sums);

  /**
   * Finds the positive numbers that are not below a limit, in order.
   *
   * @param values {@code [n]}
   * @param least the limit
   * @param ids receives their indices, {@code [n]}
   * @return how many there are
   */
  int collect(double[] values, double least, int[] ids);

  /**
   * Runs an exponential race: the index with the greatest {@code weights[i] / E(i)}, where {@code
   * E(i) = −log(1 − u)} with u from {@link Noise#uniform}.
   *
   * @param weights {@code [n]}, none negative
   * @param least lesser weights do not take part; at least one positive weight does
   * @param address where the noise is
   * @return the winner's index; of equals the lowest
   */
  int race(double[] weights, double least, long address);

  /**
   * The same race where some indices are known to hold all weights that take part.
   *
   * @param weights {@code [n]}, none negative
   * @param least lesser weights do not take part; at least one positive weight does
   * @param ids the indices, in ascending order
   * @param count how many there are
   * @param address where the noise is
   * @return the winner's index; of equals the lowest
   */
  default int race(double[] weights, double least, int[] ids, int count, long address) {
    int winner = -1;
    double best = 0;
    for (int i = 0; i < count; i++) {
      double weight = weights[ids[i]];
      double u = Noise.uniform(address, ids[i]);
      if (weight >= least && weight > best * u) {
        double time = ScalarRowKernels.time(weight, u);
        if (time > best) {
          best = time;
          winner = ids[i];
        }
      }
    }
    return winner;
  }
}
