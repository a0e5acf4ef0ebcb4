package io.github.eft4j;

import java.util.List;
import java.util.OptionalInt;

/**
 * How a completion came about: what each model made of each token.
 *
 * @param models the names of the models, in the order in which the combination names them, a model
 *     once for each way in which it reads the prompt; behind them the model that drafts, if it is
 *     none of them
 * @param drafter the index in {@code models} of the one that drafts; empty without speculation
 * @param tokens how each new token came about
 */
public record CompletionTrace(List<String> models, OptionalInt drafter, List<TokenTrace> tokens) {
  /** Copies the lists. */
  public CompletionTrace {
    models = List.copyOf(models);
    tokens = List.copyOf(tokens);
  }
}
