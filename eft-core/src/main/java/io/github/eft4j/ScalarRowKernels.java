package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** {@link RowKernels} one number at a time. */
final class ScalarRowKernels implements RowKernels {
  @Override
  public void scaled(double weight, MemorySegment row, double[] scores, int from, int to) {
    for (int i = from; i < to; i++) {
      scores[i] = weight * row.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
    }
  }

  @Override
  public void addScaled(double weight, MemorySegment row, double[] scores, int from, int to) {
    for (int i = from; i < to; i++) {
      scores[i] = Math.fma(weight, row.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i), scores[i]);
    }
  }

  @Override
  public double spoilt(double[] scores, int from, int to) {
    double spoilt = 0;
    for (int i = from; i < to; i++) {
      spoilt += scores[i] * 0;
    }
    return spoilt;
  }

  @Override
  public double max(double[] values) {
    return max(values, 0, Double.NEGATIVE_INFINITY);
  }

  static double max(double[] values, int from, double max) {
    for (int i = from; i < values.length; i++) {
      max = values[i] > max ? values[i] : max;
    }
    return max;
  }

  @Override
  public double exp(double[] scores, double max, double factor, double[] out, double[] sums) {
    exp(scores, max, factor * Distribution.LOG2_E, out, 0);
    Arrays.fill(sums, 0, SUMS, 0);
    return sum(out, 0, sums);
  }

  static void exp(double[] scores, double max, double scale, double[] out, int from) {
    for (int i = from; i < scores.length; i++) {
      out[i] = Distribution.exp2((scores[i] - max) * scale);
    }
  }

  /** Adds numbers from an index on, which is a multiple of {@link #SUMS}, to partial sums. */
  static double sum(double[] values, int from, double[] sums) {
    for (int i = from; i < values.length; i++) {
      sums[i % SUMS] += values[i];
    }
    return total(sums);
  }

  private static double total(double[] sums) {
    double total = 0;
    for (int i = 0; i < SUMS; i++) {
      total += sums[i];
    }
    return total;
  }

  @Override
  public double sumExp(double[] scores, double max, double[] sums) {
    Arrays.fill(sums, 0, SUMS, 0);
    return sumExp(scores, max, 0, sums);
  }

  static double sumExp(double[] scores, double max, int from, double[] sums) {
    for (int i = from; i < scores.length; i++) {
      sums[i % SUMS] += Distribution.exp2((scores[i] - max) * Distribution.LOG2_E);
    }
    return total(sums);
  }

  @Override
  public int collect(double[] values, double least, int[] ids) {
    return collect(values, least, ids, 0, 0);
  }

  static int collect(double[] values, double least, int[] ids, int from, int count) {
    for (int i = from; i < values.length; i++) {
      if (values[i] >= least && values[i] > 0) {
        ids[count++] = i;
      }
    }
    return count;
  }

  @Override
  public int race(double[] weights, double least, long address) {
    int winner = -1;
    double best = 0;
    for (int i = 0; i < weights.length; i++) {
      if (weights[i] < least) {
        continue;
      }
      double u = Noise.uniform(address, i);
      if (weights[i] > best * u) { // else it loses, since −log(1 − u) ≥ u
        double time = time(weights[i], u);
        if (time > best) {
          best = time;
          winner = i;
        }
      }
    }
    return winner;
  }

  static double time(double weight, double u) {
    return weight / -StrictMath.log1p(-u);
  }
}
