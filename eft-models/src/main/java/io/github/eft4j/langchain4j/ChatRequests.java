package io.github.eft4j.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.github.eft4j.ChatMessage;
import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * LangChain4j's requests and answers in the sampler's words.
 *
 * @param sampler what writes the answers
 * @param modelName the model's name in answers
 * @param defaults what holds where a request says nothing
 */
record ChatRequests(EftSampler sampler, String modelName, EftChatRequestParameters defaults) {
  /**
   * Fills the defaults with the sampler's options.
   *
   * @throws UnsupportedFeatureException if a parameter asks for what the model cannot do
   * @throws InvalidRequestException if a parameter is out of its range
   */
  static ChatRequests of(EftSampler sampler, String modelName, ChatRequestParameters parameters) {
    SamplingOptions options = sampler.options();
    EftChatRequestParameters ofSampler =
        EftChatRequestParameters.builder()
            .modelName(modelName)
            .temperature(options.temperature())
            .topK(options.topK())
            .topP(options.topP())
            .frequencyPenalty(options.frequencyPenalty())
            .presencePenalty(options.presencePenalty())
            .maxOutputTokens(options.maxNewTokens())
            .stopSequences(options.stopStrings())
            .minP(options.minP())
            .repetitionPenalty(options.repetitionPenalty())
            .seed(options.seed().isPresent() ? options.seed().getAsLong() : null)
            .build();
    ChatRequests requests =
        new ChatRequests(sampler, modelName, ofSampler.overrideWith(parameters));
    requests.requireSupported(requests.defaults);
    refusing(() -> requests.options(requests.defaults));
    return requests;
  }

  /**
   * Refuses what a text model cannot do.
   *
   * @throws UnsupportedFeatureException if the request asks for such a thing
   */
  void requireSupported(ChatRequest request) {
    requireSupported(request.parameters());
    request.messages().forEach(ChatRequests::message);
  }

  private void requireSupported(ChatRequestParameters parameters) {
    if (parameters.modelName() != null && !parameters.modelName().equals(modelName)) {
      throw unsupported(
          "modelName '%s'".formatted(parameters.modelName()), "this model is " + modelName);
    }
    if (parameters.toolChoice() == ToolChoice.REQUIRED) {
      throw unsupported("ToolChoice.REQUIRED");
    }
    if (!parameters.toolSpecifications().isEmpty()) {
      throw unsupported("toolSpecifications (tools)");
    }
    if (parameters.responseFormat() != null
        && parameters.responseFormat().type() == ResponseFormatType.JSON) {
      throw unsupported("JSON response format");
    }
  }

  /**
   * Reads a request.
   *
   * @throws UnsupportedFeatureException if it asks for what the model cannot do
   * @throws InvalidRequestException if a parameter is out of its range
   */
  SampleRequest read(ChatRequest request) {
    requireSupported(request);
    EftChatRequestParameters parameters = defaults.overrideWith(request.parameters());
    List<ChatMessage> messages = request.messages().stream().map(ChatRequests::message).toList();
    return refusing(
        () ->
            SampleRequest.of(new Prompt.Chat(messages))
                .withOptions(options(parameters))
                .withWeights(parameters.weights()));
  }

  private SamplingOptions options(EftChatRequestParameters parameters) {
    SamplingOptions.Builder options = sampler.options().toBuilder();
    ifGiven(parameters.temperature(), options::temperature);
    ifGiven(parameters.topK(), options::topK);
    ifGiven(parameters.topP(), options::topP);
    ifGiven(parameters.minP(), options::minP);
    ifGiven(parameters.frequencyPenalty(), options::frequencyPenalty);
    ifGiven(parameters.presencePenalty(), options::presencePenalty);
    ifGiven(parameters.repetitionPenalty(), options::repetitionPenalty);
    ifGiven(parameters.maxOutputTokens(), options::maxNewTokens);
    ifGiven(parameters.seed(), options::seed);
    options.stopStrings(parameters.stopSequences().toArray(String[]::new));
    return options.build();
  }

  private static <T> void ifGiven(@Nullable T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }

  private static ChatMessage message(dev.langchain4j.data.message.ChatMessage message) {
    return switch (message) {
      case SystemMessage system -> ChatMessage.system(system.text());
      case UserMessage user -> {
        if (user.name() != null) {
          throw unsupported("the name of a user ('%s')".formatted(user.name()));
        }
        yield ChatMessage.user(
            user.contents().stream().map(ChatRequests::text).collect(Collectors.joining("\n")));
      }
      case AiMessage answer -> {
        if (answer.hasToolExecutionRequests()) {
          throw unsupported("a tool execution request (tools)");
        }
        yield ChatMessage.assistant(answer.text());
      }
      default -> throw unsupported("a message of type " + message.type());
    };
  }

  private static String text(Content content) {
    if (content instanceof TextContent text) {
      return text.text();
    }
    throw unsupported("content of type " + content.type().name().toLowerCase(Locale.ROOT));
  }

  private static UnsupportedFeatureException unsupported(String what) {
    return unsupported(what, "eft4j samples text");
  }

  private static UnsupportedFeatureException unsupported(String what, String why) {
    return new UnsupportedFeatureException("%s is not supported: %s".formatted(what, why));
  }

  /**
   * Samples an answer.
   *
   * @throws InvalidRequestException if the sampler refuses the request
   */
  ChatResponse answer(SampleRequest request) {
    Completion completion = refusing(() -> sampler.sample(request));
    return ChatResponse.builder()
        .aiMessage(AiMessage.from(completion.text()))
        .metadata(
            EftChatResponseMetadata.builder(completion)
                .modelName(modelName)
                .tokenUsage(new TokenUsage(completion.promptTokens(), completion.tokenIds().size()))
                .finishReason(
                    switch (completion.finishReason()) {
                      case END_OF_TEXT, STOP_STRING -> FinishReason.STOP;
                      case MAX_NEW_TOKENS, CONTEXT_FULL -> FinishReason.LENGTH;
                      case CANCELLED, DEADLINE, FAILED -> FinishReason.OTHER;
                    })
                .build())
        .build();
  }

  private static <T> T refusing(Supplier<T> action) {
    try {
      return action.get();
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e);
    }
  }
}
