package io.github.eft4j.models.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What stands within a tag of a Jinja template, as tokens, to be written in the way that Jinjava
 * reads as Jinja 2 would. String literals are written with the few escapes that Jinjava knows;
 * adjacent ones become one. The operand of {@code not} and the value of a named argument are put in
 * parentheses, for Jinjava takes only what follows next. {@code [::-1]} becomes {@code |reverse}.
 */
final class JinjaExpression {
  private static final Pattern TOKEN =
      Pattern.compile(
          "'(?:[^'\\\\]|\\\\.)*'|\"(?:[^\"\\\\]|\\\\.)*\""
              + "|[A-Za-z_]\\w*"
              + "|\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?"
              + "|\\*\\*|//|==|!=|<=|>="
              + "|[-+*/%~<>=|.,:;(){}\\[\\]]",
          Pattern.DOTALL);

  private static final Pattern SPACE = Pattern.compile("\\s+");

  private static final Pattern ESCAPE =
      Pattern.compile(
          "\\\\(?:x(\\p{XDigit}{2})|u(\\p{XDigit}{4})|U(\\p{XDigit}{8})|(.))", Pattern.DOTALL);

  /** Words that end the operand of a {@code not}, beside a comma and a colon. */
  private static final Set<String> LOOSER_THAN_NOT = Set.of("and", "or", "if", "else", ",", ":");

  /** What ends the value of a named argument. */
  private static final Set<String> LOOSER_THAN_ASSIGNMENT = Set.of(",");

  private static final List<String> REVERSAL = List.of("[", ":", ":", "-", "1", "]");

  /**
   * A piece of an expression.
   *
   * @param text the token; a string literal as Jinjava writes it
   * @param spaced whether white space goes before it
   * @param string whether it is a string literal
   */
  private record Token(String text, boolean spaced, boolean string) {
    boolean is(String other) {
      return !string && text.equals(other);
    }

    boolean isName() {
      return Character.isLetter(text.charAt(0)) || text.charAt(0) == '_';
    }
  }

  private final List<Token> tokens;

  /** Where the template goes on behind the expression. */
  private final int end;

  private JinjaExpression(List<Token> tokens, int end) {
    this.tokens = tokens;
    this.end = end;
  }

  /**
   * Reads up to where a tag is closed.
   *
   * @param template the template
   * @param start where the expression begins
   * @param closing what closes the tag, perhaps with a sign before it
   * @throws IllegalArgumentException if the tag is not closed, or holds a character that is not
   *     part of the language
   */
  static JinjaExpression read(String template, int start, Pattern closing) {
    List<Token> tokens = new ArrayList<>();
    List<String> values = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(template);
    Matcher close = closing.matcher(template);
    int depth = 0;
    int position = start;
    while (true) {
      Matcher space = SPACE.matcher(template).region(position, template.length());
      boolean spaced = space.lookingAt();
      if (spaced) {
        position = space.end();
      }
      if (depth == 0 && close.region(position, template.length()).lookingAt()) {
        return new JinjaExpression(reversed(tokens), position);
      }
      if (!matcher.region(position, template.length()).lookingAt()) {
        throw new IllegalArgumentException(
            position < template.length()
                ? "line %d: unexpected character '%c'"
                    .formatted(line(template, position), template.charAt(position))
                : "line %d: a tag that is not closed".formatted(line(template, start)));
      }
      String text = matcher.group();
      position = matcher.end();
      boolean string = text.startsWith("'") || text.startsWith("\"");
      String value = string ? unescaped(text.substring(1, text.length() - 1)) : text;
      if (string && !tokens.isEmpty() && tokens.getLast().string()) {
        value = values.removeLast() + value;
        tokens.removeLast();
      }
      values.add(value);
      Token token = new Token(string ? literal(value) : text, spaced, string);
      tokens.add(token);
      depth += depthChange(token);
    }
  }

  private static int line(String template, int position) {
    return 1 + (int) template.substring(0, position).chars().filter(c -> c == '\n').count();
  }

  private static String unescaped(String literal) {
    return ESCAPE
        .matcher(literal)
        .replaceAll(
            match -> {
              for (int group = 1; group <= 3; group++) {
                if (match.group(group) != null) {
                  return Matcher.quoteReplacement(
                      Character.toString(Integer.parseInt(match.group(group), 16)));
                }
              }
              String value =
                  switch (match.group(4)) {
                    case "n" -> "\n";
                    case "t" -> "\t";
                    case "r" -> "\r";
                    case "f" -> "\f";
                    case "b" -> "\b";
                    case "\\", "'", "\"" -> match.group(4);
                    case "\n" -> "";
                    default -> match.group();
                  };
              return Matcher.quoteReplacement(value);
            });
  }

