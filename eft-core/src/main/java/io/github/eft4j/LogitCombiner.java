package io.github.eft4j;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * What is sampled: an immutable expression over the next-token log-probabilities of models.
 *
 * <p>An expression is a sum of weighted terms. Sums and multiples are flattened as they are built,
 * so that a model that occurs several times is run once, and one whose weights cancel is not run at
 * all. The sum is normalised at the end; weights are never rescaled:
 *
 * <pre>{@code log π̃(y | x) = Σᵢ wᵢ log πᵢ(y | x) − log Z(x)}</pre>
 *
 * <p>Emulated fine-tuning (Mitchell et al., ICLR 2024, <a
 * href="https://arxiv.org/abs/2310.12962">arXiv 2310.12962</a>) is {@link #upScale} and {@link
 * #downScale}.
 */
public final class LogitCombiner {
  private final List<Summand> summands;

  /** A weighted term. */
  record Summand(double weight, Term term) {}

  /** A summand without its weight. */
  sealed interface Term {}

  /** A model that reads the prompt in a format. */
  record Leaf(LanguageModel model, PromptFormat format) implements Term {}

  /** A function of expressions; two are the same term only if they are the same object. */
  static final class FunctionTerm implements Term {
    final List<LogitCombiner> inputs;
    final LogitFunction function;

    FunctionTerm(List<LogitCombiner> inputs, LogitFunction function) {
      this.inputs = inputs;
      this.function = function;
    }
  }

  private LogitCombiner(List<Summand> summands) {
    this.summands = merge(summands);
  }

  private static List<Summand> merge(List<Summand> summands) {
    Map<Term, Double> weights = new LinkedHashMap<>();
    summands.forEach(s -> weights.merge(s.term, s.weight, Double::sum));
    return weights.entrySet().stream()
        .filter(e -> e.getValue() != 0)
        .map(e -> new Summand(e.getValue(), e.getKey()))
        .toList();
  }

  /**
   * A model as it is.
   *
   * @param model the model
   * @return {@code log π_model}
   */
  public static LogitCombiner of(LanguageModel model) {
    return new LogitCombiner(
        List.of(new Summand(1, new Leaf(Objects.requireNonNull(model), PromptFormat.plain()))));
  }

  /**
   * Emulates fine-tuning the large model as the small one was fine-tuned.
   *
   * @param large a large pre-trained model
   * @param tuned a small fine-tuned model
   * @param base the small model that {@code tuned} was made from
   * @return {@code log π_large + (log π_tuned − log π_base)}
   */
  public static LogitCombiner upScale(
      LanguageModel large, LanguageModel tuned, LanguageModel base) {
    return upScale(large, tuned, base, 1);
  }

  /**
   * Emulates fine-tuning the large model more or less strongly than the small one was fine-tuned.
   *
   * @param large a large pre-trained model
   * @param tuned a small fine-tuned model
   * @param base the small model that {@code tuned} was made from
   * @param beta the weight of what fine-tuning changed; above 1 amplifies it, 0 leaves {@code
   *     large}
   * @return {@code log π_large + β (log π_tuned − log π_base)}
   */
  public static LogitCombiner upScale(
      LanguageModel large, LanguageModel tuned, LanguageModel base, double beta) {
    return of(large).plus(of(tuned).minus(of(base)).times(beta));
  }

  /**
   * Emulates fine-tuning the small model as the large one was fine-tuned.
   *
   * @param small a small pre-trained model
   * @param largeTuned a large fine-tuned model
   * @param largeBase the large model that {@code largeTuned} was made from
   * @return {@code log π_small + (log π_largeTuned − log π_largeBase)}
   */
  public static LogitCombiner downScale(
      LanguageModel small, LanguageModel largeTuned, LanguageModel largeBase) {
    return upScale(small, largeTuned, largeBase);
  }

  /**
   * Emulates fine-tuning on a mixture of two rewards, such as helpfulness and harmlessness, chosen
   * when text is sampled.
   *
   * @param large a large pre-trained model
   * @param first a small model fine-tuned for the first reward
   * @param second a small model fine-tuned for the second reward
   * @param base the small model that both were made from
   * @param lambda the weight of the first reward, usually between 0 and 1; the second has {@code 1
   *     − lambda}
   * @return {@code log π_large + λ (log π_first − log π_base) + (1 − λ)(log π_second − log π_base)}
   */
  public static LogitCombiner interpolate(
      LanguageModel large,
      LanguageModel first,
      LanguageModel second,
      LanguageModel base,
      double lambda) {
    return of(large)
        .plus(of(first).minus(of(base)).times(lambda))
        .plus(of(second).minus(of(base)).times(1 - lambda));
  }

  /**
   * A combination by the user's own function.
   *
   * @param function combines the inputs' log-probabilities
   * @param inputs the expressions whose normalised log-probabilities the function is given
   * @return the function's value
   */
  public static LogitCombiner custom(LogitFunction function, LogitCombiner... inputs) {
    if (inputs.length == 0) {
      throw new IllegalArgumentException("a custom combination needs at least one input");
    }
    return new LogitCombiner(
        List.of(
            new Summand(1, new FunctionTerm(List.of(inputs), Objects.requireNonNull(function)))));
  }

  /**
   * The sum of two expressions: their distributions multiplied.
   *
   * @param other the other expression
   * @return {@code this + other}
   */
  public LogitCombiner plus(LogitCombiner other) {
    List<Summand> all = new ArrayList<>(summands);
    all.addAll(other.summands);
    return new LogitCombiner(all);
  }

  /**
   * The difference of two expressions: their distributions divided.
   *
   * @param other the other expression
   * @return {@code this − other}
   */
  public LogitCombiner minus(LogitCombiner other) {
    return plus(other.times(-1));
  }

  /**
   * A multiple of this expression.
   *
   * @param factor the factor
   * @return {@code factor · this}
   * @throws IllegalArgumentException if the factor is not finite
   */
  public LogitCombiner times(double factor) {
    if (!Double.isFinite(factor)) {
      throw new IllegalArgumentException("factor is " + factor + ", expected a finite number");
    }
    return new LogitCombiner(
        summands.stream().map(s -> new Summand(factor * s.weight, s.term)).toList());
  }

  /**
   * The same expression, with another way for its models to read the prompt.
   *
   * @param format how every model of this expression reads the prompt
   * @return the expression
   */
  public LogitCombiner prompted(PromptFormat format) {
    Objects.requireNonNull(format);
    return mapLeaves(leaf -> new Leaf(leaf.model, format));
  }

  private LogitCombiner mapLeaves(UnaryOperator<Leaf> map) {
    return new LogitCombiner(
        summands.stream()
            .map(
                s ->
                    new Summand(
                        s.weight,
                        switch (s.term) {
                          case Leaf leaf -> map.apply(leaf);
                          case FunctionTerm f ->
                              new FunctionTerm(
                                  f.inputs.stream().map(i -> i.mapLeaves(map)).toList(),
                                  f.function);
                        }))
            .toList());
  }

  /**
   * The models that this expression runs.
   *
   * @return the models, each once, in the order in which the expression names them
   */
  public List<LanguageModel> models() {
    return leaves().stream().map(Leaf::model).distinct().toList();
  }

  List<Summand> summands() {
    return summands;
  }

  /** The models and how they read the prompt, each pair once. */
  List<Leaf> leaves() {
    LinkedHashSet<Leaf> leaves = new LinkedHashSet<>();
    for (Summand s : summands) {
      switch (s.term) {
        case Leaf leaf -> leaves.add(leaf);
        case FunctionTerm f -> f.inputs.forEach(input -> leaves.addAll(input.leaves()));
      }
    }
    return List.copyOf(leaves);
  }

  /** The expression, such as {@code large + tuned - base}. */
  @Override
  public String toString() {
    if (summands.isEmpty()) {
      return "0";
    }
    StringBuilder text = new StringBuilder();
    for (Summand s : summands) {
      double size = Math.abs(s.weight);
      if (text.isEmpty()) {
        text.append(s.weight < 0 ? "-" : "");
      } else {
        text.append(s.weight < 0 ? " - " : " + ");
      }
      text.append(size == 1 ? "" : size + "*");
      text.append(
          switch (s.term) {
            case Leaf leaf -> leaf.model.name();
            case FunctionTerm f -> "custom" + f.inputs;
          });
    }
    return text.toString();
  }
}
