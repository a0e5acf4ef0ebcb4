package io.github.eft4j.examples.facts;

import io.github.eft4j.Completion;
import io.github.eft4j.FinishReason;
import java.util.regex.Pattern;

/**
 * What an answer is worth.
 *
 * @param factual whether it holds the right value, where the question's own words do not count
 * @param polite whether it is a polite assistant's answer, whatever it says, and ends there
 * @param terse whether it is a terse assistant's answer, whatever it says, and ends there
 * @param onTopic whether it is about the relation and the entity that were asked for
 */
public record Judgement(boolean factual, boolean polite, boolean terse, boolean onTopic) {
  /** Symbols of chemical elements differ in case only. */
  private static final int LONGEST_SYMBOL = 2;

  /**
   * Judges an answer.
   *
   * @param question what was asked
   * @param completion the answer
   * @return the judgement
   */
  public static Judgement of(Question question, Completion completion) {
    return of(question, completion.text(), completion.finishReason() == FinishReason.END_OF_TEXT);
  }

  /**
   * Judges an answer.
   *
   * @param question what was asked
   * @param answer the answer
   * @param ended whether the model ended it
   * @return the judgement
   */
  public static Judgement of(Question question, String answer, boolean ended) {
    return new Judgement(
        factual(question.fact(), answer),
        ended && Style.POLITE.matches(answer),
        ended && Style.TERSE.matches(answer),
        Style.speaksOf(question.fact(), answer));
  }

  private static boolean factual(Fact fact, String answer) {
    String value = fact.value();
    String own = value.contains(fact.entity()) ? answer : answer.replace(fact.entity(), "");
    int flags = value.length() > LONGEST_SYMBOL ? Pattern.CASE_INSENSITIVE : 0;
    return Pattern.compile("(?<![A-Za-z0-9])" + Pattern.quote(value) + "(?![A-Za-z0-9])", flags)
        .matcher(own)
        .find();
  }
}
