package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.models.SequenceClassifiers;
import io.github.eft4j.models.transformer.Classification;
import io.github.eft4j.models.transformer.EncoderInput;
import io.github.eft4j.models.transformer.SequenceClassifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClassifyCommandTest {
  @TempDir private Path directory;
  private String model = "";

  @BeforeEach
  void makeModel() throws IOException {
    model = TinyNli.in(directory);
  }

  @Test
  void classifiesSeveralInputsAsOneBatch() {
    EftRun run =
        eft(
            "classify",
            "--model",
            model,
            "--ids",
            "0,5,6,2",
            "--attention-mask",
            "1,1,0,1",
            "--type-ids",
            "0,0,0,0",
            "--ids",
            "0,7,2",
            "--ids",
            "0,8,2",
            "--type-ids",
            "0,0,0",
            "--json");
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("labels").valueStream().map(JsonNode::asText))
        .containsExactly("CONTRADICTION", "NEUTRAL", "ENTAILMENT");
    List<Classification> expected;
    try (SequenceClassifier classifier = SequenceClassifiers.load(directory)) {
      expected =
          classifier.classify(
              List.of(
                  new EncoderInput(List.of(0, 5, 6, 2), List.of(1, 1, 0, 1), List.of(0, 0, 0, 0)),
                  EncoderInput.of(0, 7, 2),
                  EncoderInput.of(0, 8, 2)));
    }
    assertThat(json.get("rows")).hasSize(3);
    for (int i = 0; i < 3; i++) {
      JsonNode row = json.get("rows").get(i);
      assertThat(row.get("logits").valueStream().map(n -> Float.valueOf(n.asText())))
          .isEqualTo(expected.get(i).logits());
      assertThat(row.get("probabilities").valueStream().map(JsonNode::asDouble))
          .isEqualTo(expected.get(i).probabilities());
    }
  }

  @Test
  void classifiesPairsOfTexts() {
    EftRun texts =
        eft(
            "classify",
            "--model",
            model,
            "--premise",
            "cats sleep",
            "--hypothesis",
            "cats",
            "--premise",
            "sleep",
            "--hypothesis",
            "cats",
            "--json");
    EftRun ids =
        eft(
            "classify",
            "--model",
            model,
            "--ids",
            "0,10,20,2,2,10,2",
            "--ids",
            "0,20,2,2,10,2",
            "--json");
    assertThat(texts.status()).isZero();
    assertThat(texts.out()).isEqualTo(ids.out());
  }

  @Test
  void printsALineForEachInput() {
    EftRun run = eft("classify", "--model", model, "--ids", "0,5,2", "--ids", "0,6,2");
    assertThat(run.out())
        .matches("(CONTRADICTION 0\\.\\d{4}  NEUTRAL 0\\.\\d{4}  ENTAILMENT 0\\.\\d{4}\\R){2}");
    double sum = 0;
    for (String word : run.out().lines().findFirst().orElseThrow().split("\\s+", -1)) {
      sum += word.matches("0\\..*") ? Double.parseDouble(word) : 0;
    }
    assertThat(sum).isCloseTo(1, within(2e-4)); // four digits each
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "classify --model M|Missing required argument (specify one of these)",
        "classify --model M --ids 0,x|'0,x' is not a list of integers between commas",
        "classify --model M --ids 0,320|token id 320 (token 1 of input 0)",
        "classify --model M --ids 0,5 --attention-mask 1|attention mask has 1 entries for 2 token"
            + " ids",
        "classify --model M --ids 0,5 --type-ids 0,1|token type 1 (token 1 of input 0)",
        "classify --model M --attention-mask 1|Missing required argument(s): --ids=ID,...",
        "classify --model M --premise a|Missing required argument(s): --hypothesis=TEXT",
        "classify --model models/small-base --ids 0|model_type is \"llama\", expected bert or"
            + " roberta",
        "classify --model missing --ids 0|missing/config.json does not exist"
      })
  void saysWhatIsWrongInOneLine(String command, String message) {
    EftRun run = eft(command.replace("M ", model + " ").replaceAll("M$", model).split(" ", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("eft: ").contains(message).hasLineCount(1);
  }
}
