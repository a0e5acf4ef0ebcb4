package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.config.EncoderConfig;
import io.github.eft4j.models.config.EncoderConfig.Family;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EncoderConfigReaderTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final List<String> LABELS = List.of("CONTRADICTION", "NEUTRAL", "ENTAILMENT");

  @TempDir private Path directory;

  private EncoderConfig read(ObjectNode json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json.toString());
    return HuggingFaceDirectory.readEncoder(directory);
  }

  private static ObjectNode golden(String model) throws IOException {
    return (ObjectNode)
        MAPPER.readTree(Files.readString(GoldenTensors.directory(model).resolve("config.json")));
  }

  @Test
  void readsBothFamilies() throws IOException {
    assertThat(read(golden("roberta-mnli-like")))
        .isEqualTo(new EncoderConfig(Family.ROBERTA, 64, 2, 4, 128, 320, 82, 1, 1e-5f, 1, LABELS));
    assertThat(read(golden("bert-like")))
        .isEqualTo(new EncoderConfig(Family.BERT, 64, 2, 4, 128, 320, 64, 2, 1e-12f, 0, LABELS));
  }

  @Test
  void missingKeysHaveTheirDocumentedValues() throws IOException {
    String labels = "\"id2label\": {\"1\": \"b\", \"0\": \"a\"}";
    assertThat(read((ObjectNode) MAPPER.readTree("{\"model_type\": \"bert\", " + labels + "}")))
        .isEqualTo(
            new EncoderConfig(
                Family.BERT, 768, 12, 12, 3072, 30522, 512, 2, 1e-12f, 0, List.of("a", "b")));
    EncoderConfig roberta =
        read((ObjectNode) MAPPER.readTree("{\"model_type\": \"roberta\", " + labels + "}"));
    assertThat(roberta.vocabularySize()).isEqualTo(50265);
    assertThat(roberta.padId()).isEqualTo(1);
    assertThat(roberta.firstPosition()).isEqualTo(2);
    assertThat(roberta.maxTokens()).isEqualTo(510);
  }

  @Test
  void labelsGoByTheirIds() throws IOException {
    ObjectNode json = golden("bert-like");
    json.putObject("id2label").put("2", "x").put("0", "y").put("1", "z");
    assertThat(read(json).labels()).containsExactly("y", "z", "x");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model_type|\"llama\"|model_type is \"llama\", expected bert or roberta for a sequence"
            + " classifier",
        "architectures|[\"BertForMaskedLM\"]|architectures is [\"BertForMaskedLM\"], expected only"
            + " BertForSequenceClassification",
        "hidden_act|\"gelu_new\"|hidden_act is \"gelu_new\", expected one of gelu",
        "position_embedding_type|\"relative_key\"|position_embedding_type is \"relative_key\","
            + " expected one of absolute",
        "problem_type|\"regression\"|problem_type is \"regression\", expected one of"
            + " single_label_classification",
        "is_decoder|true|is_decoder is true, expected false: a classifier reads its text in both"
            + " directions",
        "dtype|\"int8\"|dtype is \"int8\", expected one of float32",
        "num_attention_heads|5|hidden size 64 is not a multiple of the number of attention heads 5",
        "pad_token_id|320|padding id 320 is outside the vocabulary of 320 ids",
        "id2label|{\"0\": \"a\", \"2\": \"b\"}|expected labels for the ids 0 to 1",
        "id2label|{\"0\": \"a\", \"1\": \"a\"}|labels are [a, a], expected two or more different"
            + " ones",
        "id2label|{\"0\": \"a\"}|labels are [a], expected two or more different ones",
        "id2label|{\"0\": 1, \"1\": \"b\"}|id2label.0 is 1, expected a string",
        "id2label|null|id2label is null, expected an object"
      })
  void refusesWhatIsNotSupported(String key, String value, String message) throws IOException {
    ObjectNode json = golden("bert-like");
    json.set(key, MAPPER.readTree(value));
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(directory.resolve("config.json").toString())
        .hasMessageContaining(message);
  }

  @Test
  void robertaNeedsAPositionBehindThePadding() throws IOException {
    ObjectNode json = golden("roberta-mnli-like").put("max_position_embeddings", 2);
    assertThatThrownBy(() -> read(json))
        .hasMessageContaining("2 positions leave none behind the padding id 1");
  }
}
