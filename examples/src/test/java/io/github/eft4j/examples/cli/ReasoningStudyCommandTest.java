package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReasoningStudyCommandTest {
  @TempDir Path temp;

  @Test
  void writesAReportWithItsChart() throws IOException {
    EftRun run =
        eft(
            ("study-reasoning --models models --split validation --questions 2 --seed 7 --out "
                    + temp)
                .split(" ", -1));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out()).endsWith("The report is " + temp.resolve("reasoning.md") + ".\n");
    String report = Files.readString(temp.resolve("reasoning.md"));
    assertThat(report)
        .contains("command: `eft study-reasoning --models models", "questions: 2")
        .contains("| small reasoner | chain of thought |", "| large base | self-consistency |")
        .containsPattern(
            "\\| \\*\\*up-scaled\\*\\* \\| CoT-decoding \\| [0-9.]+ \\(.*\\) \\| 10\\.0 \\|")
        .containsPattern(
            "\\| \\*\\*up-scaled\\*\\* \\| Theorem-of-Thought \\| [0-9.]+ \\(.*\\) \\| 3\\.0 \\|")
        .contains("| unseen pairs, known entities |", "| any of them |")
        .doesNotContain("NaN");
    assertThat(ImageIO.read(temp.resolve("reasoning.png").toFile()).getWidth()).isGreaterThan(800);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--models missing|missing/nli/config.json does not exist",
        "--models models --split tuning|'tuning' is not one of: validation, test",
        "--models models --questions 0|--questions is 0, expected at least 1"
      })
  void saysWhatIsWrongInOneLine(String options, String message) {
    EftRun run = eft(("study-reasoning --out " + temp + " " + options).split(" ", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).hasLineCount(1).contains(message);
  }
}
