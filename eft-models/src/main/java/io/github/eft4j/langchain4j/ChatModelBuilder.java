package io.github.eft4j.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.github.eft4j.EftSampler;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What both models are built from. */
abstract class ChatModelBuilder<B extends ChatModelBuilder<B>> {
  private final EftSampler sampler;
  private @Nullable String modelName;
  private ChatRequestParameters parameters = ChatRequestParameters.builder().build();
  List<ChatModelListener> listeners = List.of();

  ChatModelBuilder(EftSampler sampler) {
    this.sampler = Objects.requireNonNull(sampler);
  }

  @SuppressWarnings("unchecked")
  private B self() {
    return (B) this;
  }

  /**
   * Names the model. Requests may name no other.
   *
   * @param modelName the name; the combination, such as {@code large + tuned - base}, unless set
   * @return this builder
   */
  public B modelName(String modelName) {
    this.modelName = Objects.requireNonNull(modelName);
    return self();
  }

  /**
   * Sets parameters for requests that do not give their own, in place of the sampler's options.
   *
   * @param parameters the parameters; {@link EftChatRequestParameters} have more than LangChain4j's
   *     own
   * @return this builder
   */
  public B defaultRequestParameters(ChatRequestParameters parameters) {
    this.parameters = Objects.requireNonNull(parameters);
    return self();
  }

  /**
   * Sets who is told of requests, answers and errors.
   *
   * @param listeners the listeners
   * @return this builder
   */
  public B listeners(List<ChatModelListener> listeners) {
    this.listeners = List.copyOf(listeners);
    return self();
  }

  ChatRequests requests() {
    return ChatRequests.of(
        sampler, modelName == null ? sampler.combiner().toString() : modelName, parameters);
  }
}
