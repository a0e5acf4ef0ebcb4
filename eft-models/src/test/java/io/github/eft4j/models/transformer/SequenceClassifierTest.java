package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.config.EncoderConfig;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.Safetensors;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the encoders against what Hugging Face's own code computes. */
@ParameterizedClass(name = "{0} on {1}")
@MethodSource("modelsAndOps")
class SequenceClassifierTest {
  /**
   * The reference itself differs by 2e-6 between float32 and float64; the least error in a formula
   * (tanh instead of erf in GELU) shows up as 2e-4 or more.
   */
  private static final double TOLERANCE = 5e-5;

  private static final int CASES = 6;

  static Stream<Arguments> modelsAndOps() {
    return GoldenModels.OPS.stream()
        .flatMap(
            ops ->
                Stream.of("roberta-mnli-like", "bert-like")
                    .map(name -> Arguments.of(name, Named.of(ops.name(), ops))));
  }

  private final String name;
  private final TensorOps ops;
  private final GoldenTensors golden;
  private final SequenceClassifier model;

  SequenceClassifierTest(String name, TensorOps ops) {
    this.name = name;
    this.ops = ops;
    golden = GoldenTensors.read(GoldenTensors.directory(name).resolve("golden.safetensors"));
    model = load(name, ops);
  }

