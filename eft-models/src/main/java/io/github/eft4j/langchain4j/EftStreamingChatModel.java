package io.github.eft4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.SampleRequest;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sampler as LangChain4j's streaming chat model; {@link EftChatModel} says how requests are read.
 *
 * <p>A handler is called by one thread, as soon as text is certain: what might turn out to be a
 * stop sequence or half a character is held back. When it cancels the {@link StreamingHandle},
 * sampling ends before the next token, and the handler is not called again. What a handler throws
 * is passed to its {@code onError}, and the answer goes on.
 */
public final class EftStreamingChatModel implements StreamingChatModel {
  private static final Logger LOG = LoggerFactory.getLogger(EftStreamingChatModel.class);

  private final ChatRequests requests;
  private final List<ChatModelListener> listeners;
  private final Executor executor;

  private EftStreamingChatModel(Builder builder) {
    requests = builder.requests();
    listeners = builder.listeners;
    executor = builder.executor;
  }

  /**
   * Starts building a model.
   *
   * @param sampler what writes the answers
   * @return the builder
   */
  public static Builder builder(EftSampler sampler) {
    return new Builder(sampler);
  }

  /**
   * Begins to answer a request, and returns.
   *
   * @param request the conversation and its parameters, none of which is left to a default
   * @param handler is given the answer, with {@link EftChatResponseMetadata}; its {@code onError}
   *     hears of an {@link InvalidRequestException} if a parameter is out of its range, the
   *     conversation is longer than a model's context, or a chat template refuses it
   * @throws UnsupportedFeatureException if the request asks for what this model cannot do
   */
  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    requests.requireSupported(request);
    executor.execute(() -> stream(request, handler));
  }

  private void stream(ChatRequest request, StreamingChatResponseHandler handler) {
    Stream stream = new Stream(handler);
    ChatResponse response;
    try {
      SampleRequest sampleRequest =
          requests.read(request).withListener(stream).cancelledWhen(stream::isCancelled);
      response = requests.answer(sampleRequest);
    } catch (Exception | Error e) { // all must be told: nobody waits for this thread
      tell(handler, e);
      return;
    }
    if (!stream.isCancelled()) {
      try {
        handler.onCompleteResponse(response);
      } catch (Exception e) {
        tell(handler, e);
      }
    }
  }

  private static void tell(StreamingChatResponseHandler handler, Throwable error) {
    try {
      handler.onError(error);
    } catch (Exception e) {
      LOG.warn("StreamingChatResponseHandler.onError failed, on being told of {}", error, e);
    }
  }

  /** An answer that is being written. */
  private static final class Stream implements CompletionListener, StreamingHandle {
    private final StreamingChatResponseHandler handler;
    private volatile boolean cancelled;

    Stream(StreamingChatResponseHandler handler) {
      this.handler = handler;
    }

    @Override
    public void onText(String text) {
      if (cancelled) {
        return; // an end that was held back
      }
      try {
        handler.onPartialResponse(new PartialResponse(text), new PartialResponseContext(this));
      } catch (Exception e) {
        tell(handler, e);
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return requests.defaults();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  /** Collects what a model needs. */
  public static final class Builder extends ChatModelBuilder<Builder> {
    private Executor executor = Thread.ofPlatform().daemon().name("eft-chat-", 0)::start;

    private Builder(EftSampler sampler) {
      super(sampler);
    }

    /**
     * Sets what runs the samplers and calls the handlers.
     *
     * @param executor gives each answer a thread; a new daemon thread unless set
     * @return this builder
     */
    public Builder executor(Executor executor) {
      this.executor = Objects.requireNonNull(executor);
      return this;
    }

    /**
     * Makes the model.
     *
     * @return the model
     * @throws UnsupportedFeatureException if a default parameter asks for what the model cannot do
     * @throws InvalidRequestException if a default parameter is out of its range
     */
    public EftStreamingChatModel build() {
      return new EftStreamingChatModel(this);
    }
  }
}
