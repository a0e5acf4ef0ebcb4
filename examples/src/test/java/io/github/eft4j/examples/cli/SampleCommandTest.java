package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.models.LanguageModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    assertThat(json.get("logProbs").valueStream().map(JsonNode::asDouble).toList())
        .isEqualTo(expected.logProbabilities());
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

  private static Integer[] ints(EftRun run) {
    return run.ints("ids").toArray(Integer[]::new);
  }

  private static String[] with(String[] args, String more) {
    return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
  }
}
