package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Traces tokens: normalises every model's logits and compares them with the combined distribution.
 * Holds the memory that this needs; not safe for use by several threads at once.
 */
final class TokenTracer {
  private final RowKernels kernels = RowKernels.fastest();

  /** Each model's log-probabilities in the place that is traced, {@code [models][vocab]}. */
  private final double[][] models;

  TokenTracer(int models, int vocabulary) {
    this.models = new double[models][vocabulary];
  }

  /**
   * Reads a model's logits in the place that is traced.
   *
   * @param model the model's index
   * @param logits one row of its logits, float32 {@code [at least vocab]}
   * @return whether they can be normalised
   */
  boolean read(int model, MemorySegment logits) {
    double[] row = models[model];
    boolean finite = kernels.widen(logits, row);
    double logZ = Distribution.logSumExp(row);
    for (int id = 0; id < row.length; id++) {
      row[id] -= logZ;
    }
    return finite;
  }

  /**
   * Traces a token, after all models were read.
   *
   * @param sequence the completion that it belongs to, which does not have it yet
   * @param id the token
   * @param drafted the token that was drafted in its place, if one was
   * @param combined the combined distribution
   * @param candidates how many of the likeliest tokens to show
   */
  TokenTrace trace(
      Sequence sequence, int id, OptionalInt drafted, TokenDraw combined, int candidates) {
    double[] sums = new double[models.length];
    for (int token = 0; token < models[0].length; token++) {
      double p = Distribution.exp(combined.logProbability(token));
      for (int i = 0; i < sums.length; i++) {
        sums[i] += Math.abs(p - Distribution.exp(models[i][token]));
      }
    }
    List<Double> totalVariations = new ArrayList<>();
    for (double sum : sums) {
      totalVariations.add(Math.min(1, sum / 2)); // but for rounding it never is above
    }
    return new TokenTrace(
        token(sequence, id, combined),
        drafted.isPresent()
            ? Optional.of(token(sequence, drafted.getAsInt(), combined))
            : Optional.empty(),
        totalVariations,
        combined.top(candidates).stream().map(t -> token(sequence, t.id(), combined)).toList());
  }

  private TracedToken token(Sequence sequence, int id, TokenDraw combined) {
    return new TracedToken(
        id,
        sequence.textOf(id),
        combined.logProbability(id),
        Arrays.stream(models).map(row -> row[id]).toList());
  }
}