  private static SequenceClassifier load(String name, TensorOps ops) {
    Path directory = GoldenTensors.directory(name);
    try {
      EncoderConfig config = HuggingFaceDirectory.readEncoder(directory);
      return Transformers.load(config, Safetensors.open(directory), ops, name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterEach
  void close() {
    model.close();
  }

  /** The cases are single texts, pairs, padding on either side, and hidden tokens in the middle. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void classifiesAsTheReferenceDoes(int index) {
    List<Classification> results = model.classify(inputs(index));
    float[][] expected = golden.rows("case" + index + ".logits");
    assertThat(results).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertClose(results.get(i), expected[i]);
    }
  }

  @Test
  void whatElseIsInTheBatchChangesNothing() {
    List<EncoderInput> all = new ArrayList<>();
    List<float[]> expected = new ArrayList<>();
    // Enough that they go through the layers in several chunks.
    for (int copy = 0; copy < 12; copy++) {
      for (int c = 0; c < CASES; c++) {
        all.addAll(inputs(c));
        expected.addAll(List.of(golden.rows("case" + c + ".logits")));
      }
    }
    List<Classification> results = model.classify(all);
    assertThat(results).hasSameSizeAs(expected);
    for (int i = 0; i < expected.size(); i++) {
      assertClose(results.get(i), expected.get(i));
    }
  }

  @Test
  void onTheJvmKernelsNotABitDependsOnTheBatch() {
    assumeTrue(ops.name().equals("jvm"), "ND4J's products depend on the number of rows");
    List<EncoderInput> all = new ArrayList<>();
    List<Classification> alone = new ArrayList<>();
    for (int c = 0; c < CASES; c++) {
      for (EncoderInput input : inputs(c)) {
        all.add(input);
        alone.addAll(model.classify(List.of(input)));
      }
    }
    assertThat(model.classify(all)).isEqualTo(alone);
  }

  @Test
  void paddingChangesNothing() {
    EncoderInput bare = inputs(1).getFirst();
    int padding = 7;
    EncoderInput padded =
        new EncoderInput(
            padded(bare.ids(), padding, name.startsWith("roberta") ? 1 : 0),
            padded(bare.attentionMask(), padding, 0),
            padded(bare.typeIds(), padding, 0));
    assertThat(model.classify(List.of(padded))).isEqualTo(model.classify(List.of(bare)));
  }

  private static List<Integer> padded(List<Integer> list, int count, int value) {
    List<Integer> longer = new ArrayList<>(list);
    longer.addAll(Collections.nCopies(count, value));
    return longer;
  }

  @Test
  void probabilitiesAreTheSoftmaxOfTheLogits() {
    Classification result = model.classify(inputs(2)).getFirst();
    double sum = result.logits().stream().mapToDouble(Math::exp).sum();
    for (int i = 0; i < 3; i++) {
      assertThat(result.probabilities().get(i))
          .isCloseTo(Math.exp(result.logits().get(i)) / sum, within(1e-12));
    }
  }

  @Test
  void manyThreadsGetWhatOneGets() throws Exception {
    List<List<Classification>> alone = new ArrayList<>();
    List<Callable<List<Classification>>> calls = new ArrayList<>();
    for (int c = 0; c < CASES; c++) {
      List<EncoderInput> inputs = inputs(c);
      alone.add(model.classify(inputs));
      calls.add(() -> model.classify(inputs));
    }
    try (var threads = Executors.newFixedThreadPool(CASES)) {
      List<Future<List<Classification>>> results = threads.invokeAll(calls);
      for (int c = 0; c < CASES; c++) {
        assertThat(results.get(c).get()).isEqualTo(alone.get(c));
      }
    }
  }

  @Test
  void knowsItsLabelsAndLimits() {
    assertThat(model.labels()).containsExactly("CONTRADICTION", "NEUTRAL", "ENTAILMENT");
    // 82 positions, of which the first two are before and at the padding id 1.
    assertThat(model.maxTokens()).isEqualTo(name.startsWith("roberta") ? 80 : 64);
    assertThat(model.classify(List.of())).isEmpty();
  }

  @Test
  void takesAsManyTokensAsItHasPositionsAndNoMore() {
    int[] longest = new int[model.maxTokens()];
    Arrays.fill(longest, 5);
    assertThat(model.classify(List.of(EncoderInput.of(longest)))).hasSize(1);
    int[] longer = Arrays.copyOf(longest, longest.length + 1);
    longer[longest.length] = 5;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> model.classify(List.of(EncoderInput.of(7), EncoderInput.of(longer))))
        .withMessage(
            "input 1 has %d tokens, but model %s reads at most %d",
            longer.length, name, model.maxTokens());
  }

  @Test
  void refusesWhatTheModelDoesNotHave() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> model.classify(List.of(EncoderInput.of(5, 320))))
        .withMessage(
            "token id 320 (token 1 of input 0) is outside those of model %s, which has 320", name);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> model.classify(List.of(new EncoderInput(List.of(5), List.of(1), List.of(2)))))
        .withMessage(
            "token type 2 (token 0 of input 0) is outside those of model %s, which has %d",
            name, name.startsWith("roberta") ? 1 : 2);
  }

  @Test
  void isRefusedOnceClosed() {
    model.close();
    model.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> model.classify(inputs(0)))
        .withMessage("model " + name + " was closed");
  }

  @Test
  void aConfigurationThatTheWeightsContradictIsRefused() throws IOException {
    EncoderConfig config = HuggingFaceDirectory.readEncoder(GoldenTensors.directory(name));
    EncoderConfig fewerLayers =
        new EncoderConfig(
            config.family(),
            config.hiddenSize(),
            1,
            config.heads(),
            config.feedForwardSize(),
            config.vocabularySize(),
            config.positions(),
            config.tokenTypes(),
            config.normEpsilon(),
            config.padId(),
            config.labels());
    try (TensorSource tensors = Safetensors.open(GoldenTensors.directory(name))) {
      assertThatThrownBy(() -> Transformers.load(fewerLayers, tensors, TensorOps.nd4j(), name))
          .isInstanceOf(ModelFormatException.class)
          .hasMessageContaining("encoder.layer.1.attention.output.LayerNorm.bias has no place");
    }
  }

  private List<EncoderInput> inputs(int index) {
    String prefix = "case" + index + ".";
    int rows = golden.rows(prefix + "logits").length;
    List<Integer> ids = list(golden.ints(prefix + "input_ids"));
    List<Integer> mask = list(golden.ints(prefix + "attention_mask"));
    List<Integer> types =
        name.startsWith("bert")
            ? list(golden.ints(prefix + "token_type_ids"))
            : Collections.nCopies(ids.size(), 0);
    int columns = ids.size() / rows;
    List<EncoderInput> inputs = new ArrayList<>();
    for (int from = 0; from < ids.size(); from += columns) {
      inputs.add(
          new EncoderInput(
              ids.subList(from, from + columns),
              mask.subList(from, from + columns),
              types.subList(from, from + columns)));
    }
    return inputs;
  }

  private static List<Integer> list(int[] numbers) {
    return Arrays.stream(numbers).boxed().toList();
  }

  private static void assertClose(Classification actual, float[] expected) {
    assertThat(actual.logits()).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual.logits().get(i)).isCloseTo(expected[i], within(TOLERANCE));
    }
  }
}
