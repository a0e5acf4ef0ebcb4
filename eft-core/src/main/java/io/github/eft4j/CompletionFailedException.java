package io.github.eft4j;

import java.util.List;

/** A model failed while text was sampled. What was written until then is not lost. */
public final class CompletionFailedException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  private final transient List<Completion> completions;

  CompletionFailedException(RuntimeException cause, List<Completion> completions) {
    super(cause.getMessage(), cause);
    this.completions = List.copyOf(completions);
  }

  /**
   * What was written, as the sampler would have returned it: those completions that had not ended
   * have {@link FinishReason#FAILED}, possibly without a token.
   *
   * @return the completions of the requests, in their order
   */
  public List<Completion> completions() {
    return completions;
  }
}
