package io.github.eft4j.models.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The methods of Python's strings that templates call. */
final class PythonStrings {
  private static final int UNLIMITED = -1;

  /** A method with a string's other arguments. */
  @FunctionalInterface
  private interface Method {
    Object call(String string, Arguments arguments);
  }

  private static final Map<String, Method> METHODS =
      Map.ofEntries(
          Map.entry("strip", (s, a) -> strip(s, a, true, true)),
          Map.entry("lstrip", (s, a) -> strip(s, a, true, false)),
          Map.entry("rstrip", (s, a) -> strip(s, a, false, true)),
          Map.entry("upper", (s, a) -> s.toUpperCase(Locale.ROOT)),
          Map.entry("lower", (s, a) -> s.toLowerCase(Locale.ROOT)),
          Map.entry("capitalize", (s, a) -> capitalize(s)),
          Map.entry("title", (s, a) -> title(s)),
          Map.entry("startswith", (s, a) -> a.anyOf(s::startsWith)),
          Map.entry("endswith", (s, a) -> a.anyOf(s::endsWith)),
          Map.entry("replace", (s, a) -> replace(s, a.text(0), a.text(1), a.limit(2))),
          Map.entry("split", (s, a) -> split(s, a)),
          Map.entry("rsplit", (s, a) -> rsplit(s, a)),
          Map.entry("splitlines", (s, a) -> s.lines().toList()),
          Map.entry("join", (s, a) -> String.join(s, a.texts(0))),
          Map.entry("find", (s, a) -> s.indexOf(a.text(0))),
          Map.entry("rfind", (s, a) -> s.lastIndexOf(a.text(0))),
          Map.entry("count", (s, a) -> pieces(s, a.text(0), UNLIMITED).size() - 1),
          Map.entry(
              "removeprefix",
              (s, a) -> s.startsWith(a.text(0)) ? s.substring(a.text(0).length()) : s),
          Map.entry(
              "removesuffix",
              (s, a) ->
                  s.endsWith(a.text(0)) ? s.substring(0, s.length() - a.text(0).length()) : s),
          Map.entry("isdigit", (s, a) -> !s.isEmpty() && s.chars().allMatch(Character::isDigit)),
          Map.entry("isspace", (s, a) -> !s.isEmpty() && s.isBlank()));

  private PythonStrings() {}

  /**
   * Calls a method.
   *
   * @throws IllegalArgumentException if there is no such method, or an argument is missing or of
   *     the wrong type
   */
  static Object call(String string, String method, @Nullable Object[] arguments) {
    Method found = METHODS.get(method);
    if (found == null) {
      throw new IllegalArgumentException("strings have no method '" + method + "'");
    }
    return found.call(string, new Arguments(method, Arrays.asList(arguments)));
  }

  private record Arguments(String method, List<@Nullable Object> values) {
    boolean has(int index) {
      return index < values.size() && values.get(index) != null;
    }

    String text(int index) {
      if (has(index) && values.get(index) instanceof String text) {
        return text;
      }
      throw new IllegalArgumentException(
          "argument %d of %s is not a string".formatted(index + 1, method));
    }

    int limit(int index) {
      if (!has(index)) {
        return UNLIMITED;
      }
      if (values.get(index) instanceof Number number) {
        return number.intValue();
      }
      throw new IllegalArgumentException(
          "argument %d of %s is not a number".formatted(index + 1, method));
    }

    List<String> texts(int index) {
      if (index >= values.size() || !(values.get(index) instanceof Iterable<?> items)) {
        throw new IllegalArgumentException(
            "argument %d of %s is not a list".formatted(index + 1, method));
      }
      List<String> texts = new ArrayList<>();
      for (Object item : items) {
        texts.add(String.valueOf(item));
      }
      return texts;
    }

    /** Whether a condition holds for the first argument, or for one of those in it. */
    boolean anyOf(Predicate<String> condition) {
      return (has(0) && values.get(0) instanceof Iterable<?>)
          ? texts(0).stream().anyMatch(condition)
          : condition.test(text(0));
    }
  }

  private static String strip(String string, Arguments arguments, boolean left, boolean right) {
    IntPredicate stripped =
        arguments.has(0)
            ? c -> arguments.text(0).indexOf(c) >= 0
            : c -> (Character.isWhitespace(c) || Character.isSpaceChar(c));
    int start = 0;
    int end = string.length();
    while (left && start < end && stripped.test(string.charAt(start))) {
      start++;
    }
    while (right && start < end && stripped.test(string.charAt(end - 1))) {
      end--;
    }
    return string.substring(start, end);
  }

  private static String capitalize(String string) {
    return string.isEmpty()
        ? string
        : string.substring(0, 1).toUpperCase(Locale.ROOT)
            + string.substring(1).toLowerCase(Locale.ROOT);
  }

  private static String title(String string) {
    return Stream.of(string.split("(?<=\\P{L})(?=\\p{L})"))
        .map(PythonStrings::capitalize)
        .collect(Collectors.joining());
  }

  private static String replace(String string, String old, String replacement, int limit) {
    return limit == UNLIMITED
        ? string.replace(old, replacement)
        : String.join(replacement, pieces(string, old, limit));
  }

  private static List<String> split(String string, Arguments arguments) {
    int limit = arguments.limit(1);
    if (arguments.has(0)) {
      return pieces(string, arguments.text(0), limit);
    }
    String stripped = string.strip();
    return stripped.isEmpty()
        ? new ArrayList<>()
        : new ArrayList<>(List.of(stripped.split("\\s+", limit == UNLIMITED ? 0 : limit + 1)));
  }

  private static List<String> rsplit(String string, Arguments arguments) {
    int limit = arguments.limit(1);
    if (limit == UNLIMITED) {
      return split(string, arguments);
    }
    String separator = arguments.text(0);
    List<String> pieces = pieces(string, separator, UNLIMITED);
    int kept = Math.max(0, pieces.size() - 1 - limit);
    List<String> result = new ArrayList<>();
    result.add(String.join(separator, pieces.subList(0, kept + 1)));
    result.addAll(pieces.subList(kept + 1, pieces.size()));
    return result;
  }

  /** The text between separators, the last piece with all that is left when the limit is met. */
  private static List<String> pieces(String string, String separator, int limit) {
    if (separator.isEmpty()) {
      throw new IllegalArgumentException("empty separator");
    }
    List<String> pieces = new ArrayList<>();
    int start = 0;
    int next = string.indexOf(separator);
    while (next >= 0 && (limit == UNLIMITED || pieces.size() < limit)) {
      pieces.add(string.substring(start, next));
      start = next + separator.length();
      next = string.indexOf(separator, start);
    }
    pieces.add(string.substring(start));
    return pieces;
  }
}
