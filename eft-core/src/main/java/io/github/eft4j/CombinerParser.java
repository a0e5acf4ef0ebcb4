package io.github.eft4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Supplier;

/** Reads expressions over named models, by recursive descent. */
final class CombinerParser {
  private static final List<String> FUNCTIONS =
      List.of("conservative", "contrast", "expertAgainst", "intersection", "union");

  private final String text;
  private final Map<String, ? extends LanguageModel> models;
  private int at;

  /** What a part of an expression stands for. */
  private sealed interface Value {}

  private record Factor(double number) implements Value {}

  private record Combination(LogitCombiner combiner) implements Value {}

  CombinerParser(String text, Map<String, ? extends LanguageModel> models) {
    this.text = text;
    this.models = models;
  }

  LogitCombiner parse() {
    Value value = sum();
    if (at < text.length()) {
      throw error(at, "expected +, -, * or the end, found '" + text.charAt(at) + "'");
    }
    return switch (value) {
      case Combination(LogitCombiner combiner) -> combiner;
      case Factor _ -> throw error(0, "the expression has no model");
    };
  }

  private Value sum() {
    Value left = product();
    while (peek() == '+' || peek() == '-') {
      int operator = at;
      boolean plus = text.charAt(at++) == '+';
      Value right = product();
      left =
          switch (left) {
            case Factor(double a) when right instanceof Factor(double b) ->
                new Factor(plus ? a + b : a - b);
            case Combination(LogitCombiner a) when right instanceof Combination(LogitCombiner b) ->
                new Combination(plus ? a.plus(b) : a.minus(b));
            default -> throw error(operator, "a number and a model cannot be added");
          };
    }
    return left;
  }

  private Value product() {
    Value left = factor();
    while (peek() == '*') {
      int operator = at++;
      Value right = factor();
      left =
          switch (left) {
            case Factor(double a) when right instanceof Factor(double b) -> new Factor(a * b);
            case Factor(double a) when right instanceof Combination(LogitCombiner b) ->
                new Combination(b.times(a));
            case Combination(LogitCombiner a) when right instanceof Factor(double b) ->
                new Combination(a.times(b));
            default -> throw error(operator, "two models cannot be multiplied");
          };
    }
    return left;
  }

  private Value factor() {
    char c = peek();
    int start = at;
    if (c == '-') {
      at++;
      return switch (factor()) {
        case Factor(double number) -> new Factor(-number);
        case Combination(LogitCombiner combiner) -> new Combination(combiner.times(-1));
      };
    }
    if (c == '(') {
      at++;
      Value value = sum();
      expect(')');
      return value;
    }
    if (Character.isDigit(c) || c == '.') {
      return new Factor(number());
    }
    if (Character.isLetter(c) || c == '_') {
      String name = name();
      if (peek() == '(') {
        return new Combination(function(name, start));
      }
      LanguageModel model = models.get(name);
      if (model == null) {
        throw error(start, "no model is named " + name + ", but " + new TreeSet<>(models.keySet()));
      }
      return new Combination(LogitCombiner.of(model));
    }
    throw error(
        at,
        "expected a model, a number or a bracket, found "
            + (at == text.length() ? "the end" : "'" + c + "'"));
  }

  private double number() {
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at))
            || text.charAt(at) == '.'
            || ((text.charAt(at) == '-' || text.charAt(at) == '+')
                && Character.toLowerCase(text.charAt(at - 1)) == 'e'))) {
      at++;
    }
    String digits = text.substring(start, at);
    try {
      return Double.parseDouble(digits);
    } catch (NumberFormatException e) {
      throw error(start, "'" + digits + "' is not a number");
    }
  }

  private String name() {
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || "_.".indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    return text.substring(start, at);
  }

  private LogitCombiner function(String name, int start) {
    List<Value> arguments = new ArrayList<>();
    expect('(');
    do {
      arguments.add(sum());
    } while (peek() == ',' && at++ >= 0);
    expect(')');
    return switch (name) {
      case "union" -> LogitCombiner.union(combiners(name, start, arguments, 0));
      case "intersection" -> LogitCombiner.intersection(combiners(name, start, arguments, 0));
      case "contrast" -> {
        LogitCombiner[] c = combiners(name, start, arguments, 2, 1);
        yield checked(start, () -> LogitCombiner.contrast(c[0], c[1], parameter(arguments, 2)));
      }
      case "conservative" -> {
        LogitCombiner[] c = combiners(name, start, arguments, 3, 1);
        yield checked(
            start, () -> LogitCombiner.conservative(c[0], c[1], c[2], parameter(arguments, 3)));
      }
      case "expertAgainst" -> {
        LogitCombiner[] c = combiners(name, start, arguments, 3, 2);
        yield checked(
            start,
            () ->
                LogitCombiner.expertAgainst(
                    c[0], c[1], c[2], parameter(arguments, 3), parameter(arguments, 4)));
      }
      default -> throw error(start, "no function is named " + name + ", but " + FUNCTIONS);
    };
  }

  /** Says where the function is whose numbers are refused. */
  private LogitCombiner checked(int start, Supplier<LogitCombiner> function) {
    try {
      return function.get();
    } catch (IllegalArgumentException e) {
      throw error(start, Objects.requireNonNull(e.getMessage()));
    }
  }

  private LogitCombiner[] combiners(
      String name, int start, List<Value> arguments, int models, int numbers) {
    if (arguments.size() != models + numbers
        || !arguments.subList(models, arguments.size()).stream()
            .allMatch(Factor.class::isInstance)) {
      throw error(
          start, "%s takes %d expressions and then %d numbers".formatted(name, models, numbers));
    }
    return combiners(name, start, arguments, numbers);
  }

  /** All arguments but the last few, which must be expressions over models. */
  private LogitCombiner[] combiners(String name, int start, List<Value> arguments, int numbers) {
    return arguments.subList(0, arguments.size() - numbers).stream()
        .map(
            argument ->
                switch (argument) {
                  case Combination(LogitCombiner combiner) -> combiner;
                  case Factor(double number) ->
                      throw error(start, name + " combines models, not the number " + number);
                })
        .toArray(LogitCombiner[]::new);
  }

  private static double parameter(List<Value> arguments, int index) {
    return ((Factor) arguments.get(index)).number;
  }

  /** The next character that is no space, or 0 at the end. */
  private char peek() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : 0;
  }

  private void expect(char c) {
    if (peek() != c) {
      throw error(
          at,
          "expected '%s', found %s"
              .formatted(c, at == text.length() ? "the end" : "'" + text.charAt(at) + "'"));
    }
    at++;
  }

  private IllegalArgumentException error(int position, String what) {
    return new IllegalArgumentException(
        "'%s', character %d: %s".formatted(text, position + 1, what));
  }
}
