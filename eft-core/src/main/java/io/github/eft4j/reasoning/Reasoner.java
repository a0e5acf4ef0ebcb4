package io.github.eft4j.reasoning;

import java.util.Optional;

/** A way to answer questions. Implementations are immutable and safe for use by many threads. */
@FunctionalInterface
public interface Reasoner {
  /** An answer, and what it took. */
  interface Answer {
    /**
     * The answer.
     *
     * @return the answer, never blank; empty where no attempt came to one
     */
    Optional<String> answer();

    /**
     * What it took, failed attempts included.
     *
     * @return the cost
     */
    Cost cost();
  }

  /**
   * Answers a question.
   *
   * @param question the question
   * @return the answer
   * @throws IllegalArgumentException if the question is blank, or no model can read it
   */
  Answer answer(String question);
}
