package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.tensor.Dequantize;
import io.github.eft4j.tensor.Quantize;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizerTest {
  @TempDir Path directory;

  private Path quantize(String golden, WeightType type) throws IOException {
    Path file = directory.resolve(golden + ".gguf");
    Quantizer.quantize(GoldenTensors.directory(golden), file, type, (_, _) -> {});
    return file;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_0"})
  void weightsReadBackAreThoseQuantisedInMemory(WeightType type) throws IOException {
    try (TensorSource source = Safetensors.open(GoldenTensors.directory("llama-gqa"));
        GgufFile file = GgufFile.open(quantize("llama-gqa", type))) {
      // 8 heads of size 8: pairs (i, i + 4) of a head become (2i, 2i + 1).
      int[] order = {0, 4, 1, 5, 2, 6, 3, 7};
      assertRows(
          file.tensor("blk.1.attn_q.weight"),
          source.get("model.layers.1.self_attn.q_proj.weight"),
          type,
          row -> row / 8 * 8 + order[row % 8]);
      assertRows(
          file.tensor("blk.1.attn_v.weight"),
          source.get("model.layers.1.self_attn.v_proj.weight"),
          type,
          row -> row);
      assertRows(
          file.tensor("token_embd.weight"),
          source.get("model.embed_tokens.weight"),
          type,
          row -> row);
      assertRows(
          file.tensor("output_norm.weight"),
          source.get("model.norm.weight"),
          WeightType.F32,
          row -> row);
    }
  }

  @Test
  void falconsQueriesKeysAndValuesAreTakenApart() throws IOException {
    try (TensorSource source = Safetensors.open(GoldenTensors.directory("falcon-40b-like"));
        GgufFile file = GgufFile.open(quantize("falcon-40b-like", WeightType.F32))) {
      // 8 query heads of size 8 and 2 key/value heads: each group is 4 queries, a key, a value.
      int[] heads = {0, 1, 2, 3, 6, 7, 8, 9, 4, 10, 5, 11};
      assertRows(
          file.tensor("blk.0.attn_qkv.weight"),
          source.get("transformer.h.0.self_attention.query_key_value.weight"),
          WeightType.F32,
          row -> 8 * heads[row / 8] + row % 8);
    }
  }

  private static void assertRows(
      StoredTensor written, StoredTensor source, WeightType type, IntUnaryOperator sourceRow) {
    assertThat(written.type()).isEqualTo(type);
    assertThat(written.rows()).isEqualTo(source.rows());
    float[] row = new float[source.columns()];
    byte[] bytes = new byte[(int) type.bytes(row.length)];
    for (int r = 0; r < source.rows(); r++) {
      Dequantize.row(source, sourceRow.applyAsInt(r), row);
      Quantize.fromFloats(type, row, MemorySegment.ofArray(bytes));
      assertThat(
              written
                  .data()
                  .asSlice((long) r * bytes.length, bytes.length)
                  .toArray(ValueLayout.JAVA_BYTE))
          .as("row %d of %s", r, written.name())
          .isEqualTo(bytes);
    }
  }

  @Test
  void aMatrixOfPartsOfBlocksKeepsItsType() throws IOException {
    // The feed-forward size of this model is 172.
    try (GgufFile file = GgufFile.open(quantize("llama-f16", WeightType.Q8_0))) {
      assertThat(file.tensor("blk.0.ffn_down.weight").type()).isEqualTo(WeightType.F16);
      assertThat(file.tensor("blk.0.ffn_up.weight").type()).isEqualTo(WeightType.Q8_0);
    }
  }

  @Test
  void metadataSayWhatTheConfigurationSays() throws IOException {
    try (GgufFile file = GgufFile.open(quantize("llama-headdim", WeightType.Q4_0))) {
      GgufMetadata metadata = file.metadata();
      assertThat(metadata.string("general.name")).contains("llama-headdim");
      assertThat(metadata.integer("general.file_type")).hasValue(2);
      assertThat(metadata.integer("llama.attention.key_length")).hasValue(24);
      assertThat(file.config().headSize()).isEqualTo(24);
      assertThat(file.vocabulary()).isEmpty();
      assertThat(file.generation().endOfTextIds()).containsExactly(2);
      assertThat(file.generation().beginningOfTextId()).hasValue(1);
    }
  }

  @Test
  void theTokenizerAndChatTemplateGoAlong() throws IOException {
    Path model = copy("llama-mha");
    Files.writeString(
        model.resolve("tokenizer.json"),
        """
        {"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},
         "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}
        """);
    Files.writeString(model.resolve("tokenizer_config.json"), "{\"chat_template\":\"{{ old }}\"}");
    Path file = directory.resolve("model.gguf");
    Quantizer.quantize(model, file, WeightType.Q8_0, (_, _) -> {});
    try (GgufFile written = GgufFile.open(file)) {
      assertThat(written.vocabulary().orElseThrow().tokens())
          .hasSize(320)
          .startsWith("a", "b", "ab");
      assertThat(written.chatTemplate()).contains("{{ old }}");
    }
    Files.writeString(
        model.resolve("tokenizer_config.json"),
        """
        {"chat_template":[{"name":"tool_use","template":"{{ tools }}"},
                          {"name":"default","template":"{{ first }}"}]}
        """);
    Quantizer.quantize(model, file, WeightType.Q8_0, (_, _) -> {});
    try (GgufFile written = GgufFile.open(file)) {
      assertThat(written.chatTemplate()).contains("{{ first }}");
    }
    Files.writeString(model.resolve("chat_template.jinja"), "{{ new }}");
    Quantizer.quantize(model, file, WeightType.Q8_0, (_, _) -> {});
    try (GgufFile written = GgufFile.open(file)) {
      assertThat(written.chatTemplate()).contains("{{ new }}");
    }
  }

  private Path copy(String golden) throws IOException {
    Path model = Files.createDirectory(directory.resolve("copy"));
    for (String name : List.of("config.json", "generation_config.json", "model.safetensors")) {
      Files.copy(GoldenTensors.directory(golden).resolve(name), model.resolve(name));
    }
    return model;
  }

  @Test
  void progressIsReported() throws IOException {
    List<String> progress = new ArrayList<>();
    Quantizer.quantize(
        GoldenTensors.directory("llama-tied"),
        directory.resolve("model.gguf"),
        WeightType.F16,
        (written, total) -> progress.add(written + "/" + total));
    // 9 tensors for each of 2 layers, embeddings and the final norm.
    assertThat(progress).hasSize(20).startsWith("1/20").endsWith("20/20");
  }

  @Test
  void whatGgufFilesCannotExpressIsRefused() {
    assertThatThrownBy(() -> quantize("llama-rope-dynamic", WeightType.F32))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(
            GoldenTensors.directory("llama-rope-dynamic")
                + ": rotary scaling of type dynamic has no form in GGUF files; supported: default,"
                + " linear, llama3, yarn");
    assertThatThrownBy(() -> quantize("falcon-rw-like", WeightType.F32))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("ALiBi");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aWeightOutOfRangeIsRefusedAndLeavesNoFile() {
    // Its embeddings hold the greatest bfloat16 numbers.
    assertThatThrownBy(() -> quantize("llama-bf16", WeightType.Q8_0))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("model.safetensors: tensor model.embed_tokens.weight: ")
        .hasMessageEndingWith("out of range for Q8_0");
    assertThat(directory).isEmptyDirectory();
  }

  @ParameterizedTest
  @EnumSource(names = {"Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"})
  void otherTypesAreRefused(WeightType type) {
    assertThatThrownBy(() -> quantize("llama-gqa", type))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("supported: F32, F16, BF16, Q8_0, Q4_0");
  }
}
