package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoreCommandTest {
  private static final String QUESTION = "What is the capital of Canada?";
  private static final String ANSWER = " The capital of Canada is Ottawa.";

  /** Sums of doubles in another order. */
  private static final double ROUNDING = 1e-9;

  private static final String UP_SCALED =
      "--large %s --tuned %s --base %s"
          .formatted(model("large-base"), model("small-tuned"), model("small-base"));

  private static EftRun run(String command, String options, String... more) {
    List<String> args = new ArrayList<>(List.of(command));
    args.addAll(List.of(options.split(" +", -1)));
    args.addAll(List.of(more));
    EftRun run = eft(args.toArray(String[]::new));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    return run;
  }

  private static JsonNode score(String options, String... more) {
    return run("score", "--json " + options, more).json();
  }

  @Test
  void theScoreOfWhatWasSampledIsItsProbability() {
    for (String source :
        List.of(
            "--model " + model("small-tuned"),
            UP_SCALED + " --beta 1.5",
            UP_SCALED + " --conservative 0.6",
            "--combine a-0.5*b --named a=%s --named b=%s"
                .formatted(model("small-tuned"), model("small-base")))) {
      String options = source + " --format chat --prompt";
      JsonNode sampled =
          run("sample", "--seed 5 --max-new-tokens 20 --json " + options, QUESTION).json();
      String ids =
          sampled.get("ids").valueStream().map(JsonNode::asText).collect(Collectors.joining(","));
      JsonNode json = score("--text-ids " + ids + " " + options, QUESTION);
      assertThat(json.properties())
          .extracting(Map.Entry::getKey)
          .containsExactly("ids", "logProbs", "logProb", "perplexity");
      assertThat(json.get("ids")).isEqualTo(sampled.get("ids"));
      assertThat(json.get("logProbs")).isEqualTo(sampled.get("logProbs"));
      double sum = json.get("logProbs").valueStream().mapToDouble(JsonNode::asDouble).sum();
      assertThat(json.get("logProb").asDouble()).isCloseTo(sum, within(ROUNDING));
      assertThat(Math.log(json.get("perplexity").asDouble()) * json.get("ids").size())
          .isCloseTo(-sum, within(ROUNDING));
    }
  }

  @Test
  void textsAreScoredTogetherAsAlone() {
    String options = "--model " + model("small-tuned") + " --ids 0,3 --json";
    EftRun together = run("score", options, "--text", ANSWER, "--text-ids", "5,6", "--text", "No.");
    assertThat(together.jsonLines())
        .containsExactly(
            run("score", options, "--text", ANSWER).json(),
            run("score", options, "--text-ids", "5,6").json(),
            run("score", options, "--text", "No.").json());
    assertThat(together.jsonLines().getFirst().get("ids"))
        .isEqualTo(
            run("tokenize", "--json --model " + model("small-tuned"), "--text", ANSWER)
                .json()
                .get("ids"));
  }

  @Test
  void theRewardIsWhatFineTuningChanged() {
    String[] texts = {"--format", "chat", "--prompt", QUESTION, "--text", ANSWER};
    double tuned = score("--model " + model("small-tuned"), texts).get("logProb").asDouble();
    double base = score("--model " + model("small-base"), texts).get("logProb").asDouble();
    JsonNode json = score(UP_SCALED + " --reward 0.5", texts);
    assertThat(json.get("reward").asDouble()).isCloseTo(0.5 * (tuned - base), within(ROUNDING));
    assertThat(json.get("logProb")).isEqualTo(score(UP_SCALED, texts).get("logProb"));
    assertThat(run("score", UP_SCALED + " --reward 0.5", texts).out())
        .endsWith(", reward %.4f%n".formatted(0.5 * (tuned - base)));
  }

  @Test
  void printsATokenALine() {
    String[] texts = {"--prompt", QUESTION, "--text", ANSWER};
    JsonNode json = score("--model " + model("small-tuned"), texts);
    List<String> lines =
        run("score", "--model " + model("small-tuned"), texts).out().lines().toList();
    assertThat(lines).hasSize(json.get("ids").size() + 1);
    assertThat(lines.getFirst())
        .isEqualTo(
            "%10.4f  %-6d %s"
                .formatted(
                    json.get("logProbs").get(0).asDouble(),
                    json.get("ids").get(0).asInt(),
                    "ĠThe"));
    assertThat(lines.getLast())
        .isEqualTo(
            "%10.4f  in all, perplexity %.4f"
                .formatted(json.get("logProb").asDouble(), json.get("perplexity").asDouble()));
  }

  @Test
  void withoutATokenizerTextsAreIds(@TempDir Path directory) throws IOException {
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(Path.of(model("small-tuned"), file), directory.resolve(file));
    }
    String options = " --ids 0,3 --text-ids 5,6";
    assertThat(score("--model " + directory + options))
        .isEqualTo(score("--model " + model("small-tuned") + options));
    EftRun run = eft(("score --model " + directory + " --ids 0,3 --text a").split(" ", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .isEqualToIgnoringNewLines("eft: no model has a tokenizer: give the text as --text-ids");
  }
}
