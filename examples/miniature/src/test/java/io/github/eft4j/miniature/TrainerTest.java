package io.github.eft4j.miniature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TrainerTest {
  /** Both sum in float32, in another order. */
  private static final float ROUNDING = 5e-5f;

  @TempDir Path directory;

  static List<Network> networks() {
    return List.of(new LlamaNetwork(32, 2, 4, 2, 16, 48), new FalconNetwork(32, 2, 4, 64));
  }

  private static List<String> documents() {
    return Stream.generate(new Corpus(Facts.all().entities(), 1)).limit(300).toList();
  }

  /** The library's own forward pass is an independent reference. */
  @ParameterizedTest
  @MethodSource("networks")
  void learnsAndIsSavedAsTheLibraryRunsIt(Network network) throws IOException {
    Path shared = directory.resolve("tokenizer");
    ModelFiles.writeTokenizer(
        shared,
        BytePairEncoding.learn(
            documents(), List.of(Vocabulary.BEGINNING, Vocabulary.END), Vocabulary.SIZE));
    float first = 0;
    float last = 0;
    float[] trained;
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.read(shared).orElseThrow();
        Trainer trainer = new Trainer(network, Trainer.initial(network, 1), 0.05)) {
      TokenStream text = new TokenStream(new Corpus(Facts.all().entities(), 1), tokenizer, 32);
      for (int step = 0; step < 40; step++) {
        last = trainer.step(text.batch(4), 5e-3);
        first = step == 0 ? last : first;
      }
      trained = trainer.weights();
    }
    assertThat(first).isCloseTo((float) Math.log(Vocabulary.SIZE), within(0.2f));
    assertThat(last).isLessThan(first - 1);

    Path saved = directory.resolve("model");
    ModelFiles.write(saved, network, trained, shared);
    float[] rounded = ModelFiles.read(saved, network);
    for (int i = 0; i < trained.length; i++) {
      assertThat(rounded[i]).isCloseTo(trained[i], within(Math.abs(trained[i]) / 256));
    }
    int[] ids = new Random(2).ints(50, 0, Vocabulary.SIZE).toArray();
    try (Trainer trainer = new Trainer(network, rounded, 0);
        LanguageModel model = LanguageModels.load(saved);
        KeyValueCache cache = model.newCache();
        INDArray logits = Nd4j.create(ids.length, Vocabulary.SIZE)) {
      float[][] expected = trainer.logits(ids);
      model.forward(ForwardBatch.all(cache, ids), logits);
      for (int row = 0; row < ids.length; row++) {
        float[] ours = logits.getRow(row).toFloatVector();
        assertThat(ours).containsExactly(expected[row], within(ROUNDING));
      }
      assertThat(model.contextLength()).isEqualTo(Vocabulary.CONTEXT_LENGTH);
      assertThat(model.endOfTextIds()).containsExactly(Vocabulary.END_ID);
    }
  }

  @Test
  void theSeedDecidesAll() {
    Network network = networks().getFirst();
    float[] once = trainOnNoise(network, 3);
    assertThat(trainOnNoise(network, 3)).containsExactly(once);
    assertThat(trainOnNoise(network, 4)).isNotEqualTo(once);
  }

  private static float[] trainOnNoise(Network network, long seed) {
    Random random = new Random(seed);
    try (Trainer trainer = new Trainer(network, Trainer.initial(network, seed), 0.05)) {
      for (int step = 0; step < 3; step++) {
        List<Integer> ids = random.ints(20, 0, Vocabulary.SIZE).boxed().toList();
        trainer.step(Batch.of(List.of(new Batch.Example(List.of(), ids))), 1e-3);
      }
      return trainer.weights();
    }
  }

  @Test
  void onlyAnswersAreTaught() {
    Batch batch =
        Batch.of(
            List.of(
                new Batch.Example(List.of(5, 6, 7), List.of(8, 1)),
                new Batch.Example(List.of(9), List.of(10, 11, 12, 1))));
    assertThat(batch.rows()).isEqualTo(2);
    assertThat(batch.length()).isEqualTo(4);
    assertThat(batch.ids()).containsExactly(5, 6, 7, 8, 9, 10, 11, 12);
    assertThat(batch.taught()).containsExactly(2, 3, 4, 5, 6, 7);
    assertThat(batch.targets()).containsExactly(8, 1, 10, 11, 12, 1);

    Batch padded =
        Batch.of(
            List.of(
                new Batch.Example(List.of(5), List.of(6)),
                new Batch.Example(List.of(), List.of(7, 8, 9))));
    assertThat(padded.ids()).containsExactly(5, Vocabulary.END_ID, 7, 8);
    assertThat(padded.taught()).containsExactly(0, 2, 3);
    assertThat(padded.targets()).containsExactly(6, 8, 9);
  }

  @Test
  void roundsToTheNearestAndThenToTheEven() {
    assertThat(
            IntStream.of(0x3f800000, 0x3f808000, 0x3f818000, 0x3f808001, 0x3f807fff)
                .mapToObj(bits -> ModelFiles.bf16(Float.intBitsToFloat(bits)))
                .toList())
        .containsExactly(
            (short) 0x3f80, (short) 0x3f80, (short) 0x3f82, (short) 0x3f81, (short) 0x3f80);
  }
}
