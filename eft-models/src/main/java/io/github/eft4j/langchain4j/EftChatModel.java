package io.github.eft4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.github.eft4j.EftSampler;
import java.util.List;

/**
 * A sampler as LangChain4j's chat model. Each model of the combination reads the conversation in
 * its own {@linkplain io.github.eft4j.PromptFormat format}: with the plain one, through its own
 * chat template.
 *
 * <p>Parameters that a request does not give are the sampler's options. What a text model cannot do
 * (tools, JSON, images) is refused with an {@link UnsupportedFeatureException} that names it; a
 * request that the sampler refuses is an {@link InvalidRequestException}.
 *
 * <p>Like the sampler it is safe for use by many threads at once.
 */
public final class EftChatModel implements ChatModel {
  private final ChatRequests requests;
  private final List<ChatModelListener> listeners;

  private EftChatModel(Builder builder) {
    requests = builder.requests();
    listeners = builder.listeners;
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
   * Answers a request.
   *
   * @param request the conversation and its parameters, none of which is left to a default
   * @return the answer, with {@link EftChatResponseMetadata}
   * @throws UnsupportedFeatureException if the request asks for what this model cannot do
   * @throws InvalidRequestException if a parameter is out of its range, the conversation is longer
   *     than a model's context, or a chat template refuses it
   * @throws IllegalStateException if a model was closed or its logits are not finite
   */
  @Override
  public ChatResponse doChat(ChatRequest request) {
    return requests.answer(requests.read(request));
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
    private Builder(EftSampler sampler) {
      super(sampler);
    }

    /**
     * Makes the model.
     *
     * @return the model
     * @throws UnsupportedFeatureException if a default parameter asks for what the model cannot do
     * @throws InvalidRequestException if a default parameter is out of its range
     */
    public EftChatModel build() {
      return new EftChatModel(this);
    }
  }
}
