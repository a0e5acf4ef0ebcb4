package io.github.eft4j.reasoning;

/** Takes apart what an agent wrote. */
@FunctionalInterface
public interface TraceParser {
  /**
   * Finds the steps and the answer.
   *
   * @param text what the agent wrote
   * @return the trace; without steps where the text has none
   */
  Trace parse(String text);

  /**
   * Reads numbered steps, one after the other, and an answer:
   *
   * <pre>{@code
   * 1. Lima is the capital of Peru.
   * Step 2: Peru is in South America.
   * 3) So Lima is in South America (from steps 1 and 2).
   * Answer: South America
   * }</pre>
   *
   * <p>A line without a number goes on with the step before it. A step follows from those that it
   * mentions as {@code step 1}, {@code steps 1 and 3}, {@code steps 1, 2} or {@code steps 1-3}. The
   * first line that begins with {@code Answer:} (or {@code Final answer:}, {@code The answer is},
   * {@code So the answer is}) ends the trace; so does a number that does not go up, as it begins
   * another list.
   *
   * @return the parser
   */
  static TraceParser numberedSteps() {
    return NumberedSteps::parse;
  }
}
