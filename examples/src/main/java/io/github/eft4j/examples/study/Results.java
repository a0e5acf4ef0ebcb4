package io.github.eft4j.examples.study;

import io.github.eft4j.examples.facts.Question;
import java.util.List;
import java.util.Map;

/**
 * Everything that was measured on the models of one training.
 *
 * @param models the models by name, with a few words on each
 * @param questions the questions
 * @param greedy the likeliest answers of each model and combination
 * @param drawn answers drawn at temperature 1
 * @param byBeta up-scaling by the weight β of what fine-tuning changed
 * @param byLambda reward interpolation by the weight λ of the polite model, empty without a terse
 *     model
 * @param byTopP conservative up-scaling by the sum of probabilities that is up-scaled
 * @param greedySpeed speculation of the likeliest tokens
 * @param drawnSpeed speculation of tokens drawn at temperature 1
 */
record Results(
    Map<String, String> models,
    List<Question> questions,
    Map<String, Outcome> greedy,
    Map<String, Outcome> drawn,
    Map<Double, Outcome> byBeta,
    Map<Double, Outcome> byLambda,
    Map<Double, Outcome> byTopP,
    List<Study.Speed> greedySpeed,
    List<Study.Speed> drawnSpeed) {
  static final List<Double> BETAS = List.of(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0);
  static final List<Double> LAMBDAS =
      List.of(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0);
  static final List<Double> TOP_PS = List.of(0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0);
  static final List<Integer> BLOCK_LENGTHS = List.of(0, 1, 2, 3, 4, 6, 8, 12);
}
