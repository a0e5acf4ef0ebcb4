package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CombinerParserTest {
  private static final Map<String, LanguageModel> MODELS = new TreeMap<>();

  static {
    for (String name : List.of("large", "tuned", "base", "x.1", "_y")) {
      MODELS.put(name, FunctionModel.constant(name, 0, 0));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "large + 0.7*(tuned - base)|large + 0.7*tuned - 0.7*base",
        "large|large",
        " - base * 2 + large|-2*base + large",
        "2 * 3 * large - -1 * tuned|6*large + tuned",
        "(large + (tuned)) * 1e-1|0.1*large + 0.1*tuned",
        "large - large + x.1 + _y|x.1 + _y",
        "(1 - 0.25) * large|0.75*large",
        "union(large, 2*tuned) - base|union(large, 2*tuned) - base",
        "intersection(large)|intersection(large)",
        "conservative(large, tuned, base, 0.5)|conservative(large, tuned, base, 0.5)",
        "conservative(large, tuned, base, 1)|large + tuned - base",
        "0.5 * contrast(large, base + tuned, .1)|0.5*contrast(large, base + tuned, 0.1)",
        "expertAgainst(large, tuned, base, 2, 0.9)|expertAgainst(large, tuned, base, 2.0, 0.9)",
      })
  void reads(String text, String meaning) {
    LogitCombiner combiner = LogitCombiner.parse(text, MODELS);

    assertThat(combiner).hasToString(meaning);
    assertThat(LogitCombiner.parse(meaning, MODELS)).hasToString(meaning);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "large + + tuned|character 9: expected a model, a number or a bracket, found '+'",
        "large + larg|character 9: no model is named larg, but [_y, base, large, tuned, x.1]",
        "large +|character 8: expected a model, a number or a bracket, found the end",
        "(large|character 7: expected ')', found the end",
        "large tuned|character 7: expected +, -, * or the end, found 't'",
        "large * tuned|character 7: two models cannot be multiplied",
        "1 + large|character 3: a number and a model cannot be added",
        "3|character 1: the expression has no model",
        "1x * large|character 1: '1x' is not a number",
        "mean(large)|character 1: no function is named mean",
        "1 * contrast(large, 0.1)|character 5: contrast takes 2 expressions and then 1 numbers",
        "union(large, 2)|character 1: union combines models, not the number 2.0",
        "large + contrast(large, tuned, 0)|character 9: alpha is 0.0, expected above 0",
        "conservative(large, tuned, base, 2)|character 1: topP is 2.0, expected above 0",
        "expertAgainst(large, tuned, base, 1, 2)|character 1: topP is 2.0, expected above 0",
        "large & tuned|character 7: expected +, -, * or the end, found '&'",
      })
  void pointsAtWhatItCannotRead(String text, String message) {
    assertThatThrownBy(() -> LogitCombiner.parse(text, MODELS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("'" + text + "', " + message);
  }

  @Provide
  Arbitrary<LogitCombiner> combiners() {
    Arbitrary<LogitCombiner> leaf = Arbitraries.of(MODELS.values()).map(LogitCombiner::of);
    Arbitrary<Double> number = Arbitraries.doubles().between(-3, 3).ofScale(2);
    Arbitrary<LogitCombiner> sum =
        Combinators.combine(leaf, leaf, number).as((a, b, w) -> a.plus(b.times(w)));
    return Arbitraries.oneOf(
        sum,
        Combinators.combine(sum, sum, number).as((a, b, w) -> LogitCombiner.union(a, b).times(w)),
        Combinators.combine(sum, leaf).as((a, b) -> a.minus(LogitCombiner.contrast(a, b, 0.3))));
  }

  @Property(tries = 300)
  void readsWhatItWrites(@ForAll("combiners") LogitCombiner combiner) {
    String text = combiner.toString();
    if (!combiner.leaves().isEmpty() && !text.contains("0(") && !text.contains("(0")) {
      assertThat(LogitCombiner.parse(text, MODELS)).hasToString(text);
    }
  }
}
