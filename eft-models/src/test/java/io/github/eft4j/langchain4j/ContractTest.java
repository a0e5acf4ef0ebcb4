package io.github.eft4j.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import io.github.eft4j.EftSampler;
import java.util.List;
import org.junit.jupiter.api.Nested;

/**
 * The tests that LangChain4j publishes for whoever implements its chat models, on a model that
 * knows the answers to their questions. Switched off are those of tools, JSON and images, where
 * those of their refusal run instead, and of response ids, which a model in this process has none
 * of.
 */
class ContractTest {
  private static final ScriptedModel MODEL = new ScriptedModel(ContractTest::answer);

  private static String answer(String conversation) {
    return switch (conversation) {
      case "<user>What is the capital of Germany?<assistant>" -> "Berlin is.";
      case "<user>What is the capital of Germany? How much is 2 + 2?<assistant>" ->
          "The capital of Germany is Berlin, and 2 + 2 is 4.";
      case "<system>Translate messages from user into German"
              + "<user>Translate: 'I love you'<assistant>" ->
          "Ich liebe dich";
      case "<user>Hi, my favorite color is green<assistant>Hi, nice to meet you"
              + "<user>What is my favorite color?<assistant>" ->
          "It is green.";
      case "<user>Say 'Hello World'<assistant>" -> "Hello World";
      case "<user>hello<assistant>" -> "Hello to you, too.";
      default -> "I was told nothing of this: " + conversation;
    };
  }

  private static EftSampler sampler() {
    return MODEL.sampler().temperature(0.7).maxNewTokens(100).build();
  }

  /** As many tokens as LangChain4j's tests of listeners expect. */
  private static final ChatRequestParameters SEVEN_TOKENS =
      ChatRequestParameters.builder().maxOutputTokens(7).build();

  /** A sampler that refuses all that it is asked. */
  private static EftSampler failingSampler() {
    return new ScriptedModel(
            conversation -> {
              throw new IllegalArgumentException("no answer to " + conversation);
            })
        .sampler()
        .build();
  }

  @Nested
  class Blocking extends AbstractChatModelIT {
    @Override
    protected List<ChatModel> models() {
      return List.of(EftChatModel.builder(sampler()).build());
    }

    @Override
    protected ChatModel createModelWith(ChatRequestParameters parameters) {
      return EftChatModel.builder(sampler()).defaultRequestParameters(parameters).build();
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
      return EftChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
    }

    @Override
    protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(ChatModel model) {
      return EftChatResponseMetadata.class;
    }

    @Override
    protected boolean assertResponseId() {
      return false;
    }

    @Override
    protected boolean supportsModelNameParameter() {
      return false; // other than the model's own
    }

    @Override
    protected boolean supportsTools() {
      return false;
    }

    @Override
    protected boolean supportsToolChoiceRequired() {
      return false;
    }

    @Override
    protected boolean supportsJsonResponseFormat() {
      return false;
    }

    @Override
    protected boolean supportsJsonResponseFormatWithSchema() {
      return false;
    }

    @Override
    protected boolean supportsJsonResponseFormatWithRawSchema() {
      return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsBase64EncodedString() {
      return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsPublicURL() {
      return false;
    }
  }

  @Nested
  class Streaming extends AbstractStreamingChatModelIT {
    @Override
    protected List<StreamingChatModel> models() {
      return List.of(EftStreamingChatModel.builder(sampler()).build());
    }

    @Override
    protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
      return EftStreamingChatModel.builder(sampler()).defaultRequestParameters(parameters).build();
    }

    @Override
    public StreamingChatModel createModelWith(ChatModelListener listener) {
      return EftStreamingChatModel.builder(sampler()).listeners(List.of(listener)).build();
    }

    /**
     * Its test waits for half a minute; {@link EftStreamingChatModelTest} has one that does not.
     */
    @Override
    protected boolean supportsStreamingCancellation() {
      return Boolean.getBoolean("eft4j.slowTests");
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
      return EftChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
    }

    @Override
    protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(
        StreamingChatModel model) {
      return EftChatResponseMetadata.class;
    }

    @Override
    protected boolean assertResponseId() {
      return false;
    }

    @Override
    protected boolean supportsModelNameParameter() {
      return false; // other than the model's own
    }

    @Override
    protected boolean supportsTools() {
      return false;
    }

    @Override
    protected boolean supportsToolChoiceRequired() {
      return false;
    }

    @Override
    protected boolean supportsJsonResponseFormat() {
      return false;
    }

    @Override
    protected boolean supportsJsonResponseFormatWithSchema() {
      return false;
    }

    @Override
    protected boolean supportsJsonResponseFormatWithRawSchema() {
      return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsBase64EncodedString() {
      return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsPublicURL() {
      return false;
    }
  }

  @Nested
  class BlockingListener extends AbstractChatModelListenerIT {
    @Override
    protected ChatModel createModel(ChatModelListener listener) {
      return EftChatModel.builder(sampler())
          .modelName(modelName())
          .defaultRequestParameters(SEVEN_TOKENS)
          .listeners(List.of(listener))
          .build();
    }

    @Override
    protected String modelName() {
      return "a name";
    }

    @Override
    protected ChatModel createFailingModel(ChatModelListener listener) {
      return EftChatModel.builder(failingSampler()).listeners(List.of(listener)).build();
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
      return InvalidRequestException.class;
    }

    @Override
    protected boolean supportsTools() {
      return false;
    }

    @Override
    protected boolean assertResponseId() {
      return false;
    }
  }

  @Nested
  class StreamingListener extends AbstractStreamingChatModelListenerIT {
    @Override
    protected StreamingChatModel createModel(ChatModelListener listener) {
      return EftStreamingChatModel.builder(sampler())
          .modelName(modelName())
          .defaultRequestParameters(SEVEN_TOKENS)
          .listeners(List.of(listener))
          .build();
    }

    @Override
    protected String modelName() {
      return "a name";
    }

    @Override
    protected StreamingChatModel createFailingModel(ChatModelListener listener) {
      return EftStreamingChatModel.builder(failingSampler()).listeners(List.of(listener)).build();
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
      return InvalidRequestException.class;
    }

    @Override
    protected boolean supportsTools() {
      return false;
    }

    @Override
    protected boolean assertResponseId() {
      return false;
    }
  }
}
