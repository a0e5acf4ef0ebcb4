package io.github.eft4j;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a sampler wrote.
 *
 * @param text the new text, without the end-of-text token and without a stop string; empty where no
 *     model has a tokenizer
 * @param tokenIds the new tokens, the end-of-text token included
 * @param logProbabilities each new token's natural-log probability under the combined distribution
 *     before temperature and filters; where a model told only its likeliest tokens, among those
 * @param topLogProbabilities for each new token the likeliest ones in its place, the likeliest
 *     first; empty unless asked for
 * @param trace what each model made of each new token; empty unless {@linkplain
 *     SamplingOptions.Builder#trace asked for}
 * @param finishReason why the completion ended
 * @param promptTokens the number of tokens of the longest prompt that a model read
 * @param seed the seed that draws this completion again
 * @param speculation what came of drafting; all zero where none was done
 * @param truncation what short lists of tokens, as served models give them, meant for it
 * @param promptTime the time from the request to the first token
 * @param decodeTime the time from the first token to the last
 */
public record Completion(
    String text,
    List<Integer> tokenIds,
    List<Double> logProbabilities,
    List<List<TokenProbability>> topLogProbabilities,
    Optional<CompletionTrace> trace,
    FinishReason finishReason,
    int promptTokens,
    long seed,
    SpeculationStatistics speculation,
    TruncationReport truncation,
    Duration promptTime,
    Duration decodeTime) {
  /** Copies the lists. */
  public Completion {
    tokenIds = List.copyOf(tokenIds);
    logProbabilities = List.copyOf(logProbabilities);
    topLogProbabilities = List.copyOf(topLogProbabilities);
  }

  /**
   * The natural-log probability of the whole completion.
   *
   * @return the sum of all tokens' log-probabilities
   */
  public double logProbability() {
    return logProbabilities.stream().mapToDouble(Double::doubleValue).sum();
  }

  /**
   * The decoding speed, the first token (which waits for the prompt) left out.
   *
   * @return tokens a second, or 0 where fewer than two tokens were drawn
   */
  public double tokensPerSecond() {
    return tokenIds.size() < 2 ? 0 : (tokenIds.size() - 1) / (decodeTime.toNanos() * 1e-9);
  }
}
