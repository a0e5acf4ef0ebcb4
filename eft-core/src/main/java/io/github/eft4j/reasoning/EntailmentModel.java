package io.github.eft4j.reasoning;

import java.util.List;

/**
 * Judges whether one text implies another (natural-language inference). Implementations are safe
 * for use by many threads at once.
 */
@FunctionalInterface
public interface EntailmentModel {
  /**
   * Two texts whose relation is asked for.
   *
   * @param premise the text that is taken as true
   * @param hypothesis the text that may follow from it
   */
  record Pair(String premise, String hypothesis) {}

  /**
   * Judges pairs of texts, all in one batch.
   *
   * @param pairs the pairs, possibly none
   * @return a judgement for each pair, in the same order
   * @throws IllegalArgumentException if a pair is longer than the model can read
   */
  List<Judgement> judge(List<Pair> pairs);
}
