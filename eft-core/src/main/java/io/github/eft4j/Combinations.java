package io.github.eft4j;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The combinations that are not sums. */
final class Combinations {
  private Combinations() {}

  /** A combination of normalised log-probabilities, each {@code [vocab]}. */
  interface RowFunction {
    /**
     * Combines rows.
     *
     * @param rows the inputs' log-probabilities, which may be overwritten
     * @param out receives log-probabilities up to a constant
     */
    void apply(double[][] rows, double[] out);
  }

  /** The user's own function. */
  static RowFunction custom(LogitFunction function) {
    return (rows, out) -> {
      INDArray value = function.apply(Arrays.stream(rows).map(Nd4j::createFromArray).toList());
      if (value.length() != out.length) {
        throw new IllegalStateException(
            "a custom combination returned shape %s, expected [%d]"
                .formatted(Arrays.toString(value.shape()), out.length));
      }
      double[] values = value.castTo(DataType.DOUBLE).reshape(out.length).toDoubleVector();
      System.arraycopy(values, 0, out, 0, out.length);
    };
  }

  static void union(double[][] rows, double[] out) {
    Arrays.setAll(out, i -> Arrays.stream(rows).mapToDouble(row -> row[i]).max().orElseThrow());
  }

  static void intersection(double[][] rows, double[] out) {
    Arrays.setAll(out, i -> Arrays.stream(rows).mapToDouble(row -> row[i]).min().orElseThrow());
  }

  /** Inputs: large, tuned, base. */
  static RowFunction conservative(double topP) {
    return (rows, out) -> {
      boolean[] nucleus = nucleus(rows[1], topP);
      Arrays.setAll(out, i -> nucleus[i] ? rows[0][i] + (rows[1][i] - rows[2][i]) : rows[1][i]);
    };
  }

  /** Inputs: what is filtered, and the expert whose plausibility decides. */
  static RowFunction plausible(double alpha) {
    double logAlpha = Math.log(alpha);
    return (rows, out) -> {
      double least = Distribution.max(rows[1], out.length) + logAlpha;
      Arrays.setAll(out, i -> rows[1][i] >= least ? rows[0][i] : Double.NEGATIVE_INFINITY);
    };
  }

  /** Inputs: what is filtered, and the base whose nucleus decides. */
  static RowFunction withinNucleus(double topP) {
    return (rows, out) -> {
      boolean[] nucleus = nucleus(rows[1], topP);
      Arrays.setAll(out, i -> nucleus[i] ? rows[0][i] : Double.NEGATIVE_INFINITY);
    };
  }

  /** The fewest likeliest tokens whose probabilities reach a sum. */
  private static boolean[] nucleus(double[] logProbabilities, double topP) {
    TokenDraw filter = new TokenDraw(logProbabilities.length);
    filter.prepare(logProbabilities, SamplingOptions.builder().topP(topP).build());
    boolean[] inside = new boolean[logProbabilities.length];
    for (int id : filter.kept()) {
      inside[id] = true;
    }
    return inside;
  }
}
