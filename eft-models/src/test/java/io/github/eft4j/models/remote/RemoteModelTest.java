package io.github.eft4j.models.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.EftSampler;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.Speculation;
import io.github.eft4j.TruncatedLanguageModel;
import io.github.eft4j.TruncationPolicy;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.LanguageModels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RemoteModelTest {
  private static final LanguageModel LARGE = load("large-base");
  private static final LanguageModel BASE = load("small-base");
  private static final LanguageModel TUNED = load("small-ft");
  private static final int VOCABULARY = LARGE.vocabularySize();
  private static final NumberedTokenizer TOKENIZER = new NumberedTokenizer(VOCABULARY, "w");
  private static final Prompt PROMPT = Prompt.ids(5, 17, 101);

  private final List<String> notices = new ArrayList<>();
  private final RemoteOptions options =
      RemoteOptions.defaults().withFirstList(20).withNotices(notices::add);
  private ModelServer server;

  private static LanguageModel load(String name) {
    return LanguageModels.load(GoldenTensors.directory("eft/" + name));
  }

  @BeforeEach
  void start() {
    server = new ModelServer(LARGE, TOKENIZER);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @AfterAll
  static void closeModels() {
    List.of(LARGE, BASE, TUNED).forEach(LanguageModel::close);
  }

  private String address(RemoteAddress.Kind kind) {
    return kind == RemoteAddress.Kind.VLLM ? server.vllm() : server.llamaCpp();
  }

  private static RemoteVocabulary vocabulary(String word) {
    return new RemoteVocabulary(
        OptionalInt.of(VOCABULARY),
        Optional.of(new NumberedTokenizer(VOCABULARY, word)),
        Optional.empty(),
        Set.of(2),
        () -> {});
  }

  private TruncatedLanguageModel connect(RemoteAddress.Kind kind, RemoteOptions options) {
    return (TruncatedLanguageModel) RemoteModels.connect(address(kind), vocabulary("w"), options);
  }

  private static List<Integer> ids(LogitCombiner combiner, SamplingOptions options) {
    return EftSampler.builder(combiner).options(options).build().sample(PROMPT).tokenIds();
  }

  private static SamplingOptions.Builder sampling() {
    return SamplingOptions.builder().maxNewTokens(12).ignoreEndOfText(true);
  }

  @ParameterizedTest
  @CsvSource({"VLLM, 0", "VLLM, 1", "LLAMA_CPP, 0", "LLAMA_CPP, 1"})
  void aWholeVocabularyGivesTheTokensOfALocalModel(RemoteAddress.Kind kind, double temperature) {
    try (var remote = connect(kind, options.withFirstList(VOCABULARY))) {
      for (int seed = 0; seed < 40; seed++) {
        SamplingOptions seeded =
            sampling().maxNewTokens(4).temperature(temperature).seed(seed).build();
        assertThat(ids(LogitCombiner.upScale(remote, TUNED, BASE), seeded))
            .isEqualTo(ids(LogitCombiner.upScale(LARGE, TUNED, BASE), seeded));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shortListsAreMadeLongerWhereTheyDoNotDecide(RemoteAddress.Kind kind) {
    try (var remote = connect(kind, options)) {
      EftSampler sampler =
          EftSampler.builder(LogitCombiner.upScale(remote, TUNED, BASE))
              .options(sampling().seed(3).build())
              .truncation(TruncationPolicy.failAbove(0))
              .build();
      server.requests.set(0);
      var completion = sampler.sample(PROMPT);

      assertThat(completion.tokenIds()).hasSize(12);
      assertThat(completion.truncation().distributionBound()).isZero();
      assertThat(server.requests.get()).isGreaterThan(12);
      assertThat(ids(LogitCombiner.upScale(remote, TUNED, BASE), sampling().temperature(0).build()))
          .isEqualTo(
              ids(LogitCombiner.upScale(LARGE, TUNED, BASE), sampling().temperature(0).build()));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aBlockOfDraftedTokensIsOneRequest(RemoteAddress.Kind kind) {
    try (var remote = connect(kind, options.withFirstList(VOCABULARY))) {
      LogitCombiner combiner = LogitCombiner.of(remote);
      SamplingOptions greedy = sampling().temperature(0).build();
      server.requests.set(0);
      List<Integer> expected = ids(combiner, greedy);
      assertThat(server.requests).hasValue(12);
      server.requests.set(0);
      server.prompts.set(0);

      List<Integer> drafted =
          EftSampler.builder(combiner)
              .options(greedy)
              .speculation(Speculation.draftWith(LARGE).withBlockLength(4))
              .build()
              .sample(PROMPT)
              .tokenIds();

      assertThat(drafted).isEqualTo(expected);
      // The prompt's own request, then 5 tokens, 5 tokens and the last one.
      assertThat(server.requests).hasValue(4);
      assertThat(server.prompts).hasValue(1 + 5 + 5 + 1);
    }
  }

  @Test
  void vllmTellsNoMoreThanItIsAllowedTo() {
    server.maxLogprobs = 20;
    try (var remote = connect(RemoteAddress.Kind.VLLM, options.withFirstList(100))) {
      assertThat(remote.longestList()).isEqualTo(20);
      assertThat(remote.firstList()).isEqualTo(20);
      var completion =
          EftSampler.builder(LogitCombiner.upScale(remote, TUNED, BASE))
              .options(sampling().seed(1).build())
              .truncation(TruncationPolicy.warnAbove(1))
              .build()
              .sample(PROMPT);
      assertThat(completion.truncation().distributionBounds())
          .hasSize(12)
          .allSatisfy(bound -> assertThat(bound).isBetween(0.0, 1.0));
      assertThat(completion.truncation().distributionBound()).isPositive();
      assertThatThrownBy(
              () ->
                  EftSampler.builder(LogitCombiner.of(TUNED).minus(LogitCombiner.of(remote)))
                      .build())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith(
              "model served tells the probabilities of at most 20 tokens, of " + VOCABULARY);
    }
  }

  @ParameterizedTest
  @EnumSource
  void theModelSaysWhatTheServerAndTheFilesSay(RemoteAddress.Kind kind) {
    try (var remote = connect(kind, options)) {
      assertThat(remote.name()).isEqualTo("served");
      assertThat(remote.vocabularySize()).isEqualTo(VOCABULARY);
      assertThat(remote.longestList()).isEqualTo(VOCABULARY);
      assertThat(remote.contextLength()).isEqualTo(kind == RemoteAddress.Kind.VLLM ? 63 : 62);
      assertThat(remote.endOfTextIds()).containsExactly(2);
      assertThat(remote.tokenizer()).contains(TOKENIZER);
      assertThat(remote.chatTemplate()).isEmpty();
      assertThat(remote)
          .hasToString("served at " + address(kind).replaceFirst("#.*|llamacpp:", ""));
    }
    assertThat(notices)
        .containsExactlyElementsOf(
            kind == RemoteAddress.Kind.VLLM
                ? List.of(server.root() + "/v1 does not say how many token ids it has")
                : List.of());
  }

  @Test
  void cachesForkAndTruncate() {
    try (var remote = connect(RemoteAddress.Kind.VLLM, options);
        KeyValueCache cache = remote.newCache()) {
      int[] ids = {4, 5, 6};
      var rows = remote.forward(ForwardBatch.all(cache, ids), 20, () -> false);
      assertThat(rows).hasSize(3);
      try (KeyValueCache fork = cache.fork()) {
        fork.truncate(1);
        var again = remote.forward(ForwardBatch.last(fork, 5), 20, () -> false);
        assertThat(again.getFirst().id(0)).isEqualTo(rows.get(1).id(0));
        assertThat(again.getFirst().logProbability(19)).isEqualTo(rows.get(1).logProbability(19));
        assertThat(fork.length()).isEqualTo(2);
      }
      assertThat(cache.length()).isEqualTo(3);
      assertThat(remote.likeliest(cache, 2, 40, () -> false).size()).isEqualTo(40);
      server.prompts.set(0);
      remote.forward(new ForwardBatch().add(cache, ids, 0, 3, 0), 20, () -> false);
      assertThat(server.prompts).as("nothing is asked where nothing is wanted").hasValue(0);
      assertThat(cache.length()).isEqualTo(6);
      assertThatThrownBy(() -> cache.truncate(7)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(
              () -> remote.forward(ForwardBatch.last(cache, VOCABULARY), 20, () -> false))
          .hasMessage(
              "token id %d is outside the vocabulary of model served, which has %d ids"
                  .formatted(VOCABULARY, VOCABULARY));
      assertThatThrownBy(
              () -> remote.forward(ForwardBatch.last(cache, new int[60]), 20, () -> false))
          .hasMessage(
              "a sequence of 66 tokens is longer than the context of model served, which holds 63");
      assertThat(cache.length()).isEqualTo(6);
    }
  }

  @ParameterizedTest
  @EnumSource
  void otherTokensAreRefusedAtTheDoor(RemoteAddress.Kind kind) {
    assertThatThrownBy(() -> RemoteModels.connect(address(kind), vocabulary("other"), options))
        .isInstanceOf(RemoteModelException.class)
        .hasMessageMatching(
            ".* has another vocabulary: token id \\d+ is \"w\\d+\" there and \"other\\d+\" here");
    RemoteVocabulary shorter =
        new RemoteVocabulary(
            OptionalInt.of(VOCABULARY),
            Optional.of(new NumberedTokenizer(100, "w")),
            Optional.empty(),
            Set.of(),
            () -> {});
    RemoteModels.connect(address(kind), shorter, options).close();
    assertThat(notices)
        .anyMatch(
            n -> n.contains(" has the same tokens but uses them otherwise: it splits the probe"));
    server.knowsTexts = false;
    assertThatThrownBy(() -> RemoteModels.connect(address(kind), shorter, options))
        .isInstanceOf(RemoteModelException.class)
        .hasMessageContaining("has another tokenizer: it splits the probe text into ");
  }

  @Test
  void aServerWithMoreTokensThanAreKnownIsRefused() {
    RemoteVocabulary fewer =
        new RemoteVocabulary(
            OptionalInt.of(100), Optional.empty(), Optional.empty(), Set.of(), () -> {});

    assertThatThrownBy(() -> RemoteModels.connect(server.vllm(), fewer, options))
        .isInstanceOf(RemoteModelException.class)
        .hasMessageMatching(
            ".*/completions, prompt 1 of 1: token id \\d+ is outside the vocabulary of 100 ids");
  }

  @Test
  void theContextMayBeMadeShorterButNotLonger() {
    try (var remote = connect(RemoteAddress.Kind.VLLM, options.withContextLength(40))) {
      assertThat(remote.contextLength()).isEqualTo(40);
    }
    assertThatThrownBy(() -> connect(RemoteAddress.Kind.LLAMA_CPP, options.withContextLength(64)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("context length is 64, but that of " + server.root() + " is 62");
    assertThatThrownBy(() -> options.withContextLength(0))
        .hasMessage("context length is 0, expected a positive number");
  }

  @Test
  void aWrongNameIsRefused() {
    assertThatThrownBy(
            () -> RemoteModels.connect(server.root() + "/v1#else", vocabulary("w"), options))
        .hasMessage(server.root() + "/v1 serves 'served': 'else' is not among them");
    assertThatThrownBy(
            () -> RemoteModels.connect(server.llamaCpp() + "#else", vocabulary("w"), options))
        .hasMessage(server.root() + " serves 'served', not 'else'");
    RemoteModels.connect(server.root() + "/v1", vocabulary("w"), options).close();
  }

  @Test
  void whatOnlyTheServerKnowsIsTakenFromIt() {
    try (LanguageModel remote = LanguageModels.remote(server.llamaCpp(), options)) {
      assertThat(remote.vocabularySize()).isEqualTo(VOCABULARY);
      assertThat(remote.tokenizer()).isEmpty();
    }
    assertThat(notices)
        .containsExactly(
            "no tokenizer is known for " + server.root() + ": its tokens could not be checked");
    assertThatThrownBy(() -> LanguageModels.remote(server.vllm(), options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            server.root()
                + "/v1 does not say how many token ids it has: give a model or files here with the"
                + " same tokens");
    try (LanguageModel remote =
        LanguageModels.remote(server.vllm(), GoldenTensors.directory("eft/small-base"), options)) {
      assertThat(remote.vocabularySize()).isEqualTo(VOCABULARY);
    }
    try (LanguageModel remote = LanguageModels.remote(server.vllm(), BASE, options)) {
      assertThat(remote.endOfTextIds()).isEqualTo(BASE.endOfTextIds());
    }
  }

  @Test
  void theTokenIsSentAndNeverTold() {
    server.requiredToken = "s3cret-t0ken";
    RemoteOptions right = options.withBearerToken("s3cret-t0ken");
    RemoteModels.connect(server.vllm(), vocabulary("w"), right).close();

    assertThat(right.toString()).doesNotContain("s3cret").contains("bearerToken=set");
    RemoteOptions wrong = options.withBearerToken("wr0ng-t0ken");
    assertThatThrownBy(() -> RemoteModels.connect(server.vllm(), vocabulary("w"), wrong))
        .hasMessage(
            server.root()
                + "/v1/models answered with status 401: {\"error\":{\"message\":\"Unauthorized:"
                + " Bearer ***\"}}");
    assertThatThrownBy(() -> options.withBearerToken("two words\n"))
        .hasMessageNotContaining("two")
        .hasMessageContaining("is not visible ASCII");
    assertThatThrownBy(() -> RemoteAddress.parse("http://user:s3cret@127.0.0.1:1/v1"))
        .hasMessageNotContaining("s3cret")
        .hasMessageContaining("holds credentials");
  }

  @Test
  void aClosedModelSaysSo() {
    TruncatedLanguageModel remote = connect(RemoteAddress.Kind.VLLM, options);
    remote.close();
    remote.close();

    assertThatThrownBy(
            () -> remote.forward(ForwardBatch.last(remote.newCache(), 1), 20, () -> false))
        .hasMessage("model served was closed");
  }

  @ParameterizedTest
  @CsvSource({
    "http:/nowhere, is not the address of a served model",
    "https://, not a URL",
    "llamacpp:ftp://host:1, is not the address of a served model",
    "http://host:1/v1?x=1#m, has a query"
  })
  void addressesAreChecked(String address, String message) {
    assertThatThrownBy(() -> RemoteModels.connect(address, vocabulary("w"), options))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void optionsAreChecked() {
    assertThatThrownBy(() -> options.withFirstList(0))
        .hasMessage("firstList is 0, expected at least 1");
    assertThatThrownBy(() -> options.withAttempts(0, java.time.Duration.ofMillis(1)))
        .hasMessage("attempts is 0, expected at least 1");
    assertThatThrownBy(
            () -> options.withTimeouts(java.time.Duration.ZERO, java.time.Duration.ofMillis(1)))
        .hasMessage("connectTimeout is PT0S, expected above zero");
    assertThatThrownBy(() -> options.withBearerTokenFrom("NO_SUCH_VARIABLE_HERE"))
        .hasMessage("the environment variable NO_SUCH_VARIABLE_HERE is not set");
    assertThat(RemoteModels.isAddress("http://h/v1")).isTrue();
    assertThat(RemoteModels.isAddress("llamacpp:http://h")).isTrue();
    assertThat(RemoteModels.isAddress("models/http")).isFalse();
  }
}