  /** A string literal for Jinjava, in which nothing looks like the end or the start of a tag. */
  static String literal(String value) {
    return "'"
        + value
            .replace("\\", "\\\\")
            .replace("'", "\\'")
            .replace("\n", "\\n")
            .replace("\r", "\\r")
            .replace("\t", "\\t")
        + "'";
  }

  private static List<Token> reversed(List<Token> tokens) {
    List<Token> result = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      int end = i + REVERSAL.size();
      if (end <= tokens.size()
          && tokens.subList(i, end).stream().map(Token::text).toList().equals(REVERSAL)) {
        result.add(new Token("|", false, false));
        result.add(new Token("reverse", false, false));
        result.add(new Token("|", false, false));
        result.add(new Token("list", false, false));
        i = end - 1;
      } else {
        result.add(tokens.get(i));
      }
    }
    return result;
  }

  int end() {
    return end;
  }

  /** The first word, which says what a block tag does; empty without one. */
  String name() {
    return tokens.isEmpty() ? "" : tokens.getFirst().text();
  }

  /** The expression before the first of certain words outside brackets, or else all of it. */
  JinjaExpression before(String word) {
    int index = indexOf(word);
    return index < 0 ? this : new JinjaExpression(tokens.subList(0, index), end);
  }

  /** The expression behind the first of certain words outside brackets, or else nothing. */
  JinjaExpression after(String word) {
    int index = indexOf(word);
    return new JinjaExpression(
        index < 0 ? List.of() : tokens.subList(index + 1, tokens.size()), end);
  }

  boolean isEmpty() {
    return tokens.isEmpty();
  }

  private int indexOf(String word) {
    int depth = 0;
    for (int i = 0; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      depth += depthChange(token);
      if (depth == 0 && token.is(word)) {
        return i;
      }
    }
    return -1;
  }

  /** The names that follow a sign or word, such as those of the filters behind {@code |}. */
  List<String> namesAfter(String word) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i + 1 < tokens.size(); i++) {
      if (tokens.get(i).is(word)) {
        int next = word.equals("is") && tokens.get(i + 1).is("not") ? i + 2 : i + 1;
        if (next < tokens.size() && tokens.get(next).isName()) {
          names.add(tokens.get(next).text());
        }
      }
    }
    return names;
  }

  /** The expression as Jinjava reads it. */
  @Override
  public String toString() {
    StringBuilder result = new StringBuilder();
    int[] closings = new int[tokens.size() + 1];
    int depth = 0;
    for (int i = 0; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      depth += depthChange(token);
      result.repeat(')', closings[i]);
      if (token.spaced() && i > 0) {
        result.append(' ');
      }
      result.append(token.text());
      if (negates(i)) {
        result.append(" (");
        closings[endOfOperand(i + 1, LOOSER_THAN_NOT)]++;
      } else if (namesArgument(i, depth)) {
        result.append('(');
        closings[endOfOperand(i + 1, LOOSER_THAN_ASSIGNMENT)]++;
      }
    }
    return result.repeat(')', closings[tokens.size()]).toString();
  }

  private boolean negates(int index) {
    return tokens.get(index).is("not")
        && !(index > 0 && tokens.get(index - 1).is("is"))
        && !(index + 1 < tokens.size() && tokens.get(index + 1).is("in"));
  }

  private boolean namesArgument(int index, int depth) {
    return depth > 0 && tokens.get(index).is("=") && !name().equals("macro");
  }

  private int endOfOperand(int start, Set<String> looser) {
    int depth = 0;
    for (int i = start; i < tokens.size(); i++) {
      Token token = tokens.get(i);
      depth += depthChange(token);
      if (depth < 0 || (depth == 0 && !token.string() && looser.contains(token.text()))) {
        return i;
      }
    }
    return tokens.size();
  }

  private static int depthChange(Token token) {
    if (token.string()) {
      return 0;
    }
    return switch (token.text()) {
      case "(", "[", "{" -> 1;
      case ")", "]", "}" -> -1;
      default -> 0;
    };
  }
}
