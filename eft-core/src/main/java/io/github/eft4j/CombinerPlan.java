package io.github.eft4j;

import io.github.eft4j.LogitCombiner.FunctionTerm;
import io.github.eft4j.LogitCombiner.Leaf;
import io.github.eft4j.LogitCombiner.Summand;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A combiner made ready to be evaluated on rows of logits: models have become indices, weights
 * numbers. Immutable.
 */
final class CombinerPlan {
  /** Stands for no leaf. */
  private static final int NONE = -1;

  private final RowKernels kernels = RowKernels.fastest();
  private final int vocabulary;
  private final Sum sum;

  /** A sum of logits of leaves and of values of functions. */
  @SuppressWarnings("ArrayRecordComponent") // read by the kernels, changed by nobody
  private record Sum(double[] weights, int[] leaves, List<WeightedFunction> functions) {
    /** Whether this is one leaf as it is. */
    boolean isLeaf(int leaf) {
      return functions.isEmpty() && leaves.length == 1 && leaves[0] == leaf && weights[0] == 1;
    }

    boolean reads(int leaf) {
      return Arrays.stream(leaves).anyMatch(term -> term == leaf)
          || functions.stream().flatMap(f -> f.inputs.stream()).anyMatch(s -> s.reads(leaf));
    }
  }

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
   * @return the greatest score, NaN unless all is finite: all logits that were read, and all scores
   *     save where a function forbids a token
   */
  double evaluate(MemorySegment[] logits, double[] scores) {
    return evaluate(logits, NONE, scores);
  }

  /**
   * Evaluates the expression where one leaf's row holds log-probabilities, which need not be
   * normalised, and cannot be where some of them are only bounds.
   */
  double evaluate(MemorySegment[] logits, int normalised, double[] scores) {
    return evaluate(sum, logits, normalised, scores);
  }

  private double evaluate(Sum expression, MemorySegment[] logits, int normalised, double[] scores) {
    double max = kernels.combine(expression.weights, expression.leaves, logits, scores);
    if (expression.functions.isEmpty()) {
      return max;
    }
    boolean finite = !Double.isNaN(max);
    for (WeightedFunction function : expression.functions) {
      finite &= addFunction(function, logits, normalised, scores);
    }
    return finite ? kernels.max(scores) : Double.NaN;
  }

  private boolean addFunction(
      WeightedFunction term, MemorySegment[] logits, int normalised, double[] scores) {
    double[][] inputs = new double[term.inputs.size()][];
    boolean finite = true;
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = new double[vocabulary];
      finite &= evaluateInput(term.inputs.get(i), logits, normalised, inputs[i]);
    }
    double[] value = new double[vocabulary];
    term.function.apply(inputs, value);
    for (int i = 0; i < vocabulary; i++) {
      scores[i] += term.weight * value[i];
      finite &= scores[i] < Double.POSITIVE_INFINITY; // false for NaN
    }
    return finite;
  }

  private boolean evaluateInput(
      Sum input, MemorySegment[] logits, int normalised, double[] logProbabilities) {
    boolean finite = !Double.isNaN(evaluate(input, logits, normalised, logProbabilities));
    if (!input.isLeaf(normalised)) {
      double logZ = Distribution.logSumExp(logProbabilities);
      for (int id = 0; id < vocabulary; id++) {
        logProbabilities[id] -= logZ;
      }
    }
    return finite;
  }

  /**
   * How the score of a token grows with one leaf's log-probability of the same token.
   *
   * @param leaf the leaf
   * @return the factor, where the score is that multiple of the log-probability and something that
   *     does not depend on the leaf, at all tokens or at {@linkplain #selected some}; NaN where it
   *     is not as simple, or the factor is not positive
   */
  double slope(int leaf) {
    double slope = 0;
    for (int i = 0; i < sum.leaves.length; i++) {
      slope += sum.leaves[i] == leaf ? sum.weights[i] : 0;
    }
    for (WeightedFunction term : sum.functions) {
      if (term.inputs.stream().noneMatch(input -> input.reads(leaf))) {
        continue;
      }
      if (slope != 0
          || !(term.function instanceof Combinations.SelectiveFunction)
          || !term.inputs.getFirst().isLeaf(leaf)
          || term.inputs.stream().skip(1).anyMatch(input -> input.reads(leaf))) {
        return Double.NaN;
      }
      slope = term.weight;
    }
    return slope > 0 ? slope : Double.NaN;
  }

  /**
   * Finds the tokens whose scores depend on a leaf that has a {@link #slope}.
   *
   * @param leaf the leaf
   * @param logits as for {@link #evaluate(MemorySegment[], double[])}; the leaf's is not read
   * @return for each token whether its score depends on the leaf, or null where all do
   */
  boolean @Nullable [] selected(int leaf, MemorySegment[] logits) {
    for (WeightedFunction term : sum.functions) {
      if (term.function instanceof Combinations.SelectiveFunction function
          && term.inputs.getFirst().isLeaf(leaf)) {
        double[][] inputs = new double[term.inputs.size()][vocabulary];
        for (int i = 1; i < inputs.length; i++) {
          evaluateInput(term.inputs.get(i), logits, NONE, inputs[i]);
        }
        return function.selected(inputs);
      }
    }
    return null;
  }
}
