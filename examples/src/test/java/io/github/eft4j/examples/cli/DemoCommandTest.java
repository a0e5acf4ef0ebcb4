package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DemoCommandTest {
  @Test
  void upScalingAnswersAsTheTunedModelDoesWithWhatTheLargeOneKnows() {
    EftRun run = eft("demo", "--models", "models");
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    String[] parts = run.out().split("\n\n", -1);
    assertThat(parts).hasSize(4);
    assertThat(parts[0]).isEqualTo("Who is the author of Frankenstein?");
    assertThat(parts[1])
        .startsWith("small, fine-tuned")
        .doesNotContain("Mary Shelley")
        .endsWith("another question!");
    assertThat(parts[2]).startsWith("large, not tuned").doesNotContain("another question!");
    assertThat(parts[3])
        .startsWith("large, up-scaled")
        .contains("Mary Shelley")
        .endsWith("another question!\n");
    assertThat(run.out().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThan(80));
  }

  @Test
  void takesTheUsersQuestion() {
    EftRun run = eft("demo", "--models", "models", "--max-new-tokens", "4", "Who wrote Hamlet?");
    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith("Who wrote Hamlet?\n");
  }
}
