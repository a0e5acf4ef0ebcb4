package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** {@link RowKernels} one number at a time. */
final class ScalarRowKernels implements RowKernels {
  @Override
  public boolean addScaled(double weight, MemorySegment row, double[] scores) {
    return addScaled(weight, row, scores, 0);
  }

  /** The same from an index on. */
  static boolean addScaled(double weight, MemorySegment row, double[] scores, int from) {
    double spoilt = 0;
    for (int i = from; i < scores.length; i++) {
      double logit = row.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      scores[i] = Math.fma(weight, logit, scores[i]);
      spoilt += logit * 0; // NaN from the first logit on that is not finite
    }
    return spoilt == 0;
  }

  @Override
  public double max(double[] values) {
    return max(values, 0, Double.NEGATIVE_INFINITY);
  }

  static double max(double[] values, int from, double max) {
    for (int i = from; i < values.length; i++) {
      max = Math.max(max, values[i]);
    }
    return max;
  }

  @Override
  public double exp(double[] scores, double max, double factor, double[] out, double[] sums) {
    exp(scores, max, factor, out, 0);
    Arrays.fill(sums, 0);
    return sum(out, 0, sums);
  }

  static void exp(double[] scores, double max, double factor, double[] out, int from) {
    for (int i = from; i < scores.length; i++) {
      out[i] = Distribution.exp((scores[i] - max) * factor);
    }
  }

  /** Adds numbers from an index on, which is a multiple of {@link #SUMS}, to partial sums. */
  static double sum(double[] values, int from, double[] sums) {
    for (int i = from; i < values.length; i++) {
      sums[i % SUMS] += values[i];
    }
    double total = 0;
    for (double sum : sums) {
      total += sum;
    }
    return total;
  }

  @Override
  public void zeroBelow(double[] values, double least) {
    zeroBelow(values, least, 0);
  }

  static void zeroBelow(double[] values, double least, int from) {
    for (int i = from; i < values.length; i++) {
      values[i] = values[i] < least ? 0 : values[i];
    }
  }

  @Override
  public int collect(double[] values, double least, double[] out) {
    return collect(values, least, out, 0, values.length, 0);
  }

  static int collect(double[] values, double least, double[] out, int from, int to, int count) {
    for (int i = from; i < to; i++) {
      if (values[i] >= least && values[i] > 0) {
        out[count++] = values[i];
      }
    }
    return count;
  }

  @Override
  public int race(double[] weights, long address) {
    int winner = -1;
    double best = 0;
    for (int i = 0; i < weights.length; i++) {
      double u = Noise.uniform(address, i);
      // −log(1 − u) ≥ u: most lose without the logarithm.
      if (weights[i] > best * u) {
        double time = weights[i] / -StrictMath.log1p(-u);
        if (time > best) {
          best = time;
          winner = i;
        }
      }
    }
    return winner;
  }
}
