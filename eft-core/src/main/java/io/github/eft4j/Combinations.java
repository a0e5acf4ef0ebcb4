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

  /** A function that adds its first input at some tokens, and ignores it at all others. */
  interface SelectiveFunction extends RowFunction {
    /**
     * Finds the tokens.
     *
     * @param rows as for {@code apply}, of which the first is not read
     * @return at which tokens the first input counts
     */
    boolean[] selected(double[][] rows);
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
  record Conservative(double topP) implements SelectiveFunction {
    @Override
    public void apply(double[][] rows, double[] out) {
      boolean[] nucleus = selected(rows);
      Arrays.setAll(out, i -> nucleus[i] ? rows[0][i] + (rows[1][i] - rows[2][i]) : rows[1][i]);
    }

    @Override
    public boolean[] selected(double[][] rows) {
      return nucleus(rows[1], topP);
    }
  }

  /** Inputs: expert, amateur. */
  static RowFunction contrast(double alpha) {
    double logAlpha = Math.log(alpha);
    return (rows, out) -> {
      double least = RowKernels.fastest().max(rows[0]) + logAlpha;
      Arrays.setAll(
          out, i -> rows[0][i] >= least ? rows[0][i] - rows[1][i] : Double.NEGATIVE_INFINITY);
    };
  }

  /** Inputs: base, expert, anti-expert. */
  static RowFunction expertAgainst(double alpha, double topP) {
    return (rows, out) -> {
      boolean[] nucleus = nucleus(rows[0], topP);
      Arrays.setAll(
          out,
          i ->
              nucleus[i]
                  ? rows[0][i] + alpha * (rows[1][i] - rows[2][i])
                  : Double.NEGATIVE_INFINITY);
    };
  }

  /** The fewest likeliest tokens whose probabilities reach a sum. */
  private static boolean[] nucleus(double[] logProbabilities, double topP) {
    TokenDraw filter = new TokenDraw(logProbabilities.length);
    filter.prepare(logProbabilities, SamplingOptions.builder().topP(topP).build());
    boolean[] inside = new boolean[logProbabilities.length];
    for (int id = 0; id < inside.length; id++) {
      inside[id] = filter.keeps(id);
    }
    return inside;
  }
}
