package io.github.eft4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class SpeculationComparisonTest {
  @AfterAll
  static void deleteModels() throws IOException {
    for (int weights = 1; weights <= 3; weights++) {
      RandomModel model = new RandomModel(ModelShape.named("1M"), WeightType.Q8_0, weights);
      Files.delete(model.file(RandomModel.directory()));
    }
  }

  @Test
  void comparesEachWayWithTheFirst() throws Exception {
    List<String> lines =
        SpeculationComparison.compare(
            List.of(
                "models=1M:Q8_0/1M:Q8_0",
                "acceptance=0.5",
                "newTokens=12",
                "speculation=off,2,adaptive",
                "seconds=0"));

    assertThat(lines).hasSize(3);
    assertThat(lines.get(0))
        .matches("off: .* 1\\.000 times as many as off .* mean block 0\\.00, acceptance 0\\.000");
    assertThat(lines.get(1)).matches("2: .* times as many as off .*; mean block [12]\\..*");
    assertThat(lines.get(2)).startsWith("adaptive: ");
  }

  @Test
  void refusesUnknownParameters() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SpeculationComparison.compare(List.of("block=3")))
        .withMessageStartingWith("block=3 is no parameter, expected one of models,");
  }
}
