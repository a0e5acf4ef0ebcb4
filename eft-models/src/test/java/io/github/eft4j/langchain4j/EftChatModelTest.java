package io.github.eft4j.langchain4j;

import static dev.langchain4j.model.chat.request.ToolChoice.REQUIRED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.Weight;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class EftChatModelTest {
  private static final UserMessage HELLO = UserMessage.from("hello");
  private final ScriptedModel scripted = new ScriptedModel(EftChatModelTest::echo);

  /** A model that writes noise: any option changes what it writes. */
  private static final LanguageModel NOISE = new ScriptedModel(String::toUpperCase);

  private static EftSampler noise() {
    return EftSampler.builder(LogitCombiner.of(NOISE).times(0.01)).seed(1).maxNewTokens(40).build();
  }

  /** What the model reads, without the signs by which it knows where its answer begins. */
  private static String echo(String conversation) {
    return conversation.replace('<', '[').replace('>', ']');
  }

  private static ChatRequest request(ChatRequestParameters parameters) {
    return ChatRequest.builder().messages(HELLO).parameters(parameters).build();
  }

  private static Completion completion(ChatResponse response) {
    return ((EftChatResponseMetadata) response.metadata()).completion();
  }

  @Test
  void aConversationGoesThroughTheChatTemplate() {
    EftChatModel model = EftChatModel.builder(scripted.sampler().build()).build();
    ChatResponse response =
        model.chat(
            SystemMessage.from("Be brief."),
            HELLO,
            AiMessage.builder().text("Hi!").thinking("Not to be repeated.").build(),
            UserMessage.from(TextContent.from("one"), TextContent.from("two")));
    String prompt = "[system]Be brief.[user]hello[assistant]Hi![user]one\ntwo[assistant]";
    assertThat(response.aiMessage()).isEqualTo(AiMessage.from(prompt));
    assertThat(response.tokenUsage())
        .isEqualTo(new TokenUsage(prompt.length(), prompt.length() + 1));
    assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(response.modelName()).isEqualTo("scripted");
    assertThat(scripted.openCaches).hasValue(0);
  }

  @Test
  void withoutParametersItIsTheSampler() {
    EftSampler sampler = noise();
    ChatResponse response = EftChatModel.builder(sampler).build().chat(HELLO);
    Completion expected =
        sampler.sample(Prompt.chat(io.github.eft4j.ChatMessage.user(HELLO.singleText())));
    assertThat(response.aiMessage().text()).isEqualTo(expected.text());
    assertThat(completion(response).logProbabilities()).isEqualTo(expected.logProbabilities());
    assertThat(completion(response).seed()).isEqualTo(1);
    assertThat(response.finishReason()).isEqualTo(FinishReason.LENGTH);
  }

  static Stream<Arguments> parameters() {
    return Stream.of(
            Map.entry(builder().temperature(0.3), options().temperature(0.3)),
            Map.entry(builder().temperature(0.0), options().greedy()),
            Map.entry(builder().topK(3), options().topK(3)),
            Map.entry(builder().topP(0.4), options().topP(0.4)),
            Map.entry(builder().minP(0.99), options().minP(0.99)),
            Map.entry(builder().frequencyPenalty(2.0), options().frequencyPenalty(2)),
            Map.entry(builder().presencePenalty(-3.0), options().presencePenalty(-3)),
            Map.entry(builder().repetitionPenalty(0.1), options().repetitionPenalty(0.1)),
            Map.entry(builder().maxOutputTokens(3), options().maxNewTokens(3)),
            Map.entry(builder().seed(2L), options().seed(2)))
        .map(e -> Arguments.of(e.getKey().build(), e.getValue().build()));
  }

  private static EftChatRequestParameters.Builder builder() {
    return EftChatRequestParameters.builder();
  }

  private static SamplingOptions.Builder options() {
    return noise().options().toBuilder();
  }

  @ParameterizedTest
  @MethodSource("parameters")
  void aParameterIsTheSamplersOption(EftChatRequestParameters given, SamplingOptions expected) {
    EftSampler sampler = noise();
    SampleRequest request =
        SampleRequest.of(Prompt.chat(io.github.eft4j.ChatMessage.user(HELLO.singleText())));
    List<Integer> ids = sampler.sample(request.withOptions(expected)).tokenIds();
    assertThat(ids).isNotEqualTo(sampler.sample(request).tokenIds());

    EftChatModel asDefault = EftChatModel.builder(sampler).defaultRequestParameters(given).build();
    assertThat(completion(asDefault.chat(HELLO)).tokenIds()).isEqualTo(ids);

    EftChatModel model = EftChatModel.builder(sampler).build();
    assertThat(completion(model.chat(request(given))).tokenIds()).isEqualTo(ids);
    // LangChain4j merges requests and defaults in both directions.
    ChatRequestParameters merged =
        DefaultChatRequestParameters.builder().build().overrideWith(given);
    assertThat(merged).isEqualTo(given).hasSameHashCodeAs(given);
    assertThat(completion(model.doChat(request(merged))).tokenIds()).isEqualTo(ids);
  }

  @Test
  void stopSequencesReplaceTheSamplers() {
    EftChatModel model =
        EftChatModel.builder(scripted.sampler().stopStrings("hel").build()).build();
    assertThat(model.chat("hello")).isEqualTo("[user]");
    ChatResponse response =
        model.chat(request(ChatRequestParameters.builder().stopSequences("lo", "[a").build()));
    assertThat(response.aiMessage().text()).isEqualTo("[user]hel");
    assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void requestsChooseWeights() {
    LanguageModel yes = new ScriptedModel(conversation -> "yes");
    LanguageModel no = new ScriptedModel(conversation -> "no");
    Weight weight = Weight.named("no", 0);
    EftSampler sampler =
        EftSampler.builder(LogitCombiner.of(yes).plus(LogitCombiner.of(no).times(weight)))
            .greedy()
            .build();
    EftChatModel model = EftChatModel.builder(sampler).modelName("yes or no").build();
    assertThat(model.chat("hello")).isEqualTo("yes");
    ChatResponse response = model.chat(request(builder().weights(Map.of("no", 2.0)).build()));
    assertThat(response.aiMessage().text()).isEqualTo("no");
    assertThatThrownBy(() -> model.chat(request(builder().weights(Map.of("maybe", 2.0)).build())))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("weight maybe is not in");
  }

  @Test
  void defaultsShowTheSamplersOptions() {
    EftSampler sampler = scripted.sampler().temperature(0.3).topP(0.8).stopStrings("x").build();
    assertThat(EftChatModel.builder(sampler).build().defaultRequestParameters())
        .isEqualTo(
            builder()
                .modelName("scripted")
                .temperature(0.3)
                .topK(0)
                .topP(0.8)
                .minP(0.0)
                .frequencyPenalty(0.0)
                .presencePenalty(0.0)
                .repetitionPenalty(1.0)
                .maxOutputTokens(256)
                .stopSequences("x")
                .seed(7L)
                .build());
  }

  static Stream<Arguments> unsupportedParameters() {
    ToolSpecification tool = ToolSpecification.builder().name("weather").build();
    return Stream.of(
        Arguments.of(builder().modelName("gpt"), "modelName 'gpt' is not supported: this model is"),
        Arguments.of(builder().toolSpecifications(tool), "toolSpecifications (tools) is not"),
        Arguments.of(builder().toolChoice(REQUIRED), "ToolChoice.REQUIRED is not supported"),
        Arguments.of(
            builder().responseFormat(ResponseFormat.JSON),
            "JSON response format is not supported"));
  }

  @ParameterizedTest
  @MethodSource("unsupportedParameters")
  void whatATextModelCannotDoIsRefused(
      EftChatRequestParameters.Builder parameters, String message) {
    EftChatModel.Builder builder = EftChatModel.builder(scripted.sampler().build());
    EftChatModel model = builder.build();
    assertThatThrownBy(() -> model.chat(request(parameters.build())))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> builder.defaultRequestParameters(parameters.build()).build())
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining(message);
  }

  static Stream<Arguments> unsupportedMessages() {
    ToolExecutionRequest tool = ToolExecutionRequest.builder().name("weather").build();
    return Stream.of(
        Arguments.of(
            UserMessage.from(ImageContent.from("https://example.org/cat.png")),
            "content of type image is not supported"),
        Arguments.of(UserMessage.from("Anna", "hello"), "the name of a user ('Anna') is not"),
        Arguments.of(AiMessage.from(tool), "a tool execution request (tools) is not supported"),
        Arguments.of(
            ToolExecutionResultMessage.from(tool, "sunny"),
            "a message of type TOOL_EXECUTION_RESULT is not supported"),
        Arguments.of(
            CustomMessage.from(Map.of("a", "b")), "a message of type CUSTOM is not supported"));
  }

  @ParameterizedTest
  @MethodSource("unsupportedMessages")
  void whatATextModelCannotReadIsRefused(ChatMessage unsupported, String message) {
    EftChatModel model = EftChatModel.builder(scripted.sampler().build()).build();
    assertThatThrownBy(() -> model.chat(HELLO, unsupported))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining(message);
  }

  @Test
  void parametersOfAnotherModelAreRefused() {
    class OtherParameters extends DefaultChatRequestParameters {
      OtherParameters() {
        super(DefaultChatRequestParameters.builder());
      }
    }
    EftChatModel model = EftChatModel.builder(scripted.sampler().build()).build();
    assertThatThrownBy(() -> model.chat(request(new OtherParameters())))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("OtherParameters is not supported");
  }

  @Test
  void whatChangesNothingIsAccepted() {
    EftChatModel model = EftChatModel.builder(scripted.sampler().build()).modelName("echo").build();
    ChatRequestParameters harmless =
        ChatRequestParameters.builder()
            .modelName("echo")
            .toolChoice(ToolChoice.AUTO)
            .responseFormat(ResponseFormat.TEXT)
            .build();
    ChatResponse response = model.chat(request(harmless));
    assertThat(response.aiMessage().text()).isEqualTo("[user]hello[assistant]");
    assertThat(response.modelName()).isEqualTo("echo");
  }

  @Test
  void whatTheSamplerRefusesIsAnInvalidRequest() {
    EftChatModel.Builder builder = EftChatModel.builder(scripted.sampler().build());
    EftChatModel model = builder.build();
    ChatRequestParameters tooHot = ChatRequestParameters.builder().topP(1.5).build();
    assertThatThrownBy(() -> model.chat(request(tooHot)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("topP is 1.5, expected above 0 and at most 1");
    assertThatThrownBy(() -> builder.defaultRequestParameters(tooHot).build())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("topP is 1.5, expected above 0 and at most 1");
    assertThatThrownBy(() -> model.chat("a".repeat(ScriptedModel.CONTEXT)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("512");
    assertThat(scripted.openCaches).hasValue(0);
  }

  @Test
  void metadataCanBeBuiltUpon() {
    ChatResponse response = EftChatModel.builder(scripted.sampler().build()).build().chat(HELLO);
    var metadata = (EftChatResponseMetadata) response.metadata();
    assertThat(metadata.toBuilder().build()).isEqualTo(metadata).hasSameHashCodeAs(metadata);
    assertThat(metadata.toBuilder().id("an id").build().id()).isEqualTo("an id");
  }
}
