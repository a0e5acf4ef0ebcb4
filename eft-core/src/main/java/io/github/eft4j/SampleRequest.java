package io.github.eft4j;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One thing to be sampled: a prompt, and what is special about this request.
 *
 * @param prompt what is continued
 * @param options how tokens are drawn; null takes the sampler's own options
 * @param listener is told of the completion as it grows
 * @param cancelled is asked before every token, and while the answer of a model that is served
 *     elsewhere is waited for, from the thread that samples; true ends the completion with what
 *     there is
 * @param weights what named {@link Weight}s of the combination stand for; absent ones have their
 *     defaults
 * @param deadline how long the completion may take from the call of the sampler on; when it is
 *     over, the completion ends with what there is. Null for as long as it takes
 */
public record SampleRequest(
    Prompt prompt,
    @Nullable SamplingOptions options,
    CompletionListener listener,
    BooleanSupplier cancelled,
    Map<String, Double> weights,
    @Nullable Duration deadline) {
  /**
   * Checks that nothing is missing, and copies the weights.
   *
   * @throws IllegalArgumentException if a weight is not finite or the deadline is not positive
   */
  public SampleRequest {
    Objects.requireNonNull(prompt);
    Objects.requireNonNull(listener);
    Objects.requireNonNull(cancelled);
    weights = Map.copyOf(weights);
    weights.forEach((name, value) -> Weight.requireFinite("weight " + name, value));
    if (deadline != null && !deadline.isPositive()) {
      throw new IllegalArgumentException("the deadline is " + deadline + ", expected above zero");
    }
  }

  /**
   * A request with the sampler's own options, that nobody listens to.
   *
   * @param prompt what is continued
   * @return the request
   */
  public static SampleRequest of(Prompt prompt) {
    return new SampleRequest(
        prompt, null, new CompletionListener() {}, () -> false, Map.of(), null);
  }

  /**
   * The same request with other options.
   *
   * @param options how tokens are drawn
   * @return the request
   */
  public SampleRequest withOptions(SamplingOptions options) {
    return new SampleRequest(prompt, options, listener, cancelled, weights, deadline);
  }

  /**
   * The same request with a listener.
   *
   * @param listener is told of the completion as it grows
   * @return the request
   */
  public SampleRequest withListener(CompletionListener listener) {
    return new SampleRequest(prompt, options, listener, cancelled, weights, deadline);
  }

  /**
   * The same request with a way to cancel it.
   *
   * @param cancelled is asked before every token; true ends the completion with what there is
   * @return the request
   */
  public SampleRequest cancelledWhen(BooleanSupplier cancelled) {
    return new SampleRequest(prompt, options, listener, cancelled, weights, deadline);
  }

  /**
   * The same request with other weights.
   *
   * @param weights what named weights of the combination stand for
   * @return the request
   */
  public SampleRequest withWeights(Map<String, Double> weights) {
    return new SampleRequest(prompt, options, listener, cancelled, weights, deadline);
  }

  /**
   * The same request with a deadline.
   *
   * @param deadline how long the completion may take
   * @return the request
   */
  public SampleRequest withDeadline(Duration deadline) {
    return new SampleRequest(prompt, options, listener, cancelled, weights, deadline);
  }
}
