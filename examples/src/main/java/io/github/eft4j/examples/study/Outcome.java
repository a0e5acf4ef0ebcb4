package io.github.eft4j.examples.study;

import io.github.eft4j.Completion;
import io.github.eft4j.examples.facts.Judgement;
import io.github.eft4j.examples.facts.Question;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * What one model or combination answered.
 *
 * @param completions the answers, in the order of the questions
 * @param judgements what they are worth
 */
public record Outcome(List<Completion> completions, List<Judgement> judgements) {
  /** Copies the lists. */
  public Outcome {
    completions = List.copyOf(completions);
    judgements = List.copyOf(judgements);
  }

  static Outcome of(List<Question> questions, List<Completion> completions) {
    return new Outcome(
        completions,
        IntStream.range(0, completions.size())
            .mapToObj(i -> Judgement.of(questions.get(i), completions.get(i)))
            .toList());
  }

  /**
   * How often the answer held the right fact.
   *
   * @return the share of all answers
   */
  public Proportion factuality() {
    return share(Judgement::factual);
  }

  /**
   * How often the answer had the polite form and ended properly.
   *
   * @return the share of all answers
   */
  public Proportion helpfulness() {
    return share(Judgement::polite);
  }

  /**
   * How often the answer was both right and polite.
   *
   * @return the share of all answers
   */
  public Proportion both() {
    return share(judgement -> judgement.factual() && judgement.polite());
  }

  /**
   * How often the answer had the terse form and ended properly.
   *
   * @return the share of all answers
   */
  public Proportion terseness() {
    return share(Judgement::terse);
  }

  /**
   * How often the answer was about what was asked.
   *
   * @return the share of all answers
   */
  public Proportion onTopic() {
    return share(Judgement::onTopic);
  }

  private Proportion share(Predicate<Judgement> counts) {
    return new Proportion((int) judgements.stream().filter(counts).count(), judgements.size());
  }
}
