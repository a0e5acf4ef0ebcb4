package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.tensor.TensorOps;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class LogitsCommandTest {
  private static final int[] IDS = {5, 6, 7};

  @ParameterizedTest
  @ValueSource(strings = {"jvm", "nd4j"})
  void printsEveryBitOfTheLogits(String name) {
    TensorOps ops = name.equals("jvm") ? TensorOps.jvm() : TensorOps.nd4j();
    EftRun run = eft("logits", "--model", model("small-base"), "--ids", "5,6,7", "--ops", name);
    EftRun last =
        eft("logits", "--model", model("small-base"), "--ids", "5,6,7", "--last", "--ops", name);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("vocab").asInt()).isEqualTo(1024);
    assertThat(json.get("rows")).hasSize(IDS.length);
    assertThat(last.json().get("rows")).hasSize(1);

    try (LanguageModel model =
            LanguageModels.load(Path.of(model("small-base")), LoadOptions.defaults().withOps(ops));
        KeyValueCache cache = model.newCache();
        INDArray logits = ops.allocate(IDS.length, model.vocabularySize())) {
      model.forward(ForwardBatch.all(cache, IDS), logits);
      for (int row = 0; row < IDS.length; row++) {
        assertThat(floats(json.get("rows").get(row))).isEqualTo(logits.getRow(row).toFloatVector());
      }
    }
    if (name.equals("jvm")) { // ND4J's products depend on the number of rows
      assertThat(last.json().get("rows").get(0)).isEqualTo(json.get("rows").get(IDS.length - 1));
    }
  }

  private static float[] floats(JsonNode row) {
    float[] values = new float[row.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.parseFloat(row.get(i).asText());
    }
    return values;
  }
}
