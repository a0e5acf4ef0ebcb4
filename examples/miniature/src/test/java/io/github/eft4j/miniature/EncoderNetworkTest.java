package io.github.eft4j.miniature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.models.NliModel;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import io.github.eft4j.models.transformer.Classification;
import io.github.eft4j.reasoning.EntailmentModel.Pair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderNetworkTest {
  /** Both sum in float32, in another order. */
  private static final float ROUNDING = 5e-5f;

  private static final EncoderNetwork NETWORK =
      new EncoderNetwork(32, 2, 4, 48, 40, List.of("NEUTRAL", "ENTAILMENT", "CONTRADICTION"));

  private static final List<Pair> PAIRS =
      List.of(
          new Pair("The capital of Peru is Lima.", "Lima is the capital of Peru."),
          new Pair("It rains.", "Chemists write iron as Fe."),
          new Pair("What is the capital of Chad?", "The capital of Chad is Lima."));

  @TempDir Path directory;

  /** The library's own forward pass is an independent reference, padding included. */
  @Test
  void learnsAndIsSavedAsTheLibraryRunsIt() throws IOException {
    Path shared = directory.resolve("tokenizer");
    ModelFiles.writeTokenizer(
        shared,
        BytePairEncoding.learn(
            Stream.generate(new Corpus(Facts.all().entities(), 1)).limit(300).toList(),
            List.of(Vocabulary.BEGINNING, Vocabulary.END),
            Vocabulary.SIZE));
    Path saved = directory.resolve("nli");
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.read(shared).orElseThrow()) {
      List<Batch.Classified> classified =
          IntStream.range(0, PAIRS.size())
              .mapToObj(i -> classified(tokenizer, PAIRS.get(i), i))
              .toList();
      Batch batch = Batch.classes(classified);
      float first = 0;
      float last = 0;
      try (Trainer trainer = new Trainer(NETWORK, NETWORK.initial(1), 0.01)) {
        for (int step = 0; step < 60; step++) {
          last = trainer.step(batch, 3e-3);
          first = step == 0 ? last : first;
        }
        ModelFiles.writeForPairs(saved, NETWORK, trainer.weights(), shared);
      }
      assertThat(first).isBetween(0.5f, 3f);
      assertThat(last).isLessThan(first / 5);
      try (Trainer trainer = new Trainer(NETWORK, ModelFiles.read(saved, NETWORK), 0);
          NliModel model = NliModel.load(saved)) {
        assertThat(model.labels()).isEqualTo(NETWORK.labels());
        List<Classification> together = model.classify(PAIRS);
        for (int i = 0; i < PAIRS.size(); i++) {
          float[] expected = trainer.logits(ids(classified.get(i)))[0];
          for (int label = 0; label < expected.length; label++) {
            assertThat(together.get(i).logits().get(label))
                .isCloseTo(expected[label], within(ROUNDING));
          }
          assertThat(together.get(i).probabilities().get(i)).isGreaterThan(0.5);
        }
      }
    }
  }

  private static Batch.Classified classified(
      HuggingFaceTokenizer tokenizer, Pair pair, int target) {
    return new Batch.Classified(
        Miniature.ids(tokenizer, Vocabulary.BEGINNING + pair.premise() + Vocabulary.END),
        Miniature.ids(tokenizer, pair.hypothesis() + Vocabulary.END),
        target);
  }

  private static int[] ids(Batch.Classified pair) {
    return Stream.concat(pair.first().stream(), pair.second().stream())
        .mapToInt(Integer::intValue)
        .toArray();
  }

  @Test
  void theClassIsTaughtAtTheFirstTokenAndInTheSecondText() {
    Batch batch =
        Batch.classes(
            List.of(
                new Batch.Classified(List.of(0, 5, 1), List.of(6, 1), 2),
                new Batch.Classified(List.of(0, 7, 8, 1), List.of(9, 10, 1), 0)));
    assertThat(batch.length()).isEqualTo(7);
    assertThat(batch.ids()).containsExactly(0, 5, 1, 6, 1, 1, 1, 0, 7, 8, 1, 9, 10, 1);
    assertThat(batch.taught()).containsExactly(0, 3, 4, 7, 11, 12, 13);
    assertThat(batch.targets()).containsExactly(2, 2, 2, 0, 0, 0, 0);
  }

  @Test
  void keysBeginEqualToQueries() {
    float[] weights = NETWORK.initial(1);
    int size = 32 * 32;
    int query = offset("bert.encoder.layer.1.attention.self.query.weight");
    int key = offset("bert.encoder.layer.1.attention.self.key.weight");
    for (int i = 0; i < size; i++) {
      assertThat(weights[key + i]).isEqualTo(weights[query + i]);
    }
    assertThat(weights[key]).isNotZero();
  }

  private static int offset(String name) {
    return NETWORK.parameters().stream()
        .takeWhile(parameter -> !parameter.name().equals(name))
        .mapToInt(Parameter::size)
        .sum();
  }
}
