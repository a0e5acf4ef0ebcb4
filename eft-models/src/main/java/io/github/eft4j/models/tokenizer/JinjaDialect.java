package io.github.eft4j.models.tokenizer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Rewrites a template of Jinja 2, as Hugging Face sets it up, into one that Jinjava renders to the
 * same text.
 *
 * <ul>
 *   <li>White space is dealt with here: {@code trim_blocks} and {@code lstrip_blocks} are on,
 *       {@code keep_trailing_newline} is off, and the signs at the ends of tags count. All text
 *       between tags becomes string literals, in which Jinjava changes nothing.
 *   <li>{@code for … if} becomes a loop that selects and one over the selection, and the {@code
 *       else} of a loop a condition of its own.
 *   <li>{@code generation}, which only marks text for training, is left out.
 *   <li>Expressions are rewritten by {@link JinjaExpression}.
 * </ul>
 */
final class JinjaDialect {
  private static final Pattern OPENING = Pattern.compile("\\{([{%#])([-+]?)");
  private static final Pattern END_OF_VARIABLE = Pattern.compile("(-?)\\}\\}");
  private static final Pattern END_OF_BLOCK = Pattern.compile("([-+]?)%\\}");
  private static final Pattern END_OF_COMMENT = Pattern.compile("([-+]?)#\\}");
  private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-?)%\\}");
  private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");

  private static final String IF = "if";
  private static final String ALTERNATIVE = "alternative";

  private final String template;
  private final Predicate<String> hasFilter;
  private final Predicate<String> hasTest;
  private final StringBuilder result = new StringBuilder();

  /** Text that has been read, whose end the next tag may strip. */
  private final StringBuilder text = new StringBuilder();

  /** Whether {@link #text} begins where a line of the template begins. */
  private boolean atLineStart = true;

  /** The blocks that are open, the inner ones first: for a loop, what it goes over. */
  private final Deque<String> blocks = new ArrayDeque<>();

  private int selections;

  private JinjaDialect(String template, Predicate<String> hasFilter, Predicate<String> hasTest) {
    String unix = template.replace("\r\n", "\n").replace('\r', '\n');
    this.template = unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
    this.hasFilter = hasFilter;
    this.hasTest = hasTest;
  }

  /**
   * Rewrites a template.
   *
   * @param template the template in the language of Jinja 2
   * @param hasFilter whether there is a filter of a name: Jinjava passes over unknown ones silently
   * @param hasTest whether there is a test of a name
   * @return the template in the language of Jinjava
   * @throws IllegalArgumentException if the template is malformed or names an unknown filter or
   *     test
   */
  static String toJinjava(String template, Predicate<String> hasFilter, Predicate<String> hasTest) {
    return new JinjaDialect(template, hasFilter, hasTest).rewrite();
  }

  private String rewrite() {
    Matcher opening = OPENING.matcher(template);
    int position = 0;
    while (opening.find(position)) {
      text.append(template, position, opening.start());
      position =
          switch (opening.group(1)) {
            case "#" -> comment(opening);
            case "{" -> variable(opening);
            default -> {
              Matcher raw = RAW.matcher(template).region(opening.start(), template.length());
              yield raw.lookingAt() ? raw(opening, raw) : block(opening);
            }
          };
    }
    text.append(template, position, template.length());
    writeText();
    return result.toString();
  }

  private int comment(Matcher opening) {
    Matcher end = END_OF_COMMENT.matcher(template);
    if (!end.find(opening.end())) {
      throw new IllegalArgumentException("a comment is not closed");
    }
    stripBefore(opening.group(2), true);
    return stripAfter(end.group(1), end.end(), true);
  }

  private int raw(Matcher opening, Matcher raw) {
    Matcher end = END_RAW.matcher(template);
    if (!end.find(raw.end())) {
      throw new IllegalArgumentException("a raw block is not closed");
    }
    stripBefore(opening.group(2), true);
    int start = stripAfter(raw.group(1), raw.end(), false);
    text.append(template, Math.min(start, end.start()), end.start());
    stripBefore(end.group(1), true);
    return stripAfter(end.group(2), end.end(), true);
  }

  private int variable(Matcher opening) {
    JinjaExpression expression = JinjaExpression.read(template, opening.end(), END_OF_VARIABLE);
    stripBefore(opening.group(2), false);
    // In parentheses, for Jinjava takes a minus at the start for a sign of the tag.
    result.append("{{ (").append(checked(expression)).append(") }}");
    return stripAfter(END_OF_VARIABLE, expression.end(), false);
  }

  private int block(Matcher opening) {
    JinjaExpression tag = JinjaExpression.read(template, opening.end(), END_OF_BLOCK);
    stripBefore(opening.group(2), true);
    checked(tag);
    switch (tag.name()) {
      case "" -> throw new IllegalArgumentException("an empty block tag");
      case "generation", "endgeneration" -> {}
      case "for" -> loop(tag.before("if"), tag.after("if"));
      case "else" -> alternative(tag);
      case "endfor" -> endLoop(tag);
      default -> {
        if (tag.name().equals("if")) {
          blocks.push(IF);
        } else if (tag.name().equals("endif")) {
          blocks.poll();
        }
        write(tag);
      }
    }
    return stripAfter(END_OF_BLOCK, tag.end(), true);
  }

  private void loop(JinjaExpression loop, JinjaExpression condition) {
    if (condition.isEmpty()) {
      blocks.push(loop.after("in").toString());
      write(loop);
      return;
    }
    JinjaExpression target = loop.before("in").after("for");
    String item = target.after(",").isEmpty() ? target.toString() : "(" + target + ")";
    String selection = "eft4j_selection_" + selections++;
    blocks.push(selection);
    result.append(
        """
        {%% set %1$s = [] %%}{%% %2$s %%}{%% if %3$s %%}{%% do %1$s.append(%4$s) %%}{%% endif %%}\
        {%% endfor %%}{%% for %5$s in %1$s %%}\
        """
            .formatted(selection, loop, condition, item, target));
  }

  /** Writes the other branch of a condition, or what stands for a loop over nothing. */
  private void alternative(JinjaExpression tag) {
    String block = blocks.isEmpty() ? IF : blocks.peek();
    if (block.equals(IF)) {
      write(tag);
    } else {
      blocks.pop();
      blocks.push(ALTERNATIVE);
      result.append("{% endfor %}{% if not (").append(block).append(") %}");
    }
  }

  private void endLoop(JinjaExpression tag) {
    if (ALTERNATIVE.equals(blocks.poll())) {
      result.append("{% endif %}");
    } else {
      write(tag);
    }
  }

  private void write(JinjaExpression tag) {
    result.append("{% ").append(tag).append(" %}");
  }

  private JinjaExpression checked(JinjaExpression expression) {
    for (String filter : expression.namesAfter("|")) {
      if (!hasFilter.test(filter)) {
        throw new IllegalArgumentException("no filter named '" + filter + "'");
      }
    }
    for (String test : expression.namesAfter("is")) {
      if (!hasTest.test(test)) {
        throw new IllegalArgumentException("no test named '" + test + "'");
      }
    }
    return expression;
  }

  /** Strips the text before a tag, and writes it. */
  private void stripBefore(String sign, boolean block) {
    int end = text.length();
    if (sign.equals("-")) {
      while (end > 0 && Character.isWhitespace(text.charAt(end - 1))) {
        end--;
      }
    } else if (block && sign.isEmpty()) {
      int line = text.lastIndexOf("\n") + 1;
      if ((line > 0 || atLineStart) && text.substring(line).isBlank()) {
        end = line;
      }
    }
    text.setLength(end);
    writeText();
  }

  private int stripAfter(Pattern closing, int position, boolean block) {
    Matcher matcher = closing.matcher(template).region(position, template.length());
    if (!matcher.lookingAt()) {
      throw new AssertionError("the expression ended elsewhere");
    }
    return stripAfter(matcher.group(1), matcher.end(), block);
  }

  /** Passes over white space behind a tag, and returns where the template goes on. */
  private int stripAfter(String sign, int end, boolean block) {
    int next = end;
    if (sign.equals("-")) {
      while (next < template.length() && Character.isWhitespace(template.charAt(next))) {
        next++;
      }
    } else if (block && sign.isEmpty() && template.startsWith("\n", next)) {
      next++;
    }
    atLineStart = template.charAt(next - 1) == '\n';
    return next;
  }

  private void writeText() {
    if (!text.isEmpty()) {
      result.append("{{ ").append(JinjaExpression.literal(text.toString())).append(" }}");
      text.setLength(0);
    }
  }
}
