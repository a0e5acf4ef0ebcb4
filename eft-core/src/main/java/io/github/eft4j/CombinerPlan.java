package io.github.eft4j;

import io.github.eft4j.LogitCombiner.FunctionTerm;
import io.github.eft4j.LogitCombiner.Leaf;
import io.github.eft4j.LogitCombiner.Summand;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A combiner made ready to be evaluated on rows of logits: models have become indices, weights
 * numbers. Immutable.
 */
final class CombinerPlan {
  private final RowKernels kernels = RowKernels.fastest();
  private final int vocabulary;
  private final Sum sum;

  /** A sum of logits of leaves and of values of functions. */
  @SuppressWarnings("ArrayRecordComponent") // read by the kernels, changed by nobody
  private record Sum(double[] weights, int[] leaves, List<WeightedFunction> functions) {}

  private record WeightedLeaf(double weight, int leaf) {}

  private record WeightedFunction(
      double weight, List<Sum> inputs, Combinations.RowFunction function) {}

  /**
   * Makes a plan.
   *
   * @param combiner the expression
   * @param weights what the names of weights stand for; absent ones have their defaults
   * @param vocabulary the number of ids that are combined: the models' common ones
   */
  CombinerPlan(LogitCombiner combiner, Map<String, Double> weights, int vocabulary) {
    this.vocabulary = vocabulary;
    this.sum = compile(combiner, combiner.leaves(), weights);
  }

  private static Sum compile(
      LogitCombiner expression, List<Leaf> order, Map<String, Double> weights) {
    List<WeightedLeaf> leaves = new ArrayList<>();
    List<WeightedFunction> functions = new ArrayList<>();
    for (Summand summand : expression.summands()) {
      double weight = summand.weight().value(weights);
      if (weight == 0) {
        continue;
      }
      switch (summand.term()) {
        case Leaf leaf -> leaves.add(new WeightedLeaf(weight, order.indexOf(leaf)));
        case FunctionTerm f ->
            functions.add(
                new WeightedFunction(
                    weight,
                    f.inputs.stream().map(input -> compile(input, order, weights)).toList(),
                    f.function));
      }
    }
    return new Sum(
        leaves.stream().mapToDouble(WeightedLeaf::weight).toArray(),
        leaves.stream().mapToInt(WeightedLeaf::leaf).toArray(),
        List.copyOf(functions));
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
    return evaluate(sum, logits, scores);
  }

  private boolean evaluate(Sum expression, MemorySegment[] logits, double[] scores) {
    boolean finite = kernels.combine(expression.weights, expression.leaves, logits, scores);
    for (WeightedFunction function : expression.functions) {
      finite &= addFunction(function, logits, scores);
    }
    return finite;
  }

  private boolean addFunction(WeightedFunction term, MemorySegment[] logits, double[] scores) {
    double[][] inputs = new double[term.inputs.size()][vocabulary];
    boolean finite = true;
    for (int i = 0; i < inputs.length; i++) {
      double[] input = inputs[i];
      finite &= evaluate(term.inputs.get(i), logits, input);
      double logZ = Distribution.logSumExp(input);
      for (int id = 0; id < vocabulary; id++) {
        input[id] -= logZ;
      }
    }
    double[] value = new double[vocabulary];
    term.function.apply(inputs, value);
    for (int i = 0; i < vocabulary; i++) {
      scores[i] += term.weight * value[i];
      finite &= scores[i] < Double.POSITIVE_INFINITY; // false for NaN
    }
    return finite;
  }
}
