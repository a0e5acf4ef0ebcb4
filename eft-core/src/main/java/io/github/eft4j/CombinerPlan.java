package io.github.eft4j;

import io.github.eft4j.LogitCombiner.FunctionTerm;
import io.github.eft4j.LogitCombiner.Leaf;
import io.github.eft4j.LogitCombiner.Summand;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A combiner made ready to be evaluated on rows of logits. Immutable. */
final class CombinerPlan {
  private final List<Leaf> leaves;
  private final LogitCombiner combiner;
  private final int vocabulary;

  /**
   * Makes a plan.
   *
   * @param combiner the expression
   * @param vocabulary the number of ids that are combined: the models' common ones
   */
  CombinerPlan(LogitCombiner combiner, int vocabulary) {
    this.combiner = combiner;
    this.leaves = combiner.leaves();
    this.vocabulary = vocabulary;
  }

  List<Leaf> leaves() {
    return leaves;
  }

  int vocabulary() {
    return vocabulary;
  }

  /**
   * Evaluates the expression in double precision.
   *
   * @param logits for each leaf in order the memory of one row of its logits, float32 {@code
   *     [vocab]}
   * @param scores receives the log-probabilities up to a constant, {@code [vocab]}
   * @return whether all is finite: all logits that were read, and all scores save where a function
   *     forbids a token
   */
  boolean evaluate(MemorySegment[] logits, double[] scores) {
    return evaluate(combiner, logits, scores);
  }

  private boolean evaluate(LogitCombiner expression, MemorySegment[] logits, double[] scores) {
    Arrays.fill(scores, 0, vocabulary, 0);
    boolean finite = true;
    for (Summand summand : expression.summands()) {
      finite &=
          switch (summand.term()) {
            case Leaf leaf ->
                addScaled(summand.weight(), logits[leaves.indexOf(leaf)], scores, vocabulary);
            case FunctionTerm f -> addFunction(summand.weight(), f, logits, scores);
          };
    }
    return finite;
  }

  private static boolean addScaled(double weight, MemorySegment row, double[] scores, int n) {
    double spoilt = 0;
    for (int i = 0; i < n; i++) {
      double logit = row.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      double score = Math.fma(weight, logit, scores[i]);
      spoilt += logit * 0; // NaN from the first logit on that is not finite
      scores[i] = score;
    }
    return spoilt == 0;
  }

  private boolean addFunction(
      double weight, FunctionTerm term, MemorySegment[] logits, double[] scores) {
    List<INDArray> inputs = new ArrayList<>();
    double[] input = new double[vocabulary];
    boolean finite = true;
    for (LogitCombiner expression : term.inputs) {
      finite &= evaluate(expression, logits, input);
      double logZ = Distribution.logSumExp(input, vocabulary);
      inputs.add(Nd4j.createFromArray(Arrays.stream(input).map(s -> s - logZ).toArray()));
    }
    INDArray value = term.function.apply(inputs);
    if (value.length() != vocabulary) {
      throw new IllegalStateException(
          "a custom combination returned shape %s, expected [%d]"
              .formatted(Arrays.toString(value.shape()), vocabulary));
    }
    double[] values = value.castTo(DataType.DOUBLE).reshape(vocabulary).toDoubleVector();
    for (int i = 0; i < vocabulary; i++) {
      scores[i] += weight * values[i];
      finite &= scores[i] < Double.POSITIVE_INFINITY; // false for NaN
    }
    return finite;
  }
}
