package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizeCommandTest {
  @TempDir Path temp;

  private EftRun sample(String model) {
    EftRun run =
        eft(
            "sample",
            "--model",
            model,
            "--prompt",
            "What is the capital of Finland?",
            "--format",
            "chat",
            "--greedy",
            "--json");
    assertThat(run.err()).isEmpty();
    return run;
  }

  @Test
  void whatItWritesIsACompleteModel() throws IOException {
    Path exact = temp.resolve("exact.gguf");
    Path small = temp.resolve("small.gguf");
    EftRun run = eft("quantize", model("small-tuned"), exact.toString(), "--type", "BF16");
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out()).contains(exact.toString());
    assertThat(eft("quantize", model("small-tuned"), small.toString(), "--type", "Q8_0").status())
        .isZero();

    // The same weights: the same text. Half of them: still a model.
    assertThat(sample(exact.toString()).ints("ids"))
        .isEqualTo(sample(model("small-tuned")).ints("ids"));
    assertThat(Files.size(small)).isLessThan(Files.size(exact) * 7 / 10);
    assertThat(sample(small.toString()).ints("ids")).isNotEmpty();
  }

  @Test
  void saysWhatIsWrongInOneLine() {
    EftRun type = eft("quantize", model("small-tuned"), "x.gguf", "--type", "Q3_K");
    assertThat(type.status()).isEqualTo(2);
    assertThat(type.err())
        .contains("'Q3_K' is not one of: F32, F16, BF16, Q8_0, Q4_0")
        .hasLineCount(1);

    EftRun missing = eft("quantize", "/no/such", "x.gguf", "--type", "Q8_0");
    assertThat(missing.status()).isEqualTo(2);
    assertThat(missing.err()).isEqualToIgnoringNewLines("eft: /no/such is not a directory");

    EftRun file =
        eft(
            "quantize",
            model("small-tuned"),
            temp.resolve("no/such/x.gguf").toString(),
            "--type",
            "Q8_0");
    assertThat(file.status()).isEqualTo(2);
    assertThat(file.err()).hasLineCount(1).contains("no/such");
  }
}
