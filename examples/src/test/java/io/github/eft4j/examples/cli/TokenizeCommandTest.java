package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TokenizeCommandTest {
  private static final List<String> TEXTS =
      List.of("The capital of Finland is Helsinki.", "naïve 日本 🙂", "@file", "", "two\nlines");

  private static EftRun tokenize(String... more) {
    String[] args =
        Stream.concat(
                Stream.of("tokenize", "--model", model("small-base")),
                Stream.concat(TEXTS.stream().map(text -> "--text=" + text), Stream.of(more)))
            .toArray(String[]::new);
    EftRun run = eft(args);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    return run;
  }

  @Test
  void printsALineAText() throws IOException {
    List<String> json = tokenize("--json").out().lines().toList();
    List<String> plain = tokenize().out().lines().toList();
    assertThat(json).hasSameSizeAs(TEXTS);
    assertThat(plain).hasSameSizeAs(TEXTS);
    for (int i = 0; i < TEXTS.size(); i++) {
      JsonNode line = new ObjectMapper().readTree(json.get(i));
      assertThat(line.get("text").asText()).isEqualTo(TEXTS.get(i));
      assertThat(line.get("ids").valueStream().map(JsonNode::asText))
          .isEqualTo(TEXTS.get(i).isEmpty() ? List.of() : List.of(plain.get(i).split(" ", -1)));
    }
  }

  @Test
  void addsNoSpecialTokens() {
    EftRun run = eft("tokenize", "--model", model("small-base"), "--text", "a", "--json");
    assertThat(run.ints("ids")).doesNotContain(0, 1).hasSize(1);
  }

  @Test
  void withoutATokenizer() {
    EftRun run = eft("tokenize", "--model", "src", "--text", "a");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).isEqualToIgnoringNewLines("eft: src has no tokenizer.json");
  }
}
