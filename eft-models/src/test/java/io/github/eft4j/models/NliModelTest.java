package io.github.eft4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.transformer.Classification;
import io.github.eft4j.models.transformer.EncoderInput;
import io.github.eft4j.models.transformer.SequenceClassifier;
import io.github.eft4j.reasoning.EntailmentModel.Pair;
import io.github.eft4j.reasoning.Judgement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NliModelTest {
  private static final Pair PAIR = new Pair("cats sleep", "animals sleep deeply");

  @TempDir private Path directory;

  @BeforeEach
  void copyRoberta() throws IOException {
    copy("roberta-mnli-like");
    Files.writeString(directory.resolve("tokenizer.json"), tokenizer(ROBERTA));
  }

  private void copy(String model) throws IOException {
    Files.createDirectories(directory);
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(
          GoldenTensors.directory(model).resolve(file),
          directory.resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  private static final String ROBERTA =
      """
      {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
       "trim_offsets": true, "add_prefix_space": false}
      """;

  private static final String BERT =
      """
      {"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]}
      """;

  /** Whole words; a text of one tokenizer per model family. */
  private static String tokenizer(String postProcessor) {
    return """
    {"version": "1.0", "truncation": null, "padding": null,
     "added_tokens": [
       {"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true},
       {"id": 2, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true}],
     "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
     "post_processor": %s, "decoder": null,
     "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab":
       {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "cats": 10, "animals": 20, "sleep": 30,
        "deeply": 40}}}
    """
        .formatted(postProcessor);
  }

  private static Classification classify(Path directory, List<Integer> ids, List<Integer> types) {
    try (SequenceClassifier classifier = SequenceClassifiers.load(directory)) {
      EncoderInput input = new EncoderInput(ids, Collections.nCopies(ids.size(), 1), types);
      return classifier.classify(List.of(input)).getFirst();
    }
  }

  @Test
  void robertaReadsPairsWithTwoSeparatorsAndOneType() {
    try (NliModel model = NliModel.load(directory)) {
      List<Integer> ids = List.of(0, 10, 30, 2, 2, 20, 30, 40, 2);
      assertThat(model.classify(List.of(PAIR)))
          .containsExactly(classify(directory, ids, Collections.nCopies(9, 0)));
    }
  }

  @Test
  void bertReadsPairsWithOneSeparatorAndTwoTypes() throws IOException {
    copy("bert-like");
    Files.writeString(directory.resolve("tokenizer.json"), tokenizer(BERT));
    try (NliModel model = NliModel.load(directory)) {
      List<Integer> ids = List.of(0, 10, 30, 2, 20, 30, 40, 2);
      List<Integer> types = List.of(0, 0, 0, 0, 1, 1, 1, 1);
      assertThat(model.classify(List.of(PAIR))).containsExactly(classify(directory, ids, types));
    }
  }

  @Test
  void judgementsGoByTheLabelsWhateverTheirOrder() throws IOException {
    List<Double> inOrder;
    try (NliModel model = NliModel.load(directory)) {
      inOrder = model.classify(List.of(PAIR)).getFirst().probabilities();
      assertThat(model.labels()).containsExactly("CONTRADICTION", "NEUTRAL", "ENTAILMENT");
      assertThat(model.judge(List.of(PAIR)))
          .containsExactly(new Judgement(inOrder.get(2), inOrder.get(1), inOrder.get(0)));
    }
    rename("{\"2\": \"neutral\", \"0\": \"entailment\", \"1\": \"contradiction\"}");
    try (NliModel model = NliModel.load(directory)) {
      assertThat(model.labels()).containsExactly("entailment", "contradiction", "neutral");
      assertThat(model.judge(List.of(PAIR)))
          .containsExactly(new Judgement(inOrder.get(0), inOrder.get(2), inOrder.get(1)));
    }
  }

  private void rename(String id2label) throws IOException {
    Path config = directory.resolve("config.json");
    String changed =
        Files.readString(config)
            .replaceFirst("\"id2label\": \\{[^}]*}", "\"id2label\": " + id2label);
    Files.writeString(config, changed);
  }

  @Test
  void otherLabelsAreRefused() throws IOException {
    rename("{\"0\": \"LABEL_0\", \"1\": \"LABEL_1\", \"2\": \"LABEL_2\"}");
    assertThatThrownBy(() -> NliModel.load(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(
            "%s: id2label names [LABEL_0, LABEL_1, LABEL_2], expected entailment, neutral and"
                + " contradiction in any order",
            directory.resolve("config.json"));
  }

  @Test
  void aModelWithoutATokenizerIsRefused() throws IOException {
    Files.delete(directory.resolve("tokenizer.json"));
    assertThatThrownBy(() -> NliModel.load(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage("%s does not exist", directory.resolve("tokenizer.json"));
  }

  @Test
  void pairsAreNeverTruncated() {
    String longText = String.join(" ", IntStream.range(0, 90).mapToObj(_ -> "cats").toList());
    try (NliModel model = NliModel.load(directory)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> model.judge(List.of(PAIR, new Pair(longText, "cats"))))
          .withMessage(
              "input 1 has 95 tokens, but model %s reads at most 80", directory.getFileName());
    }
  }

  @Test
  void isRefusedOnceClosed() {
    NliModel model = NliModel.load(directory);
    model.close();
    model.close();
    assertThatIllegalStateException().isThrownBy(() -> model.judge(List.of(PAIR)));
  }
}
