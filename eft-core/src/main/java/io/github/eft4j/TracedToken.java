package io.github.eft4j;

import java.util.List;

/**
 * A token as the models see it in one place of a completion. All log-probabilities are natural
 * ones, before biases, penalties, temperature and filters, and among the ids that are combined: ids
 * that only some of the models have take no part.
 *
 * @param id the token id
 * @param text the characters that become whole with this token in this place; none for a special
 *     token, for an unfinished character, and where no model has a tokenizer
 * @param logProbability its log-probability under the combined distribution
 * @param modelLogProbabilities its log-probability by each model, in the order of {@link
 *     CompletionTrace#models}; negative infinity where a model rules it out
 */
public record TracedToken(
    int id, String text, double logProbability, List<Double> modelLogProbabilities) {
  /** Copies the list. */
  public TracedToken {
    modelLogProbabilities = List.copyOf(modelLogProbabilities);
  }

  /**
   * How much likelier the combination makes the token than one model does alone. In {@code large +
   * tuned − base} the shift from {@code tuned} is what the large model adds, {@code log π_large −
   * log π_base} but for the normalisation, and the shift from {@code large} is what fine-tuning
   * adds.
   *
   * @param model the index of the model in {@link CompletionTrace#models}
   * @return {@code log π̃ − log π_model}; NaN where both rule the token out
   */
  public double shift(int model) {
    return logProbability - modelLogProbabilities.get(model);
  }
}
