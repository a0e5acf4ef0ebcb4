package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StudyCommandTest {
  private static final Pattern IMAGE = Pattern.compile("!\\[[^]]*]\\(([^)]*)\\)");

  @TempDir Path temp;

  @Test
  void writesAReportWithItsCharts() throws IOException {
    EftRun run =
        eft(
            ("study --models models --split validation --questions 2 --speed-questions 1 --seed 7"
                    + " --max-new-tokens 12 --family llama --also models --out "
                    + temp)
                .split(" ", -1));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out()).endsWith("The report is " + temp.resolve("README.md") + ".\n");

    String report = Files.readString(temp.resolve("README.md"));
    assertThat(report)
        .contains("command: `eft study --models models", "questions: 2", "## Llama")
        .containsPattern("\\| \\*\\*up-scaled\\*\\* \\| \\.?[0-9.]+ \\(")
        .contains("### Reward interpolation", "### Speculation", "## Trained again")
        .containsPattern("\\| the models above \\| .*\n\\| models \\| [01]?\\.[0-9]{3} \\|")
        .doesNotContain("**no**", "**.", "**1.");
    List<String> charts =
        IMAGE.matcher(report).results().map((MatchResult match) -> match.group(1)).toList();
    assertThat(charts).hasSize(5);
    for (String chart : charts) {
      BufferedImage image = ImageIO.read(temp.resolve(chart).toFile());
      assertThat(image.getWidth()).isGreaterThan(800);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--models missing|missing/large-base does not exist",
        "--models models --family falcon2|'falcon2' is not one of: llama, falcon",
        "--models models --split tuning|'tuning' is not one of: validation, test",
        "--models models --also missing|--also missing holds none of the models of --models models",
        "--models models --questions 0|--questions is 0, expected at least 1"
      })
  void saysWhatIsWrongInOneLine(String options, String message) {
    EftRun run = eft(("study --out " + temp + " " + options).split(" ", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).hasLineCount(1).contains(message);
  }
}
