package io.github.eft4j.examples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.format.Quantizer;
import io.github.eft4j.tensor.WeightType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the small programs on the models that come with the examples. */
class ExamplesTest {
  private static final String QUESTION = "What is the capital of Finland?";
  private static LanguageModel large;
  private static LanguageModel tuned;
  private static LanguageModel terse;
  private static LanguageModel base;

  @BeforeAll
  static void loadModels() {
    large = LanguageModels.load(Path.of("models/large-base"));
    tuned = LanguageModels.load(Path.of("models/small-tuned"));
    terse = LanguageModels.load(Path.of("models/small-terse"));
    base = LanguageModels.load(Path.of("models/small-base"));
  }

  @AfterAll
  static void closeModels() {
    List.of(large, tuned, terse, base).forEach(LanguageModel::close);
  }

  private interface Program {
    void main(String[] args) throws IOException;
  }

  private static List<String> run(Program program, String... args) throws IOException {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream standard = System.out;
    System.setOut(new PrintStream(printed, true, UTF_8));
    try {
      program.main(args);
    } finally {
      System.setOut(standard);
    }
    return printed.toString(UTF_8).lines().toList();
  }

  private static String upScaled(LanguageModel large, LanguageModel tuned) {
    LogitCombiner combiner = LogitCombiner.upScale(large, tuned, base);
    return answer(EftSampler.builder(combiner.prompted(PromptFormat.chatTemplate())).greedy());
  }

  private static String answer(EftSampler.Builder sampler) {
    return sampler.build().sample(QUESTION).text().strip();
  }

  @Test
  void customCombiner() throws IOException {
    List<String> lines = run(CustomCombiner::main, "models", QUESTION);
    assertThat(lines).hasSize(1);
    assertThat(lines.getFirst()).contains("Helsinki");
  }

  @Test
  void rewardInterpolation() throws IOException {
    List<String> lines = run(RewardInterpolation::main, "models", QUESTION);
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).isEqualTo("0.0: " + upScaled(large, terse));
    assertThat(lines.get(1)).startsWith("0.5: ");
    assertThat(lines.get(2))
        .isEqualTo("1.0: " + upScaled(large, tuned))
        .isNotEqualTo(lines.get(0).replace("0.0", "1.0"));
  }

  @Test
  void batchFromFile(@TempDir Path directory) throws IOException {
    List<String> questions = List.of("Who wrote Hamlet?", QUESTION, "What is gold?");
    Path file = Files.write(directory.resolve("questions"), questions);
    LogitCombiner combiner =
        LogitCombiner.upScale(large, tuned, base).prompted(PromptFormat.chatTemplate());
    assertThat(run(BatchFromFile::main, "models", file.toString()))
        .hasSize(3)
        .contains(QUESTION + " " + answer(EftSampler.builder(combiner).temperature(0.7).seed(42)));
  }

  @Test
  void ownModels(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("large.gguf");
    Quantizer.quantize(Path.of("models/large-base"), file, WeightType.Q8_0, (written, total) -> {});
    List<String> lines =
        run(OwnModels::main, file.toString(), "models/small-tuned", "models/small-base", QUESTION);
    assertThat(lines).hasSize(4);
    assertThat(lines.get(0)).startsWith("large").contains("(gguf): weights 1.9 MB, cache 3.1 MB");
    assertThat(lines.get(1)).startsWith("small-tuned (safetensors): weights 0.3 MB");
    assertThat(lines.get(2)).startsWith("small-base (safetensors)");
    try (LanguageModel quantized = LanguageModels.load(file)) {
      assertThat(lines.get(3).strip()).isEqualTo(upScaled(quantized, tuned));
    }
  }
}
