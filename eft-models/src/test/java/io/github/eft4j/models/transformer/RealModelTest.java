package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.models.format.GgufFile;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A trained model, which does not lie in the repository. */
class RealModelTest {
  private static final Path DIRECTORY = Path.of("../../shared/real/stories260K");
  private static final int BEGIN_OF_TEXT = 1;
  private static final int STEPS = 200;

  @BeforeAll
  static void needsTheFile() {
    assumeTrue(
        Files.exists(DIRECTORY),
        "skipped: the real models are not beside the checkout, in shared/");
  }

  static List<TensorOps> allOps() {
    return GoldenModels.OPS;
  }

  @ParameterizedTest
  @MethodSource("allOps")
  void greedyTextIsThatOfTheTrainedModel(TensorOps ops) throws IOException {
    Path path = DIRECTORY.resolve("stories260K.gguf");
    StringBuilder text = new StringBuilder();
    // The expected text goes on beyond the context of 128 that the file names.
    LoadOptions options = LoadOptions.defaults().withOps(ops).withContextLength(1 + STEPS);
    try (GgufFile file = GgufFile.open(path);
        LanguageModel model = LanguageModels.load(path, options);
        KeyValueCache cache = model.newCache()) {
      List<String> tokens = file.vocabulary().orElseThrow().tokens();
      int id = BEGIN_OF_TEXT;
      for (int i = 0; i < STEPS; i++) {
        id = GoldenModels.argMax(GoldenModels.last(model, cache, id));
        text.append(tokens.get(id).equals("<0x0A>") ? "\n" : tokens.get(id).replace('▁', ' '));
      }
    }
    String expected = Files.readString(DIRECTORY.resolve("stories260K.expected_stdout.txt"));
    assertThat(text.toString().strip()).isEqualTo(expected.strip());
  }
}
