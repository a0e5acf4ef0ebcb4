package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.models.LanguageModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SampleCommandTest {
  private static final String QUESTION = "What is the capital of Canada?";
  private static final String PROMPT = "### User: " + QUESTION + "\n### Assistant:";

  private static EftRun upScaled(String... more) {
    return sample(
        Stream.concat(
                Stream.of(
                    "--large",
                    model("large-base"),
                    "--tuned",
                    model("small-tuned"),
                    "--base",
                    model("small-base")),
                Stream.of(more))
            .toArray(String[]::new));
  }

  private static EftRun small(String... more) {
    return sample(
        Stream.concat(Stream.of("--model", model("small-tuned")), Stream.of(more))
            .toArray(String[]::new));
  }

  private static EftRun sample(String... args) {
    EftRun run = eft(Stream.concat(Stream.of("sample"), Stream.of(args)).toArray(String[]::new));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    return run;
  }

  @Test
  void upScalesAsTheLibraryDoes() {
    EftRun run =
        upScaled(
            "--beta",
            "1.5",
            "--prompt",
            QUESTION,
            "--format",
            "chat",
            "--seed",
            "7",
            "--temperature",
            "0.8",
            "--top-p",
            "0.9",
            "--top-k",
            "20",
            "--min-p",
            "0.05",
            "--json");
    Completion expected;
    try (LanguageModel large = LanguageModels.load(Path.of(model("large-base")));
        LanguageModel tuned = LanguageModels.load(Path.of(model("small-tuned")));
        LanguageModel base = LanguageModels.load(Path.of(model("small-base")))) {
      expected =
          EftSampler.builder(
                  LogitCombiner.upScale(large, tuned, base, 1.5)
                      .prompted(PromptFormat.chatTemplate()))
              .seed(7)
              .temperature(0.8)
              .topP(0.9)
              .topK(20)
              .minP(0.05)
              .build()
              .sample(QUESTION);
    }
    JsonNode json = run.json();
    assertThat(json.properties())
        .extracting(Map.Entry::getKey)
        .containsExactly("ids", "logProbs", "text", "finishReason");
    assertThat(run.ints("ids")).isEqualTo(expected.tokenIds());
    assertThat(logProbs(json)).isEqualTo(expected.logProbabilities());
    assertThat(json.get("text").asText()).isEqualTo(expected.text()).isNotBlank();
    assertThat(json.get("finishReason").asText()).isEqualTo("end_of_text");
  }

  @Test
  void theChatFormatIsTheModelsTemplate() {
    assertThat(small("--prompt", QUESTION, "--format", "chat", "--greedy"))
        .isEqualTo(small("--prompt", "<|bos|>" + PROMPT, "--greedy"));
  }

  @Test
  void theQuestionFormatPutsWordsAround() {
    assertThat(small("--prompt", QUESTION, "--format", "qa", "--greedy"))
        .isEqualTo(small("--prompt", "Question: " + QUESTION + "\nAnswer:", "--greedy"));
  }

  @Test
  void streamsTheTextOfTheJson() {
    String text = small("--prompt", PROMPT, "--seed", "3", "--json").json().get("text").asText();
    assertThat(small("--prompt", PROMPT, "--seed", "3").out()).isEqualToIgnoringNewLines(text);
  }

  @Test
  void theSeedDecides() {
    String[] args = {
      "--ids", "0,3,4", "--json", "--ignore-eos", "--max-new-tokens", "30", "--seed"
    };
    assertThat(small(with(args, "1"))).isEqualTo(small(with(args, "1")));
    assertThat(small(with(args, "1"))).isNotEqualTo(small(with(args, "2")));
  }

  @Test
  void greedyIsTheLimitOfEveryFilter() {
    List<Integer> greedy = small("--ids", "0,3", "--greedy", "--json").ints("ids");
    assertThat(small("--ids", "0,3", "--temperature", "0", "--json").ints("ids")).isEqualTo(greedy);
    assertThat(small("--ids", "0,3", "--top-k", "1", "--json").ints("ids")).isEqualTo(greedy);
    assertThat(small("--ids", "0,3", "--top-p", "1e-9", "--json").ints("ids")).isEqualTo(greedy);
    assertThat(small("--ids", "0,3", "--min-p", "1", "--json").ints("ids")).isEqualTo(greedy);
  }

  @Test
  void ends() {
    EftRun endOfText = small("--prompt", PROMPT, "--greedy", "--json");
    assertThat(endOfText.json().get("finishReason").asText()).isEqualTo("end_of_text");
    assertThat(endOfText.ints("ids")).endsWith(1);

    EftRun length = small("--prompt", PROMPT, "--greedy", "--max-new-tokens", "3", "--json");
    assertThat(length.json().get("finishReason").asText()).isEqualTo("max_new_tokens");
    assertThat(length.ints("ids")).hasSize(3);

    EftRun full = small("--prompt", PROMPT, "--greedy", "--context-length", "20", "--json");
    assertThat(full.json().get("finishReason").asText()).isEqualTo("context_full");

    EftRun stop = small("--prompt", PROMPT, "--greedy", "--stop", "know if", "--json");
    assertThat(stop.json().get("finishReason").asText()).isEqualTo("stop_string");
    assertThat(stop.json().get("text").asText()).endsWith("Let me ");

    int[] most = {endOfText.ints("ids").size() + 5};
    EftRun ignored =
        small(
            "--prompt",
            PROMPT,
            "--greedy",
            "--ignore-eos",
            "--max-new-tokens",
            most[0] + "",
            "--json");
    assertThat(ignored.ints("ids")).hasSize(most[0]).startsWith(ints(endOfText));
  }

  @Test
  void withoutATokenizerStreamsIds(@TempDir Path directory) throws IOException {
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(Path.of(model("small-tuned"), file), directory.resolve(file));
    }
    String[] args = {"--model", directory.toString(), "--ids", "0,3,4", "--greedy"};
    EftRun json = sample(with(args, "--json"));
    assertThat(json.json().get("text").asText()).isEmpty();
    List<String> ids = new ArrayList<>(json.ints("ids").stream().map(String::valueOf).toList());
    assertThat(sample(args).out().strip().split(" ", -1)).containsExactlyElementsOf(ids);
    assertThat(
            eft(with(
                    with(with(new String[] {"sample"}, "--model"), directory.toString()),
                    "--prompt=a"))
                .err())
        .contains("has no tokenizer: give the prompt as token ids");
  }

  @Test
  void conservativeIsTheLibrarysCombiner() {
    Completion expected;
    try (LanguageModel large = LanguageModels.load(Path.of(model("large-base")));
        LanguageModel tuned = LanguageModels.load(Path.of(model("small-tuned")));
        LanguageModel base = LanguageModels.load(Path.of(model("small-base")))) {
      expected =
          EftSampler.builder(LogitCombiner.conservative(large, tuned, base, 0.6))
              .seed(7)
              .maxNewTokens(20)
              .build()
              .sample(PROMPT);
    }
    EftRun run =
        upScaled(words("--conservative 0.6 --seed 7 --max-new-tokens 20 --json --prompt", PROMPT));
    assertThat(run.ints("ids")).isEqualTo(expected.tokenIds());
    assertThat(logProbs(run.json())).isEqualTo(expected.logProbabilities());
  }

  @Test
  void anExpressionCombinesNamedModels() {
    assertThat(named("large + 1.5*(tuned - base)", words("--seed 7 --json --prompt", PROMPT)))
        .isEqualTo(upScaled(words("--beta 1.5 --seed 7 --json --prompt", PROMPT)));
    assertThat(named("tuned + 0*(large - base)", words("--seed 7 --json --prompt", PROMPT)))
        .isEqualTo(small(words("--seed 7 --json --prompt", PROMPT)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--draft-length 1", "--draft-length 4", "--draft-length 16", ""})
  void speculationChangesNoTokenAndNoProbability(String draftLength) {
    int accepted = 0;
    for (String drawing : List.of("--greedy", "--seed 1", "--seed 2 --top-p 0.9")) {
      JsonNode plain = upScaled(words(drawing + " --json --prompt", PROMPT)).json();
      JsonNode json =
          upScaled(words(drawing + " --speculate " + draftLength + " --json --prompt", PROMPT))
              .json();
      JsonNode speculation = ((ObjectNode) json).remove("speculation");
      assertThat(json).isEqualTo(plain);
      assertThat(speculation.properties())
          .extracting(Map.Entry::getKey)
          .containsExactly("drafted", "checked", "accepted", "acceptance");
      int checked = speculation.get("checked").asInt();
      assertThat(checked).isBetween(0, speculation.get("drafted").asInt());
      if (checked == 0) {
        assertThat(speculation.get("acceptance").isNull()).isTrue();
      } else {
        assertThat(speculation.get("acceptance").asDouble())
            .isEqualTo(speculation.get("accepted").asDouble() / checked);
      }
      accepted += speculation.get("accepted").asInt();
    }
    // Unless told how long blocks are, speculation may find that drafting is not worth it here.
    if (!draftLength.isEmpty()) {
      assertThat(accepted).isGreaterThan(10);
    }
  }

  @Test
  void theRatioRuleIsGreedyToo() {
    String drawing = "--greedy --speculate --draft-length 4 --json --acceptance ";
    assertThat(upScaled(words(drawing + "ratio --prompt", PROMPT)))
        .isEqualTo(upScaled(words(drawing + "coupled --prompt", PROMPT)));
  }

  @Test
  void theRatioRuleDrawsOtherTokens() {
    String drawing = "--temperature 2 --seed 3 --speculate --draft-length 4 --json --acceptance ";
    assertThat(upScaled(words(drawing + "ratio --prompt", PROMPT)).ints("ids"))
        .isNotEqualTo(upScaled(words(drawing + "coupled --prompt", PROMPT)).ints("ids"));
  }

  @Test
  void anyModelDrafts() {
    String[] options = words("--greedy --speculate --draft-length 4 --json --prompt", PROMPT);
    EftRun byPath = small(with(options, "--draft", model("small-base")));
    EftRun byName = named("tuned", with(options, "--draft", "drafter"));
    assertThat(byName).isEqualTo(byPath);
    assertThat(byPath.json().get("speculation").get("drafted").asInt()).isPositive();
    assertThat(byPath.json().get("speculation").get("acceptance").asDouble()).isLessThan(1);
    assertThat(byPath.ints("ids"))
        .isEqualTo(small(words("--greedy --json --prompt", PROMPT)).ints("ids"));
  }

  @Test
  void severalCompletionsAreSetApart() {
    String[] options = words("--temperature 2 --seed 3 --max-new-tokens 8 --prompt", PROMPT);
    List<JsonNode> json = small(with(options, "-n", "3", "--json")).jsonLines();
    assertThat(json).hasSize(3).doesNotHaveDuplicates();
    assertThat(json.getFirst()).isEqualTo(small(with(options, "--json")).json());
    assertThat(small(with(options, "-n", "3")).out())
        .isEqualToNormalizingNewlines(
            "--- 1 of 3 ---\n%s\n\n--- 2 of 3 ---\n%s\n\n--- 3 of 3 ---\n%s\n"
                .formatted(json.stream().map(c -> c.get("text").asText()).toArray()));
  }

  @Test
  void penaltiesAreTheLibrarys() {
    SamplingOptions options =
        SamplingOptions.builder()
            .greedy()
            .ignoreEndOfText(true)
            .maxNewTokens(40)
            .repetitionPenalty(3)
            .frequencyPenalty(1.5)
            .presencePenalty(0.75)
            .build();
    Completion expected;
    try (LanguageModel tuned = LanguageModels.load(Path.of(model("small-tuned")))) {
      expected =
          EftSampler.builder(LogitCombiner.of(tuned)).options(options).build().sample(PROMPT);
    }
    String[] plain = words("--greedy --ignore-eos --max-new-tokens 40 --json --prompt", PROMPT);
    EftRun run =
        small(
            with(
                plain,
                "--repetition-penalty",
                "3",
                "--frequency-penalty",
                "1.5",
                "--presence-penalty",
                "0.75"));
    assertThat(run.ints("ids")).isEqualTo(expected.tokenIds());
    assertThat(run.ints("ids")).isNotEqualTo(small(plain).ints("ids"));
  }

  @Test
  void theLikeliestTokensStandBesideEach() {
    JsonNode json =
        small(words("--greedy --max-new-tokens 5 --top-logprobs 3 --json --prompt", PROMPT)).json();
    JsonNode top = json.get("topLogProbs");
    assertThat(top).hasSize(5);
    for (int i = 0; i < top.size(); i++) {
      assertThat(top.get(i)).hasSize(3);
      assertThat(top.get(i).get(0).get("id")).isEqualTo(json.get("ids").get(i));
      assertThat(top.get(i).get(0).get("logProb")).isEqualTo(json.get("logProbs").get(i));
      assertThat(top.get(i).get(2).get("logProb").asDouble())
          .isLessThan(top.get(i).get(1).get("logProb").asDouble());
    }
  }

  @Test
  void theNumberOfThreadsChangesNothing() {
    assertThat(small(words("--seed 1 --threads 1 --json --prompt", PROMPT)))
        .isEqualTo(small(words("--seed 1 --threads 2 --json --prompt", PROMPT)));
  }

  @Test
  void servesAFileOfPrompts(@TempDir Path directory) throws IOException {
    List<String> questions =
        List.of(QUESTION, "Who wrote Hamlet?", "{not JSON}", "What is gold?", "Why?", "How?");
    Path text = Files.write(directory.resolve("prompts.txt"), questions);
    String options = "--seed 3 --max-new-tokens 12 --format chat";
    List<JsonNode> alone =
        questions.stream()
            .map(question -> small(words(options + " --json --prompt", question)).json())
            .toList();
    // Slices of 4, and all at once.
    assertThat(small(words(options + " --batch-size 1 --prompts", text + "")).jsonLines())
        .isEqualTo(alone);
    assertThat(small(words(options + " --prompts", text + "")).jsonLines()).isEqualTo(alone);

    List<JsonNode> twice = small(words(options + " -n 2 --prompts", text + "")).jsonLines();
    assertThat(IntStream.range(0, 6).mapToObj(i -> twice.get(2 * i)).toList()).isEqualTo(alone);
    assertThat(twice.get(3))
        .isEqualTo(
            small(words(options + " -n 2 --json --prompt", questions.get(1))).jsonLines().get(1));
  }

  @Test
  void servesAFileOfJsonLines(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("prompts.jsonl");
    Files.write(file, List.of("{\"prompt\": \"Who\\nwrote é?\"}", " {\"ids\":[0, 3,4]} "));
    assertThat(small(words("--seed 3 --max-new-tokens 5 --prompts", file + "")).jsonLines())
        .containsExactly(
            small(words("--seed 3 --max-new-tokens 5 --json --prompt", "Who\nwrote é?")).json(),
            small(words("--seed 3 --max-new-tokens 5 --json --ids", "0,3,4")).json());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          a\\n\\nb                  | 2: expected a prompt, found an empty line
          {"prompt":"a"}\\nb        | 2: not JSON: Unrecognized token 'b'
          {"prompt":"a"}\\n{        | 2: not JSON: Unexpected end-of-input
          {"prompt":"a"}\\n"b"      | 2: expected {"prompt": TEXT} or {"ids": [ID, ...]}, found 'b'
          {"prompt":5}              | 1: expected {"prompt": TEXT} or {"ids": [ID, ...]}, found '5'
          {"text":"a"}              | 1: expected {"prompt": TEXT} or {"ids": [ID, ...]}, found the key "text"
          {"prompt":"a","n":2}      | 1: expected {"prompt": TEXT} or {"ids": [ID, ...]}, found 'n'
          {"prompt":"a"} b          | 1: not JSON: Unrecognized token 'b'
          {}                        | 1: expected {"prompt": TEXT} or {"ids": [ID, ...]}, found {}
          {"ids":[1,2.5]}           | 1: expected {"prompt": TEXT} or {"ids": [ID, ...]}, found '2.5'
          {"ids":[3000000000]}      | 1: not JSON: Numeric value (3000000000) out of range of int
          {"ids":[]}                | 1: the prompt is empty
          {"ids":[5]}\\n{"ids":[1024]} | 2: token id 1024 at position 0 of the prompt is outside the vocabulary
          a\\nÿ                      | 2: not UTF-8
          """)
  void aLineThatIsNoPromptIsNamed(String lines, String message, @TempDir Path directory)
      throws IOException {
    Path file = directory.resolve("prompts");
    Files.writeString(file, lines.replace("\\n", "\n"), StandardCharsets.ISO_8859_1);
    EftRun run = eft("sample", "--model", model("small-tuned"), "--prompts", file.toString());
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("eft: " + file + ", line " + message).hasLineCount(1);
  }

  @Test
  void aFileWithoutPromptsIsRefused(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("prompts"));
    EftRun run = eft("sample", "--model", model("small-tuned"), "--prompts", file.toString());
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).isEqualToIgnoringNewLines("eft: " + file + " has no prompts");
  }

  @Test
  void aBatchHasPrompts(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("prompts"), "a");
    EftRun run =
        eft(
            "sample --model %s --prompts %s --batch-size 0"
                .formatted(model("small-tuned"), file)
                .split(" ", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).isEqualToIgnoringNewLines("eft: --batch-size is 0, expected at least 1");
  }

  private static EftRun named(String expression, String... more) {
    List<String> args = new ArrayList<>(List.of("--combine", expression));
    Map.of("large", "large-base", "tuned", "small-tuned", "base", "small-base")
        .forEach(
            (name, path) -> {
              if (expression.contains(name)) {
                args.addAll(List.of("--named", name + "=" + model(path)));
              }
            });
    if (List.of(more).contains("drafter")) {
      args.addAll(List.of("--named", "drafter=" + model("small-base")));
    }
    args.addAll(List.of(more));
    return sample(args.toArray(String[]::new));
  }

  private static List<Double> logProbs(JsonNode json) {
    return json.get("logProbs").valueStream().map(JsonNode::asDouble).toList();
  }

  /** Options between spaces, and a last argument that may have spaces. */
  private static String[] words(String options, String last) {
    return with(options.split(" +", -1), last);
  }

  private static Integer[] ints(EftRun run) {
    return run.ints("ids").toArray(Integer[]::new);
  }

  private static String[] with(String[] args, String... more) {
    return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
  }
}
