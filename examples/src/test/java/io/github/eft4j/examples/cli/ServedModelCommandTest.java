package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command line with models that are served elsewhere. */
class ServedModelCommandTest {
  private static final List<String> SMALL =
      List.of("--tuned", model("small-tuned"), "--base", model("small-base"));
  private static final List<String> PROMPT =
      List.of("--prompt", "What is the capital of Finland?", "--format", "chat");

  private static EftRun sample(String... args) {
    return eft(Stream.concat(Stream.of("sample"), Stream.of(args)).toArray(String[]::new));
  }

  private static EftRun upScaled(String large, String... more) {
    return sample(
        Stream.of(List.of("--large", large), SMALL, PROMPT, List.of(more))
            .flatMap(List::stream)
            .toArray(String[]::new));
  }

  @Test
  void aServedModelGivesTheTextOfALoadedOne() throws IOException {
    try (ServedModel served = new ServedModel("large-base", Integer.MAX_VALUE)) {
      EftRun there = upScaled(served.address(), "--greedy", "--speculate");
      EftRun here = upScaled(model("large-base"), "--greedy");

      assertThat(there.status()).as(there.err()).isZero();
      assertThat(there.out()).isEqualTo(here.out()).contains("Helsinki");
      assertThat(there.err().lines())
          .allMatch(line -> line.startsWith("eft: http://127.0.0.1:"))
          .anyMatch(
              line -> line.endsWith("does not split text: its tokenizer could not be checked"));
    }
  }

  @Test
  void aShortListIsSaidOrRefused() throws IOException {
    try (ServedModel served = new ServedModel("large-base", 5)) {
      String[] drawing = {"--seed", "4", "--temperature", "1.5", "--max-new-tokens", "12"};
      EftRun warned = upScaled(served.address(), drawing);
      EftRun json =
          upScaled(
              served.address(),
              Stream.concat(Stream.of(drawing), Stream.of("--json")).toArray(String[]::new));
      EftRun refused =
          upScaled(
              served.address(),
              Stream.concat(Stream.of(drawing), Stream.of("--truncation-limit", "1e-6"))
                  .toArray(String[]::new));

      assertThat(warned.status()).isZero();
      assertThat(warned.err()).contains("a model tells too few probabilities");
      assertThat(json.json().at("/truncation/bound").doubleValue()).isPositive();
      assertThat(json.json().at("/truncation/askedAgain").intValue()).isZero();
      assertThat(refused.status()).isEqualTo(2);
      assertThat(refused.err()).contains("above the limit of 1.0E-6");
    }
  }

  @Test
  void aServerThatFailsLeavesTheTokensBefore() throws IOException {
    try (ServedModel served = new ServedModel("large-base", Integer.MAX_VALUE)) {
      served.failAfter(4);
      EftRun run = upScaled(served.address(), "--greedy", "--json");

      assertThat(run.status()).isEqualTo(2);
      assertThat(run.err()).contains("out of order");
      assertThat(run.json().get("finishReason").textValue()).isEqualTo("failed");
      assertThat(run.ints("ids")).hasSizeBetween(1, 3);
    }
  }

  @Test
  void aServedModelMayStandAlone() throws IOException {
    try (ServedModel served = new ServedModel("large-base", Integer.MAX_VALUE)) {
      String[] rest = {"--prompt", "The capital of", "--greedy", "--max-new-tokens", "8"};
      EftRun there =
          sample(
              Stream.concat(
                      Stream.of(
                          "--model",
                          served.address(),
                          "--tokenizer",
                          model("small-base"),
                          "--list-length",
                          "20"),
                      Stream.of(rest))
                  .toArray(String[]::new));
      EftRun here =
          sample(
              Stream.concat(Stream.of("--model", model("large-base")), Stream.of(rest))
                  .toArray(String[]::new));
      EftRun alone = sample("--model", served.address(), "--ids", "1,2");
      EftRun score =
          eft(
              "score",
              "--model",
              served.address(),
              "--tokenizer",
              model("small-base"),
              "--prompt",
              "The capital of",
              "--text",
              " Finland");

      assertThat(there.out()).isEqualTo(here.out());
      assertThat(alone.status()).isEqualTo(2);
      assertThat(alone.err())
          .contains("does not say how many token ids it has: give a model or files");
      assertThat(score.status()).as(score.err()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--list-length=3", "--bearer-token-env=X", "--tokenizer=x"})
  void optionsForServedModelsNeedOne(String option) {
    EftRun run = sample("--model", model("small-base"), "--prompt", "x", option);

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("are for models at an address");
  }

  @Test
  void whatIsWrongWithAnAddressIsSaid() {
    EftRun nobody = upScaled("http://127.0.0.1:9/v1#m", "--greedy");
    EftRun token = upScaled("http://127.0.0.1:9/v1#m", "--bearer-token-env", "NO_SUCH_VARIABLE");
    EftRun length = upScaled("http://127.0.0.1:9/v1#m", "--list-length", "0");

    assertThat(nobody.err()).startsWith("eft: http://127.0.0.1:9/v1/models cannot be reached: ");
    assertThat(token.err())
        .isEqualTo("eft: the environment variable NO_SUCH_VARIABLE is not set\n");
    assertThat(length.err()).isEqualTo("eft: --list-length is 0, expected at least 1\n");
  }
}
