package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.tensor.NativeArrays;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/** The combination step against float64 references made from the same float32 logits. */
class GoldenCombinationTest {
  /** Both sides work in double precision; logits are below 20. */
  private static final double TOLERANCE = 1e-9;

  private static Map<String, double[]> read(String resource) throws IOException {
    byte[] bytes;
    try (InputStream in =
        Objects.requireNonNull(GoldenCombinationTest.class.getResourceAsStream(resource))) {
      bytes = in.readAllBytes();
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int header = Math.toIntExact(buffer.getLong());
    JsonNode json =
        new ObjectMapper().readTree(new String(bytes, 8, header, StandardCharsets.UTF_8));
    Map<String, double[]> tensors = new TreeMap<>();
    json.fields()
        .forEachRemaining(
            entry -> {
              JsonNode tensor = entry.getValue();
              if (!tensor.has("dtype")) {
                return;
              }
              int from = 8 + header + tensor.get("data_offsets").get(0).asInt();
              int to = 8 + header + tensor.get("data_offsets").get(1).asInt();
              boolean single = tensor.get("dtype").asText().equals("F32");
              double[] values = new double[(to - from) / (single ? 4 : 8)];
              Arrays.setAll(
                  values,
                  i ->
                      switch (tensor.get("dtype").asText()) {
                        case "F32" -> buffer.getFloat(from + 4 * i);
                        case "F64" -> buffer.getDouble(from + 8 * i);
                        default -> buffer.getLong(from + 8 * i);
                      });
              tensors.put(entry.getKey(), values);
            });
    return tensors;
  }

  @ParameterizedTest
  @ValueSource(strings = {"eft", "eft-falcon"})
  void everyBetaAndLambda(String set) throws IOException {
    Map<String, double[]> tensors = read("/golden/" + set + "/expected.safetensors");
    int checked = 0;
    for (String key : tensors.keySet()) {
      if (!key.endsWith(".logp")) {
        continue;
      }
      String prompt = key.substring(0, key.indexOf('.'));
      String setting = key.substring(prompt.length() + 1, key.length() - ".logp".length());
      double weight = Double.parseDouble(setting.substring(setting.indexOf('=') + 1));
      Map<String, double[]> logits = new TreeMap<>();
      LanguageModel[] models =
          List.of("large-base", "small-ft", "small-ft2", "small-base").stream()
              .map(
                  name -> {
                    double[] row =
                        Objects.requireNonNull(tensors.get(prompt + "." + name + ".logits"));
                    logits.put(name, row);
                    return FunctionModel.constant(name, new float[row.length]);
                  })
              .toArray(LanguageModel[]::new);
      LogitCombiner combiner =
          setting.startsWith("beta")
              ? LogitCombiner.upScale(models[0], models[1], models[3], weight)
              : LogitCombiner.interpolate(models[0], models[1], models[2], models[3], weight);
      double[] expected = Objects.requireNonNull(tensors.get(key));
      assertThat(logProbabilities(combiner, logits)).containsExactly(expected, within(TOLERANCE));
      checked++;
    }
    assertThat(checked).isGreaterThanOrEqualTo(14);
  }

  private static double[] logProbabilities(LogitCombiner combiner, Map<String, double[]> logits) {
    int vocabulary = logits.values().iterator().next().length;
    CombinerPlan plan = new CombinerPlan(combiner, Map.of(), vocabulary);
    INDArray[] rows =
        combiner.leaves().stream()
            .map(
                leaf -> {
                  double[] row = Objects.requireNonNull(logits.get(leaf.model().name()));
                  float[] floats = new float[row.length];
                  for (int i = 0; i < row.length; i++) {
                    floats[i] = (float) row[i];
                  }
                  return Nd4j.createFromArray(floats);
                })
            .toArray(INDArray[]::new);
    MemorySegment[] memory =
        Arrays.stream(rows).map(NativeArrays::floats).toArray(MemorySegment[]::new);
    double[] scores = new double[vocabulary];
    assertThat(plan.evaluate(memory, scores)).isNotNaN();
    double logZ = Distribution.logSumExp(scores);
    return Arrays.stream(scores).map(s -> s - logZ).toArray();
  }
}
