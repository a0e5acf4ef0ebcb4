package io.github.eft4j;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One thing to be sampled: a prompt, and what is special about this request.
 *
 * @param prompt what is continued
 * @param options how tokens are drawn; null takes the sampler's own options
 * @param listener is told of the completion as it grows
 * @param cancelled is asked before every token, from the thread that samples; true ends the
 *     completion with what there is
 */
public record SampleRequest(
    Prompt prompt,
    @Nullable SamplingOptions options,
    CompletionListener listener,
    BooleanSupplier cancelled) {
  /** Checks that nothing is missing. */
  public SampleRequest {
    Objects.requireNonNull(prompt);
    Objects.requireNonNull(listener);
    Objects.requireNonNull(cancelled);
  }

  /**
   * A request with the sampler's own options, that nobody listens to.
   *
   * @param prompt what is continued
   * @return the request
   */
  public static SampleRequest of(Prompt prompt) {
    return new SampleRequest(prompt, null, new CompletionListener() {}, () -> false);
  }

  /**
   * The same request with other options.
   *
   * @param options how tokens are drawn
   * @return the request
   */
  public SampleRequest withOptions(SamplingOptions options) {
    return new SampleRequest(prompt, options, listener, cancelled);
  }

  /**
   * The same request with a listener.
   *
   * @param listener is told of the completion as it grows
   * @return the request
   */
  public SampleRequest withListener(CompletionListener listener) {
    return new SampleRequest(prompt, options, listener, cancelled);
  }

  /**
   * The same request with a way to cancel it.
   *
   * @param cancelled is asked before every token; true ends the completion with what there is
   * @return the request
   */
  public SampleRequest cancelledWhen(BooleanSupplier cancelled) {
    return new SampleRequest(prompt, options, listener, cancelled);
  }
}
