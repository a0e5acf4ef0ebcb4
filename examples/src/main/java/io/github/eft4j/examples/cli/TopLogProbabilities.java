package io.github.eft4j.examples.cli;

import io.github.eft4j.SamplingOptions;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Whether completions come with the likeliest tokens: for commands that can write them. */
public final class TopLogProbabilities {
  @Option(
      names = "--top-logprobs",
      paramLabel = "N",
      description =
          "Adds to the JSON the N likeliest tokens in the place of each new one:"
              + " \"topLogProbs\":[[{\"id\":…,\"logProb\":…},…],…]")
  private @Nullable Integer count;

  /**
   * Whether the option was given.
   *
   * @return true if so
   */
  public boolean isGiven() {
    return count != null;
  }

  /**
   * Adds the option where it was given.
   *
   * @param options what to add it to
   * @throws IllegalArgumentException if it is out of its range
   */
  public void apply(SamplingOptions.Builder options) {
    if (count != null) {
      options.topLogProbabilities(count);
    }
  }
}
