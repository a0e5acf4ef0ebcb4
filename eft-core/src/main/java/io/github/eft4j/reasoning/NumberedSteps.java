package io.github.eft4j.reasoning;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Parses {@linkplain TraceParser#numberedSteps() numbered steps}. */
final class NumberedSteps {
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CHARACTER_CLASS;

  /** No trace has steps of more digits. */
  private static final String NUMBER = "([0-9]{1,6})";

  /** Chat models put emphasis around numbers and headings. */
  private static final String EMPHASIS = "\\**";

  private static final Pattern STEP =
      Pattern.compile("\\W*(?:step\\s+)?" + NUMBER + "\\s*[.):]" + EMPHASIS + "\\s+(.*)", FLAGS);

  private static final Pattern ANSWER =
      Pattern.compile(
          "\\W*(?:(?:so|thus|hence|therefore),?\\s+)?(?:the\\s+)?(?:final\\s+)?answer"
              + EMPHASIS
              + "\\s*(?::|is\\b\\s*:?)(.*)",
          FLAGS);

  private static final Pattern CITATION =
      Pattern.compile(
          "\\bstep\\s+"
              + NUMBER
              + "|\\bsteps\\s+([0-9]{1,6}(?:\\s*(?:,\\s*and|[,&–-]|and|or|to)\\s*[0-9]{1,6})*)",
          FLAGS);

  private static final Pattern ONE_OR_RANGE =
      Pattern.compile(NUMBER + "(?:\\s*(?:[–-]|to)\\s*" + NUMBER + ")?", FLAGS);

  private NumberedSteps() {}

  static Trace parse(String text) {
    List<Step> steps = new ArrayList<>();
    StringBuilder current = new StringBuilder();
    int number = 0;
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      Matcher ending = ANSWER.matcher(lines.get(i));
      if (ending.matches()) {
        add(steps, number, current);
        return new Trace(steps, answer(ending.group(1), lines.subList(i + 1, lines.size())));
      }
      Matcher numbered = STEP.matcher(lines.get(i));
      if (!numbered.matches()) {
        current.append(' ').append(lines.get(i));
        continue;
      }
      int next = Integer.parseInt(numbered.group(1));
      if (number > 0 && next <= number) {
        break;
      }
      add(steps, number, current);
      number = next;
      current.append(numbered.group(2));
    }
    add(steps, number, current);
    return new Trace(steps, Optional.empty());
  }

  /** The answer may stand on the line below. */
  private static Optional<String> answer(String sameLine, List<String> below) {
    List<String> lines = new ArrayList<>(below);
    lines.addFirst(sameLine);
    return lines.stream().map(NumberedSteps::clean).filter(line -> !line.isEmpty()).findFirst();
  }

  /** Ends a step. What stands before the first number is none. */
  private static void add(List<Step> steps, int number, StringBuilder text) {
    String said = clean(text.toString());
    text.setLength(0);
    if (number > 0 && !said.isEmpty()) {
      steps.add(new Step(number, said, citations(said)));
    }
  }

  private static List<Integer> citations(String text) {
    List<Integer> numbers = new ArrayList<>();
    for (Matcher mention = CITATION.matcher(text); mention.find(); ) {
      if (mention.group(1) != null) {
        numbers.add(Integer.parseInt(mention.group(1)));
      } else {
        addAll(mention.group(2), numbers);
      }
    }
    return numbers;
  }

  private static void addAll(String list, List<Integer> numbers) {
    for (Matcher cited = ONE_OR_RANGE.matcher(list); cited.find(); ) {
      int first = Integer.parseInt(cited.group(1));
      int last = cited.group(2) == null ? first : Integer.parseInt(cited.group(2));
      for (int n = first; n <= last; n++) {
        numbers.add(n);
      }
    }
  }

  /** One line without emphasis. */
  private static String clean(String text) {
    return text.replace("**", "").replaceAll("\\s+", " ").strip();
  }
}
