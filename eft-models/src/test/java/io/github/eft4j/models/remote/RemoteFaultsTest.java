package io.github.eft4j.models.remote;

import static com.github.tomakehurst.wiremock.client.WireMock.aResponse;
import static com.github.tomakehurst.wiremock.client.WireMock.get;
import static com.github.tomakehurst.wiremock.client.WireMock.okJson;
import static com.github.tomakehurst.wiremock.client.WireMock.post;
import static com.github.tomakehurst.wiremock.client.WireMock.postRequestedFor;
import static com.github.tomakehurst.wiremock.client.WireMock.urlEqualTo;
import static com.github.tomakehurst.wiremock.core.WireMockConfiguration.options;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.github.tomakehurst.wiremock.WireMockServer;
import com.github.tomakehurst.wiremock.client.ResponseDefinitionBuilder;
import com.github.tomakehurst.wiremock.http.Fault;
import com.github.tomakehurst.wiremock.stubbing.Scenario;
import com.sun.management.UnixOperatingSystemMXBean;
import io.github.eft4j.Completion;
import io.github.eft4j.CompletionFailedException;
import io.github.eft4j.EftSampler;
import io.github.eft4j.FinishReason;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LikeliestTokens;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.TruncatedLanguageModel;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Servers that fail, answer nonsense, or change behind the client's back. */
class RemoteFaultsTest {
  private static final int VOCABULARY = 4;

  private static final String VLLM_MODELS =
      """
      {"data": [{"id": "m", "max_model_len": %d}]}\
      """;

  private static final String LLAMA_MODELS =
      """
      {"data": [{"id": "m", "meta": {"n_vocab": 4}}]}\
      """;

  private static final RemoteOptions OPTIONS =
      RemoteOptions.defaults()
          .withTimeouts(Duration.ofSeconds(2), Duration.ofMillis(400))
          .withAttempts(2, Duration.ofMillis(4))
          .withNotices(_ -> {});

  private WireMockServer server;

  @BeforeEach
  void start() {
    server = new WireMockServer(options().dynamicPort().bindAddress("127.0.0.1"));
    server.start();
    server.stubFor(get("/v1/models").willReturn(okJson(VLLM_MODELS.formatted(100))));
    server.stubFor(get("/props").willReturn(okJson("{}")));
    server.stubFor(post("/tokenize").willReturn(okJson("{\"tokens\":[3]}")));
    answer(okJson(vllm(list("-0.7", "-1.4", "-2.8", "-2.8"))));
  }

  @AfterEach
  void stop() {
    server.stop();
  }

  private static String list(String... logProbabilities) {
    StringBuilder top = new StringBuilder();
    for (int id = 0; id < logProbabilities.length; id++) {
      top.append(id == 0 ? "" : ",")
          .append("\"token_id:%d\":%s".formatted(id, logProbabilities[id]));
    }
    return top.toString();
  }

  private static String vllm(String list) {
    return """
    {"model": "m", "choices": [{"index": 0, "logprobs": {"top_logprobs": [{%s}]}}]}\
    """
        .formatted(list);
  }

  private static String llama(String model, String list) {
    return """
    {"model": "%s", "index": 0, "completion_probabilities": [{"top_logprobs": [%s]}]}\
    """
        .formatted(model, list);
  }

  private static final String LLAMA_LIST =
      """
      {"id": 0, "logprob": -0.7}, {"id": 1, "logprob": -1.4}, {"id": 2, "logprob": -2.8},
      {"id": 3, "logprob": -2.8}\
      """;

  private void answer(ResponseDefinitionBuilder response) {
    server.stubFor(post("/v1/completions").willReturn(response));
  }

  private String root() {
    return "http://127.0.0.1:" + server.port();
  }

  private TruncatedLanguageModel connect(RemoteOptions options) {
    return (TruncatedLanguageModel) RemoteModels.connect(root() + "/v1#m", vocabulary(), options);
  }

  private TruncatedLanguageModel connectLlamaCpp() {
    server.stubFor(get("/v1/models").willReturn(okJson(LLAMA_MODELS)));
    server.stubFor(post("/completion").willReturn(okJson(llama("m", LLAMA_LIST))));
    return (TruncatedLanguageModel)
        RemoteModels.connect("llamacpp:" + root(), vocabulary(), OPTIONS);
  }

