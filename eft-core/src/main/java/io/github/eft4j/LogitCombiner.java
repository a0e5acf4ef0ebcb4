package io.github.eft4j;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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
  record Summand(Weight weight, Term term) {}

  /** A summand without its weight. */
  sealed interface Term {}

  /** A model that reads the prompt in a format. */
  record Leaf(LanguageModel model, PromptFormat format) implements Term {}

  /** A function of expressions; two are the same term only if they are the same object. */
  static final class FunctionTerm implements Term {
    final String name;
    final List<LogitCombiner> inputs;

    /** The numbers that the function was made with, for {@link LogitCombiner#toString}. */
    final List<Double> parameters;

    final Combinations.RowFunction function;

    FunctionTerm(
        String name,
        List<LogitCombiner> inputs,
        List<Double> parameters,
        Combinations.RowFunction function) {
      this.name = name;
      this.inputs = inputs;
      this.parameters = parameters;
      this.function = function;
    }
  }

  private LogitCombiner(List<Summand> summands) {
    this.summands = merge(summands);
  }

  private static List<Summand> merge(List<Summand> summands) {
    Map<Term, Weight> weights = new LinkedHashMap<>();
    summands.forEach(s -> weights.merge(s.term, s.weight, Weight::plus));
    return weights.entrySet().stream()
        .filter(e -> !e.getValue().isZero())
        .map(e -> new Summand(e.getValue(), e.getKey()))
        .toList();
  }

  private static LogitCombiner function(
      String name,
      List<LogitCombiner> inputs,
      List<Double> parameters,
      Combinations.RowFunction function) {
    if (inputs.isEmpty()) {
      throw new IllegalArgumentException(name + " needs at least one input");
    }
    return new LogitCombiner(
        List.of(new Summand(Weight.ONE, new FunctionTerm(name, inputs, parameters, function))));
  }

  /**
   * A model as it is.
   *
   * @param model the model
   * @return {@code log π_model}
   */
  public static LogitCombiner of(LanguageModel model) {
    return new LogitCombiner(
        List.of(
            new Summand(
                Weight.ONE, new Leaf(Objects.requireNonNull(model), PromptFormat.plain()))));
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
    return interpolate(large, first, second, base, Weight.of(lambda));
  }

  /**
   * Emulates fine-tuning on a mixture of two rewards that each request may choose.
   *
   * @param large a large pre-trained model
   * @param first a small model fine-tuned for the first reward
   * @param second a small model fine-tuned for the second reward
   * @param base the small model that both were made from
   * @param lambda the weight of the first reward, such as {@code Weight.named("lambda", 0.5)}; the
   *     second has {@code 1 − lambda}
   * @return {@code log π_large + λ (log π_first − log π_base) + (1 − λ)(log π_second − log π_base)}
   */
  public static LogitCombiner interpolate(
      LanguageModel large,
      LanguageModel first,
      LanguageModel second,
      LanguageModel base,
      Weight lambda) {
    return of(large)
        .plus(of(first).minus(of(base)).times(lambda))
        .plus(of(second).minus(of(base)).times(lambda.complement()));
  }

  /**
   * Up-scaling that trusts the large model only where the fine-tuned one would go itself: tokens in
   * the top-p set of {@code tuned} are up-scaled, all others keep the probability that {@code
   * tuned} gives them; then all are normalised (Mitchell et al. 2024, section 4.3).
   *
   * <p>This changes the distribution; {@link SamplingOptions#topP} filters the result.
   *
   * @param large a large pre-trained model
   * @param tuned a small fine-tuned model
   * @param base the small model that {@code tuned} was made from
   * @param topP the sum of probabilities that the up-scaled tokens reach under {@code tuned}, above
   *     0; 1 is {@link #upScale}
   * @return {@code log π_tuned + (log π_large − log π_base)} within the set, {@code log π_tuned}
   *     elsewhere
   * @throws IllegalArgumentException if {@code topP} is out of its range
   */
  public static LogitCombiner conservative(
      LanguageModel large, LanguageModel tuned, LanguageModel base, double topP) {
    return conservative(of(large), of(tuned), of(base), topP);
  }

  static LogitCombiner conservative(
      LogitCombiner large, LogitCombiner tuned, LogitCombiner base, double topP) {
    requireShare("topP", topP);
    return topP == 1
        ? large.plus(tuned.minus(base))
        : function(
            "conservative",
            List.of(large, tuned, base),
            List.of(topP),
            new Combinations.Conservative(topP));
  }

  /**
   * Contrastive decoding (Li et al., ACL 2023, <a href="https://arxiv.org/abs/2210.15097">arXiv
   * 2210.15097</a>): what the expert says more than the amateur, among tokens that the expert finds
   * plausible.
   *
   * @param expert the stronger model
   * @param amateur the weaker model
   * @param alpha a token is plausible that is at least this many times as likely as the expert's
   *     likeliest, above 0 and at most 1; the paper uses 0.1
   * @return {@code log π_expert − log π_amateur} where {@code π_expert ≥ α max π_expert}, negative
   *     infinity elsewhere
   * @throws IllegalArgumentException if {@code alpha} is out of its range
   */
  public static LogitCombiner contrast(LanguageModel expert, LanguageModel amateur, double alpha) {
    return contrast(of(expert), of(amateur), alpha);
  }

  static LogitCombiner contrast(LogitCombiner expert, LogitCombiner amateur, double alpha) {
    requireShare("alpha", alpha);
    return function(
        "contrast", List.of(expert, amateur), List.of(alpha), Combinations.contrast(alpha));
  }

  /**
   * DExperts (Liu et al., ACL 2021, <a href="https://arxiv.org/abs/2105.03023">arXiv
   * 2105.03023</a>): a base model, filtered by top-p, steered towards an expert and away from an
   * anti-expert.
   *
   * @param base the model that is steered
   * @param expert a model of what is wanted
   * @param antiExpert a model of what is not wanted
   * @param alpha how strongly to steer
   * @param topP the sum of probabilities under {@code base} that the tokens kept reach, above 0;
   *     the paper uses 0.9
   * @return {@code log π_base + α (log π_expert − log π_antiExpert)} within the base's top-p set,
   *     negative infinity elsewhere
   * @throws IllegalArgumentException if {@code topP} is out of its range
   */
  public static LogitCombiner expertAgainst(
      LanguageModel base,
      LanguageModel expert,
      LanguageModel antiExpert,
      double alpha,
      double topP) {
    return expertAgainst(of(base), of(expert), of(antiExpert), alpha, topP);
  }

  static LogitCombiner expertAgainst(
      LogitCombiner base,
      LogitCombiner expert,
      LogitCombiner antiExpert,
      double alpha,
      double topP) {
    requireShare("topP", topP);
    Weight.requireFinite("alpha", alpha);
    return topP == 1
        ? base.plus(expert.minus(antiExpert).times(alpha))
        : function(
            "expertAgainst",
            List.of(base, expert, antiExpert),
            List.of(alpha, topP),
            Combinations.expertAgainst(alpha, topP));
  }

  /**
   * Classifier-free guidance (Sanchez et al. 2023, <a href="https://arxiv.org/abs/2306.17806">arXiv
   * 2306.17806</a>): one model with two prompts.
   *
   * @param model the model
   * @param prompted how it reads the prompt that it shall follow
   * @param unprompted how it reads the prompt without what it shall follow
   * @param guidance how closely to follow; 1 follows {@code prompted} as it is
   * @return {@code log π(y|unprompted) + γ (log π(y|prompted) − log π(y|unprompted))}
   */
  public static LogitCombiner guided(
      LanguageModel model, PromptFormat prompted, PromptFormat unprompted, double guidance) {
    LogitCombiner without = of(model).prompted(unprompted);
    return without.plus(of(model).prompted(prompted).minus(without).times(guidance));
  }

  /**
   * What at least one expression finds likely (Dekoninck et al., ICLR 2024, <a
   * href="https://arxiv.org/abs/2311.14479">arXiv 2311.14479</a>).
   *
   * @param inputs the expressions
   * @return {@code max_i log π_i}
   */
  public static LogitCombiner union(LogitCombiner... inputs) {
    return function("union", List.of(inputs), List.of(), Combinations::union);
  }

  /**
   * What all expressions find likely (Dekoninck et al., ICLR 2024, <a
   * href="https://arxiv.org/abs/2311.14479">arXiv 2311.14479</a>).
   *
   * @param inputs the expressions
   * @return {@code min_i log π_i}
   */
  public static LogitCombiner intersection(LogitCombiner... inputs) {
    return function("intersection", List.of(inputs), List.of(), Combinations::intersection);
  }

  /**
   * A combination by the user's own function.
   *
   * @param function combines the inputs' log-probabilities
   * @param inputs the expressions whose normalised log-probabilities the function is given
   * @return the function's value
   * @throws IllegalArgumentException if there are no inputs
   */
  public static LogitCombiner custom(LogitFunction function, LogitCombiner... inputs) {
    return function(
        "custom",
        List.of(inputs),
        List.of(),
        Combinations.custom(Objects.requireNonNull(function)));
  }

  private static void requireShare(String name, double value) {
    if (!(value > 0 && value <= 1)) {
      throw new IllegalArgumentException(
          name + " is " + value + ", expected above 0 and at most 1");
    }
  }

  /**
   * Reads an expression such as {@code large + 0.7*(tuned - base)}. There are models by name,
   * numbers, {@code + - *}, brackets, and the functions {@code conservative(large, tuned, base,
   * topP)}, {@code contrast(expert, amateur, alpha)}, {@code expertAgainst(base, expert,
   * antiExpert, alpha, topP)}, {@code union(…)} and {@code intersection(…)}. What {@link #toString}
   * writes can be read again, unless it has functions of the user's own or names that are not
   * words.
   *
   * @param expression the expression
   * @param models the models by the names that the expression may use: letters, digits, {@code _}
   *     and {@code .}, not beginning with a digit
   * @return the combiner
   * @throws IllegalArgumentException if the expression cannot be read; the message names the
   *     character
   */
  public static LogitCombiner parse(
      String expression, Map<String, ? extends LanguageModel> models) {
    return new CombinerParser(expression, models).parse();
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
    Weight.requireFinite("factor", factor);
    return times(Weight.of(factor));
  }

  /**
   * A multiple of this expression by a weight that requests may choose.
   *
   * @param weight the factor
   * @return {@code weight · this}
   */
  public LogitCombiner times(Weight weight) {
    return new LogitCombiner(
        summands.stream().map(s -> new Summand(weight.times(s.weight), s.term)).toList());
  }

  /**
   * The strength of the change that fine-tuning made: {@code upScale(…)} with another β, for any
   * expression.
   *
   * @param beta the weight of the change; 1 leaves this expression, 0 leaves {@code from}
   * @param from what the change is counted from, usually the large base model
   * @return {@code from + β (this − from)}
   */
  public LogitCombiner amplify(double beta, LogitCombiner from) {
    return from.plus(minus(from).times(beta));
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
                                  f.name,
                                  f.inputs.stream().map(i -> i.mapLeaves(map)).toList(),
                                  f.parameters,
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

  /** The names of the weights that requests may choose, with their defaults. */
  Map<String, Double> weights() {
    Map<String, Double> weights = new TreeMap<>();
    for (Summand s : summands) {
      weights.putAll(s.weight.defaults());
      if (s.term instanceof FunctionTerm f) {
        f.inputs.forEach(input -> weights.putAll(input.weights()));
      }
    }
    return weights;
  }

  /** The expression, such as {@code large + tuned - base}. */
  @Override
  public String toString() {
    if (summands.isEmpty()) {
      return "0";
    }
    StringBuilder text = new StringBuilder();
    for (Summand s : summands) {
      String weight = s.weight.toString();
      boolean negative = weight.startsWith("-");
      String size = negative ? weight.substring(1) : weight;
      if (text.isEmpty()) {
        text.append(negative ? "-" : "");
      } else {
        text.append(negative ? " - " : " + ");
      }
      text.append(size.equals("1") ? "" : size + "*");
      text.append(
          switch (s.term) {
            case Leaf leaf -> leaf.model.name();
            case FunctionTerm f ->
                Stream.concat(f.inputs.stream(), f.parameters.stream())
                    .map(Object::toString)
                    .collect(Collectors.joining(", ", f.name + "(", ")"));
          });
    }
    return text.toString();
  }
}
