package io.github.eft4j.examples.study;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Models of one family and one training.
 *
 * @param largeBase the large pre-trained model
 * @param smallBase the small pre-trained model
 * @param smallTuned the small model, tuned to be polite
 * @param smallTerse the small model, tuned to be terse, if there is one
 * @param largeTuned the large model, tuned to be polite, if there is one
 */
public record Models(
    LanguageModel largeBase,
    LanguageModel smallBase,
    LanguageModel smallTuned,
    Optional<LanguageModel> smallTerse,
    Optional<LanguageModel> largeTuned) {
  /** The names under which the report has what is sampled. */
  static final String LARGE_BASE = "large base";

  static final String SMALL_BASE = "small base";
  static final String SMALL_TUNED = "small tuned";
  static final String UP_SCALED = "up-scaled";
  static final String DOWN_SCALED = "down-scaled";
  static final String LARGE_TUNED = "large tuned";

  /** What the main table compares. */
  Map<String, LogitCombiner> combinations() {
    Map<String, LogitCombiner> all = new LinkedHashMap<>();
    all.put(SMALL_BASE, LogitCombiner.of(smallBase));
    all.put(LARGE_BASE, LogitCombiner.of(largeBase));
    all.put(SMALL_TUNED, LogitCombiner.of(smallTuned));
    largeTuned.ifPresent(
        tuned -> all.put(DOWN_SCALED, LogitCombiner.downScale(smallBase, tuned, largeBase)));
    all.put(UP_SCALED, upScaled(1));
    largeTuned.ifPresent(tuned -> all.put(LARGE_TUNED, LogitCombiner.of(tuned)));
    return all;
  }

  LogitCombiner upScaled(double beta) {
    return LogitCombiner.upScale(largeBase, smallTuned, smallBase, beta);
  }
}