  private static RemoteVocabulary vocabulary() {
    return new RemoteVocabulary(
        OptionalInt.of(VOCABULARY), Optional.empty(), Optional.empty(), Set.of(), () -> {});
  }

  private static LikeliestTokens ask(TruncatedLanguageModel model) {
    try (KeyValueCache cache = model.newCache()) {
      try {
        return model.forward(ForwardBatch.last(cache, 1, 2), VOCABULARY, () -> false).getFirst();
      } catch (RuntimeException e) {
        assertThat(cache.length()).as("tokens of a pass that failed").isZero();
        throw e;
      }
    }
  }

  static Stream<Arguments> faults() {
    String prompt = "/v1/completions, prompt 1 of 1: ";
    return Stream.of(
        Arguments.of(
            "500",
            aResponse().withStatus(500).withBody("boom"),
            "/v1/completions answered with status 500: boom \\(2 attempts\\)"),
        Arguments.of(
            "503",
            aResponse().withStatus(503),
            "/v1/completions answered with status 503: \\(nothing\\) \\(2 attempts\\)"),
        Arguments.of(
            "429",
            aResponse().withStatus(429).withHeader("Retry-After", "0").withBody("busy"),
            "/v1/completions answered with status 429: busy \\(2 attempts\\)"),
        Arguments.of(
            "429, an hour",
            aResponse().withStatus(429).withHeader("Retry-After", "3600").withBody("busy"),
            "/v1/completions answered with status 429: busy; it asks for a pause of 3600 s"),
        Arguments.of(
            "404",
            aResponse().withStatus(404).withBody("The model `m` does not exist."),
            "/v1/completions answered with status 404: The model `m` does not exist\\."),
        Arguments.of(
            "401", aResponse().withStatus(401), "/v1/completions answered with status 401: .*"),
        Arguments.of(
            "reset",
            aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER),
            "/v1/completions cannot be reached: .* \\(2 attempts\\)"),
        Arguments.of(
            "empty",
            aResponse().withFault(Fault.EMPTY_RESPONSE),
            "/v1/completions cannot be reached: .* \\(2 attempts\\)"),
        Arguments.of(
            "garbage",
            aResponse().withFault(Fault.RANDOM_DATA_THEN_CLOSE),
            "/v1/completions cannot be reached: .* \\(2 attempts\\)"),
        Arguments.of(
            "broken chunk",
            aResponse().withFault(Fault.MALFORMED_RESPONSE_CHUNK),
            "/v1/completions cannot be reached: .* \\(2 attempts\\)"),
        Arguments.of(
            "silence",
            okJson("{}").withFixedDelay(60_000),
            "/v1/completions gave no answer within PT0.4S \\(2 attempts\\)"),
        Arguments.of(
            "dribble",
            okJson("{\"choices\": []}").withChunkedDribbleDelay(10, 60_000),
            "/v1/completions gave no answer within PT0.4S \\(2 attempts\\)"),
        Arguments.of(
            "not JSON",
            aResponse().withBody("<html>proxy</html>"),
            "/v1/completions answered what is not JSON: <html>proxy</html>"),
        Arguments.of(
            "half of JSON",
            aResponse().withBody("{\"choices\": [{\"index\""),
            "/v1/completions answered what is not JSON: .*"),
        Arguments.of(
            "a number", okJson("17"), "/v1/completions answered what is no JSON object: 17"),
        Arguments.of(
            "no choices", okJson("{}"), "/v1/completions answered 1 prompts with 0 choices"),
        Arguments.of(
            "wrong index",
            okJson("{\"choices\": [{\"index\": 7}]}"),
            "/v1/completions answered with a wrong index of a choice: 7"),
        Arguments.of(
            "no list",
            okJson("{\"choices\": [{\"index\": 0, \"logprobs\": null}]}"),
            prompt + "0 tokens are listed, expected 4"),
        Arguments.of(
            "too few tokens",
            okJson(vllm(list("-0.7", "-1.4"))),
            prompt + "2 tokens are listed, expected 4"),
        Arguments.of(
            "NaN",
            okJson(vllm(list("-0.7", "NaN", "-2.8", "-2.8"))),
            prompt + "the log-probability of token id 1 is not a number"),
        Arguments.of(
            "null",
            okJson(vllm(list("-0.7", "null", "-2.8", "-2.8"))),
            prompt + "the log-probability of token id 1 is null, expected a number"),
        Arguments.of(
            "too likely",
            okJson(vllm(list("-0.1", "-0.1", "-2.8", "-2.8"))),
            prompt + "the probabilities of 4 tokens sum up to 1\\.9.*, expected at most 1"),
        Arguments.of(
            "logits",
            okJson(vllm(list("17.5", "3", "1", "-1"))),
            prompt + "the probabilities of 4 tokens sum up to .*, expected at most 1"),
        Arguments.of(
            "unknown id",
            okJson(vllm(list("-0.7", "-1.4", "-2.8", "-3.5", "-3.5"))),
            prompt + "token id 4 is outside the vocabulary of 4 ids"),
        Arguments.of(
            "texts for ids",
            okJson(vllm("\" the\": -0.5")),
            prompt
                + "a token is given as ' the', not as token_id:<number>: the server does not know"
                + " return_tokens_as_token_ids"),
        Arguments.of(
            "shorter prompts",
            okJson("{\"usage\": {\"prompt_tokens\": 1}}"),
            "/v1/completions read 1 tokens of prompts that have 2"),
        Arguments.of(
            "another model",
            okJson(vllm(list("-0.7")).replace("\"m\"", "\"other\"")),
            "/v1/completions now serves model 'other', not 'm'"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void everyFaultIsSaid(String name, ResponseDefinitionBuilder response, String message) {
    try (TruncatedLanguageModel model = connect(OPTIONS)) {
      answer(response);
      assertThatThrownBy(() -> ask(model))
          .as(name)
          .isInstanceOf(RemoteModelException.class)
          .hasMessageMatching(root() + message);
    }
  }

  @Test
  void theServerOfLlamaCppIsCheckedLikewise() {
    try (TruncatedLanguageModel model = connectLlamaCpp()) {
      assertThat(ask(model).size()).isEqualTo(VOCABULARY);
      String prompt = "/completion, prompt 1 of 1: ";
      expect(
          model,
          llama("m", "{\"id\": 0, \"logprob\": -1}"),
          prompt + "1 tokens are listed, expected 4");
      expect(
          model,
          llama("m", "{\"tok_str\": \"a\", \"prob\": 0.5}"),
          prompt + "a token has no id: the server is older than version b4279");
      expect(model, "[]", "/completion answered 1 prompts with 0 results");
      expect(
          model,
          "{\"model\": \"m\"}",
          prompt + "the answer has no completion_probabilities[0].top_logprobs");
      expect(
          model,
          llama("m", LLAMA_LIST.replace("-1.4", "\"x\"")),
          prompt + "the log-probability of token id 1 is \"x\", expected a number");
      expect(
          model,
          llama("m", LLAMA_LIST.replace("\"id\": 1", "\"id\": 0")),
          prompt + "token id 0 is listed twice");
      expect(model, llama("other", LLAMA_LIST), "/completion now serves model 'other', not 'm'");
    }
  }

  private void expect(TruncatedLanguageModel model, String answer, String message) {
    server.stubFor(post("/completion").willReturn(okJson(answer)));
    assertThatThrownBy(() -> ask(model))
        .isInstanceOf(RemoteModelException.class)
        .hasMessage(root() + message);
  }

  /** An answer with all fields that vLLM 0.15 writes. */
  private static final String WHOLE_VLLM =
      """
      {"id": "cmpl-8d1f", "object": "text_completion", "created": 1764000000, "model": "m",
       "choices": [
        {"index": 1, "text": " b", "logprobs": {"text_offset": [0], "token_logprobs": [-0.2],
          "tokens": ["token_id:1"],
          "top_logprobs": [{"token_id:1": -0.2, "token_id:3": -2.5, "token_id:0": -3.0}]},
         "finish_reason": "length", "stop_reason": null, "token_ids": null,
         "prompt_logprobs": null, "prompt_token_ids": null, "routed_experts": null},
        {"index": 0, "text": " a", "logprobs": {"text_offset": [0], "token_logprobs": [-0.1],
          "tokens": ["token_id:2"], "top_logprobs": [{"token_id:2": -0.1, "token_id:0": -3.1}]},
         "finish_reason": "stop", "stop_reason": 2, "token_ids": null,
         "prompt_logprobs": null, "prompt_token_ids": null, "routed_experts": null}],
       "service_tier": null, "system_fingerprint": null,
       "usage": {"prompt_tokens": 3, "total_tokens": 5, "completion_tokens": 2,
                 "prompt_tokens_details": null}, "kv_transfer_params": null}\
      """;

  /** An answer with all fields that the server of llama.cpp writes, but for its settings. */
  private static final String WHOLE_LLAMA =
      """
      [{"index": 0, "content": " a", "tokens": [], "id_slot": 0, "stop": true, "model": "m",
        "tokens_predicted": 1, "tokens_evaluated": 1, "generation_settings": {"n_probs": 2},
        "prompt": "x", "has_new_line": false, "truncated": false, "stop_type": "limit",
        "stopping_word": "", "tokens_cached": 1, "timings": {"prompt_n": 1, "prompt_ms": 3.5},
        "completion_probabilities": [{"id": 3, "token": " a", "bytes": [32, 97], "logprob": -9.5,
         "top_logprobs": [{"id": 2, "token": " z", "bytes": [32, 122], "logprob": -0.1},
                          {"id": 0, "token": "\\u00e9", "bytes": [195, 169], "logprob": -3.1}]}]},
       {"index": 1, "content": " a", "tokens": [], "id_slot": 1, "stop": true, "model": "m",
        "truncated": false, "stop_type": "limit",
        "completion_probabilities": [{"id": 3, "token": " a", "bytes": [32, 97], "logprob": -9.5,
         "top_logprobs": [{"id": 1, "token": "b", "bytes": [98], "logprob": -0.2},
                          {"id": 3, "token": " a", "bytes": [32, 97], "logprob": -2.5}]}]}]\
      """;

  @ParameterizedTest
  @EnumSource
  void answersAreReadAsServersWriteThem(RemoteAddress.Kind kind) {
    try (TruncatedLanguageModel model =
        kind == RemoteAddress.Kind.VLLM ? connect(OPTIONS) : connectLlamaCpp()) {
      answer(okJson(WHOLE_VLLM));
      server.stubFor(post("/completion").willReturn(okJson(WHOLE_LLAMA)));
      try (KeyValueCache cache = model.newCache()) {
        List<LikeliestTokens> lists = model.forward(ForwardBatch.all(cache, 1, 2), 2, () -> false);

        assertThat(lists).extracting(LikeliestTokens::size).containsExactly(2, 2);
        assertThat(lists.get(0).id(0)).isEqualTo(2);
        assertThat(lists.get(0).logProbability(1)).isEqualTo(-3.1f);
        assertThat(lists.get(1).id(0)).isEqualTo(1);
        assertThat(lists.get(1).id(1)).isEqualTo(3);
      }
    }
  }

  @Test
  void whatServersCannotComputeIsLeftOut() {
    try (TruncatedLanguageModel model = connect(OPTIONS)) {
      answer(okJson(vllm(list("-0.01", "-5", "-9999.0", "-3.4028234663852886e38"))));
      LikeliestTokens list = ask(model);
      assertThat(list.size()).isEqualTo(2);
      assertThat(list.isWhole()).isFalse();
    }
  }

  private void answerInTurn(ResponseDefinitionBuilder... responses) {
    String state = Scenario.STARTED;
    server.resetScenarios();
    for (int i = 0; i < responses.length; i++) {
      String next = i == responses.length - 1 ? state : "answer " + (i + 1);
      server.stubFor(
          post("/v1/completions")
              .inScenario("turns")
              .whenScenarioStateIs(state)
              .willReturn(responses[i])
              .willSetStateTo(next));
      state = next;
    }
  }

  @Test
  void aServerThatRecoversIsAskedAgain() {
    ResponseDefinitionBuilder good = okJson(vllm(list("-0.7", "-1.4", "-2.8", "-2.8")));
    String soon = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC));
    try (TruncatedLanguageModel model = connect(OPTIONS.withAttempts(5, Duration.ofMillis(2)))) {
      server.resetRequests();
      answerInTurn(
          aResponse().withStatus(503),
          aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER),
          aResponse().withStatus(429).withHeader("Retry-After", "0"),
          aResponse().withStatus(429).withHeader("Retry-After", soon),
          good);

      assertThat(ask(model).id(0)).isZero();
      server.verify(5, postRequestedFor(urlEqualTo("/v1/completions")));
    }
  }

  @Test
  void aServerThatComesBackWithAnotherModelIsRefused() {
    ResponseDefinitionBuilder good = okJson(vllm(list("-0.7", "-1.4", "-2.8", "-2.8")));
    try (TruncatedLanguageModel model = connect(OPTIONS)) {
      answerInTurn(aResponse().withStatus(503), good);
      server.stubFor(get("/v1/models").willReturn(okJson(VLLM_MODELS.formatted(50))));
      assertThatThrownBy(() -> ask(model))
          .hasMessage(
              root()
                  + "/v1 was restarted with another model: it was 'm' (context 100, unknown ids),"
                  + " and is 'm' (context 50, unknown ids)");
      answerInTurn(aResponse().withStatus(503), good);
      server.stubFor(get("/v1/models").willReturn(okJson("{\"data\": [{\"id\": \"n\"}]}")));
      assertThatThrownBy(() -> ask(model))
          .hasMessage(root() + "/v1 serves 'n': 'm' is not among them");
    }
  }

  @Test
  void nobodyIsThere() {
    int port = server.port();
    server.stop();
    String address = "http://127.0.0.1:" + port + "/v1#m";

    assertThatThrownBy(() -> RemoteModels.connect(address, vocabulary(), OPTIONS))
        .isInstanceOf(RemoteModelException.class)
        .hasMessageMatching(
            "http://127.0.0.1:" + port + "/v1/models cannot be reached: .* \\(2 attempts\\)");
  }

  @Test
  void aDoorThatSaysLessIsNoticed() {
    List<String> notices = new java.util.ArrayList<>();
    server.stubFor(get("/v1/models").willReturn(okJson("{\"data\": [{\"id\": \"m\"}]}")));
    try (TruncatedLanguageModel model = connect(OPTIONS.withNotices(notices::add))) {
      assertThat(model.contextLength()).isEqualTo(Integer.MAX_VALUE - 1);
    }
    server.stubFor(post("/tokenize").willReturn(aResponse().withStatus(404)));
    server.stubFor(post("/detokenize").willReturn(aResponse().withStatus(404)));
    RemoteVocabulary withTokenizer =
        new RemoteVocabulary(
            OptionalInt.of(VOCABULARY),
            Optional.of(new NumberedTokenizer(VOCABULARY, "w")),
            Optional.empty(),
            Set.of(),
            () -> {});
    RemoteModels.connect(root() + "/v1", withTokenizer, OPTIONS.withNotices(notices::add)).close();

    assertThat(notices)
        .contains(
            root() + "/v1 does not say how long its context is",
            root() + "/v1 does not say how many token ids it has",
            "no tokenizer is known for " + root() + "/v1: its tokens could not be checked",
            root() + "/v1 does not split text: its tokenizer could not be checked",
            root() + "/v1 does not join tokens: the texts of its ids could not be checked");
  }

  @Test
  void aFailedCompletionKeepsItsTokens() {
    ResponseDefinitionBuilder good = okJson(vllm(list("-0.7", "-1.4", "-2.8", "-2.8")));
    try (TruncatedLanguageModel model = connect(OPTIONS.withFirstList(VOCABULARY))) {
      EftSampler sampler =
          EftSampler.builder(LogitCombiner.of(model))
              .options(SamplingOptions.builder().greedy().maxNewTokens(9).build())
              .build();
      answerInTurn(good, good, good, aResponse().withStatus(400).withBody("no more"));

      CompletionFailedException failure =
          catchThrowableOfType(
              CompletionFailedException.class, () -> sampler.sample(Prompt.ids(1)));

      assertThat(failure)
          .hasMessage(root() + "/v1/completions answered with status 400: no more")
          .hasCauseInstanceOf(RemoteModelException.class);
      Completion partial = failure.completions().getFirst();
      assertThat(partial.tokenIds()).containsExactly(0, 0, 0);
      assertThat(partial.finishReason()).isEqualTo(FinishReason.FAILED);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = FinishReason.class,
      names = {"DEADLINE", "CANCELLED"})
  void aCompletionThatNobodyWantsEndsWithWhatThereIs(FinishReason reason) {
    ResponseDefinitionBuilder good = okJson(vllm(list("-0.7", "-1.4", "-2.8", "-2.8")));
    RemoteOptions patient =
        OPTIONS
            .withFirstList(VOCABULARY)
            .withTimeouts(Duration.ofSeconds(5), Duration.ofMinutes(5));
    try (TruncatedLanguageModel model = connect(patient)) {
      answerInTurn(good, good, okJson("{}").withFixedDelay(120_000));
      EftSampler sampler =
          EftSampler.builder(LogitCombiner.of(model))
              .options(SamplingOptions.builder().greedy().maxNewTokens(9).build())
              .build();
      long start = System.nanoTime();
      SampleRequest request = SampleRequest.of(Prompt.ids(1));

      Completion completion =
          sampler.sample(
              reason == FinishReason.DEADLINE
                  ? request.withDeadline(Duration.ofSeconds(3))
                  : request.cancelledWhen(
                      () -> System.nanoTime() - start > Duration.ofSeconds(3).toNanos()));

      assertThat(completion.finishReason()).isEqualTo(reason);
      assertThat(completion.tokenIds()).containsExactly(0, 0);
    }
  }

  @Test
  void cancellingClosesTheConnection() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        JsonClient client =
            new JsonClient(
                false, OPTIONS.withTimeouts(Duration.ofSeconds(5), Duration.ofMinutes(5)))) {
      CompletableFuture<Integer> closed =
          CompletableFuture.supplyAsync(
              () -> {
                try (Socket socket = silent.accept();
                    InputStream in = socket.getInputStream()) {
                  while (true) {
                    if (in.read() < 0) {
                      return -1;
                    }
                  }
                } catch (IOException e) {
                  return -1; // reset, which closes as well
                }
              });
      long start = System.nanoTime();
      String url = "http://127.0.0.1:" + silent.getLocalPort() + "/v1/completions";

      assertThatThrownBy(
              () ->
                  client.post(
                      url,
                      Server.object(),
                      () -> System.nanoTime() - start > Duration.ofMillis(300).toNanos()))
          .isInstanceOf(CancellationException.class);

      assertThat(closed.get(30, TimeUnit.SECONDS)).isEqualTo(-1);
    }
  }

  @Test
  void anInterruptEndsTheWait() throws Exception {
    try (TruncatedLanguageModel model =
        connect(OPTIONS.withTimeouts(Duration.ofSeconds(5), Duration.ofMinutes(5)))) {
      answer(okJson("{}").withFixedDelay(120_000));
      CompletableFuture<Throwable> failure = new CompletableFuture<>();
      Thread thread =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      ask(model);
                    } catch (RuntimeException e) {
                      failure.complete(e);
                    }
                  });
      thread.interrupt();
      assertThat(failure.get(30, TimeUnit.SECONDS))
          .isInstanceOf(RemoteModelException.class)
          .hasMessage("interrupted while waiting for " + root() + "/v1/completions");
      thread.join();
    }
  }

  @Test
  void aThousandFailuresLeaveNothingBehind() throws Exception {
    var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    List<ResponseDefinitionBuilder> kinds =
        List.of(
            aResponse().withFault(Fault.CONNECTION_RESET_BY_PEER),
            aResponse().withFault(Fault.EMPTY_RESPONSE),
            aResponse().withFault(Fault.MALFORMED_RESPONSE_CHUNK),
            aResponse().withStatus(503),
            okJson("{}").withFixedDelay(300),
            okJson(vllm(list("-0.7"))));
    long files = system.getOpenFileDescriptorCount();
    int failed = 0;
    RemoteOptions hasty =
        OPTIONS
            .withTimeouts(Duration.ofSeconds(5), Duration.ofMillis(10))
            .withAttempts(1, Duration.ofMillis(1));
    try (TruncatedLanguageModel patient = connect(OPTIONS)) {
      assertThat(patient.longestList()).isEqualTo(VOCABULARY);
    }
    RemoteAddress address = RemoteAddress.parse(root() + "/v1#m");
    try (JsonClient client = new JsonClient(false, hasty)) {
      VllmServer vllm = new VllmServer(client, address);
      for (int i = 0; i < 1000; i++) {
        if (i % 167 == 0) {
          answer(kinds.get(i / 167));
        }
        try {
          vllm.likeliest(List.of(new int[] {1}), VOCABULARY, VOCABULARY, () -> false);
        } catch (RemoteModelException e) {
          failed++;
        }
      }
      assertThat(clientThreads()).isLessThanOrEqualTo(1);
    }

    assertThat(failed).isEqualTo(1000);
    waitUntil(() -> clientThreads() == 0);
    waitUntil(() -> system.getOpenFileDescriptorCount() <= files + 20);
  }

  private static long clientThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(t -> t.getName().startsWith("HttpClient"))
        .count();
  }

  private static void waitUntil(java.util.function.BooleanSupplier condition) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("still not after a minute").isLessThan(end);
      Thread.sleep(50);
    }
  }
}
