package io.github.eft4j.reasoning;

import java.util.List;
import java.util.Objects;

/**
 * A way to reason: how a question is put to the models, and how what they write is read.
 *
 * <p>The prompts of the three standard agents are ours, as the paper does not print its own.
 *
 * <p>A judge sees the steps alone: a trace that is coherent, but about something else, looks as
 * good to it as one that answers the question. A template such as <code>
 * {question} {trace}1. {question}
 * 2.</code> makes the question the first step, so that the others are judged by it too.
 *
 * @param name a short name, such as {@code deductive}
 * @param template the prompt; {@value #QUESTION} stands for the question and {@value #STEPS} for
 *     the greatest number of steps. What stands behind {@value #TRACE} is the beginning of the
 *     trace, which the models go on with: for models that were not taught to follow instructions
 * @param parser takes apart what the models write
 */
public record Agent(String name, String template, TraceParser parser) {
  /** What stands for the question in a template. */
  public static final String QUESTION = "{question}";

  /** What stands for the greatest number of steps in a template. */
  public static final String STEPS = "{steps}";

  /** What stands before the beginning of the trace in a template. */
  public static final String TRACE = "{trace}";

  private static final String FORM =
      """
      Write at most {steps} short steps, one on a line, numbered 1., 2., 3. and so on. Each step \
      is one statement that can be understood on its own. If a step follows from steps other than \
      the one before it, end it with those, like (from steps 1 and 3). Then write one last line \
      that begins with "Answer:" and gives the answer alone.

      Question: {question}
      """;

  /**
   * Checks that there is a name and a place for the question.
   *
   * @throws IllegalArgumentException if the name is blank, or the template has no {@value
   *     #QUESTION} or more than one {@value #TRACE}
   */
  public Agent {
    Objects.requireNonNull(parser);
    if (name.isBlank()) {
      throw new IllegalArgumentException("an agent's name is blank");
    }
    if (!template.contains(QUESTION)) {
      throw new IllegalArgumentException(
          "the template of agent %s has no %s: %s".formatted(name, QUESTION, template));
    }
    if (template.indexOf(TRACE) != template.lastIndexOf(TRACE)) {
      throw new IllegalArgumentException(
          "the template of agent %s has more than one %s: %s".formatted(name, TRACE, template));
    }
  }

  /**
   * Reasons from what is observed to its likeliest explanation.
   *
   * @return the agent
   */
  public static Agent abductive() {
    return new Agent(
        "abductive",
        """
        Answer the question by abductive reasoning: state what is known, then the explanation \
        that accounts for it best, then what follows from that explanation.
        """
            + FORM,
        TraceParser.numberedSteps());
  }

  /**
   * Reasons from general rules to the case in question.
   *
   * @return the agent
   */
  public static Agent deductive() {
    return new Agent(
        "deductive",
        """
        Answer the question by deductive reasoning: begin with facts and general rules, and let \
        each further step follow from earlier ones with necessity.
        """
            + FORM,
        TraceParser.numberedSteps());
  }

  /**
   * Reasons from single cases to what they have in common.
   *
   * @return the agent
   */
  public static Agent inductive() {
    return new Agent(
        "inductive",
        """
        Answer the question by inductive reasoning: begin with single facts or similar cases, \
        find what they have in common, and apply it to the question.
        """
            + FORM,
        TraceParser.numberedSteps());
  }

  /**
   * Thinks step by step, in no particular way: the prompt of the methods that Theorem-of-Thought is
   * compared with.
   *
   * @return the agent
   */
  public static Agent stepByStep() {
    return new Agent(
        "step by step",
        """
        Answer the question. Think step by step.
        """
            + FORM,
        TraceParser.numberedSteps());
  }

  /**
   * The three agents of the paper.
   *
   * @return the abductive, the deductive and the inductive one
   */
  public static List<Agent> standard() {
    return List.of(abductive(), deductive(), inductive());
  }

  /**
   * The prompt for a question.
   *
   * @param question the question
   * @param maxSteps the greatest number of steps
   * @return the template with both filled in
   */
  public String prompt(String question, int maxSteps) {
    return fill(template.replace(TRACE, ""), question, maxSteps);
  }

  /**
   * Takes apart what the models wrote, with the beginning of the trace that the template has.
   *
   * @param question the question
   * @param maxSteps the greatest number of steps
   * @param completion what follows the prompt
   * @return the trace
   */
  public Trace trace(String question, int maxSteps, String completion) {
    int begun = template.indexOf(TRACE);
    String beginning = begun < 0 ? "" : template.substring(begun + TRACE.length());
    return parser.parse(fill(beginning, question, maxSteps) + completion);
  }

  private static String fill(String text, String question, int maxSteps) {
    // The question comes last: what looks like a placeholder in it stays as it is.
    return text.replace(STEPS, Integer.toString(maxSteps)).replace(QUESTION, question);
  }
}
