package io.github.eft4j;

import java.lang.foreign.MemorySegment;

/**
 * The loops over the vocabulary that every token costs. All implementations give the same bits: a
 * sum has {@value #SUMS} partial sums, number i added to partial sum i mod {@value #SUMS} in order
 * of i, and the partial sums added in order of their index.
 */
interface RowKernels {
  /** The number of partial sums of a sum. */
  int SUMS = 16;

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

  /**
   * Adds a multiple of a row of logits: {@code scores[i] += weight · row[i]}, fused.
   *
   * @param weight the factor
   * @param row float32 {@code [n]}
   * @param scores {@code [n]}
   * @return whether all logits are finite
   */
  boolean addScaled(double weight, MemorySegment row, double[] scores);

  /**
   * The greatest number.
   *
   * @param values {@code [n]}
   * @return the maximum, NaN if one is NaN
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
   * Sets numbers below a limit to zero.
   *
   * @param values {@code [n]}, none negative
   * @param least the limit
   */
  void zeroBelow(double[] values, double least);

  /**
   * Copies the positive numbers that are not below a limit, in order.
   *
   * @param values {@code [n]}
   * @param least the limit
   * @param out receives them, {@code [n]}
   * @return how many there are
   */
  int collect(double[] values, double least, double[] out);

  /**
   * Runs an exponential race: the index with the greatest {@code weights[i] / E(i)}, where {@code
   * E(i) = −log(1 − u)} with u from {@link Noise#uniform}.
   *
   * @param weights {@code [n]}, none negative, at least one positive
   * @param address where the noise is
   * @return the winner's index; of equals the lowest
   */
  int race(double[] weights, long address);
}
