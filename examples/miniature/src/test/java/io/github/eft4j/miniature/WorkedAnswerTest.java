package io.github.eft4j.miniature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Split;
import io.github.eft4j.examples.reasoning.Way;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkedAnswerTest {
  @TempDir Path directory;

  @Test
  void factsAreNotTaught() throws IOException {
    ModelFiles.writeTokenizer(
        directory,
        BytePairEncoding.learn(
            Stream.generate(new Corpus(Facts.all().entities(), 1)).limit(300).toList(),
            List.of(Vocabulary.BEGINNING, Vocabulary.END),
            Vocabulary.SIZE));
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.read(directory).orElseThrow()) {
      for (MultiHop hop : MultiHop.of(Split.TUNING)) {
        for (Way way : Way.values()) {
          Batch.Example example = WorkedAnswer.example(way, hop, tokenizer);
          int[] all = example.answer().stream().mapToInt(Integer::intValue).toArray();
          assertThat(tokenizer.decode(all, false)).isEqualTo(way.solution(hop) + Vocabulary.END);
          assertThat(all)
              .as("as the whole text is split")
              .isEqualTo(tokenizer.encode(way.solution(hop) + Vocabulary.END, false));
          String taught = text(tokenizer, example, true);
          assertThat(taught)
              .endsWith("\nSo the answer is." + Vocabulary.END)
              .doesNotContain(" " + hop.known().entity());
          assertThat(text(tokenizer, example, false))
              .startsWith(" ")
              .endsWith(" " + hop.sought().value());
        }
      }
    }
  }

  private static String text(
      HuggingFaceTokenizer tokenizer, Batch.Example example, boolean taught) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < example.answer().size(); i++) {
      if (example.taught().get(i) == taught) {
        text.append(tokenizer.decode(new int[] {example.answer().get(i)}, false));
      }
    }
    return text.toString();
  }

  /** The loss over what is kept is the cross-entropy with the model before training. */
  @Test
  void whatIsNotTaughtIsKept() {
    Network network = new LlamaNetwork(32, 1, 2, 2, 16, 32);
    Batch batch =
        Batch.of(
            List.of(new Batch.Example(List.of(5), List.of(8, 9, 10), List.of(true, false, false))));
    assertThat(batch.taught()).containsExactly(0);
    assertThat(batch.kept()).containsExactly(1, 2);
    try (Trainer trainer = new Trainer(network, Trainer.initial(network, 1), 0)) {
      double[][] before =
          Stream.of(trainer.logits(5, 8, 9)).map(r -> softmax(r)).toArray(double[][]::new);
      double entropies = entropy(before[1], before[1]) + entropy(before[2], before[2]);
      double expected = (-Math.log(before[0][8]) + entropies) / 3;
      assertThat((double) trainer.step(batch, 1e-2)).isCloseTo(expected, within(1e-4));
      for (int step = 0; step < 60; step++) {
        trainer.step(batch, 1e-2);
      }
      double[][] after =
          Stream.of(trainer.logits(5, 8, 9)).map(r -> softmax(r)).toArray(double[][]::new);
      assertThat(after[0][8]).isGreaterThan(0.8).isGreaterThan(10 * before[0][8]);
      for (int kept = 1; kept < 3; kept++) {
        double divergence =
            entropy(before[kept], after[kept]) - entropy(before[kept], before[kept]);
        assertThat(divergence).isBetween(-1e-6, 0.1);
      }
    }
  }

  private static double[] softmax(float[] logits) {
    double[] exp = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      exp[i] = Math.exp(logits[i]);
      sum += exp[i];
    }
    for (int i = 0; i < exp.length; i++) {
      exp[i] /= sum;
    }
    return exp;
  }

  private static double entropy(double[] of, double[] under) {
    double sum = 0;
    for (int i = 0; i < of.length; i++) {
      sum -= of[i] * Math.log(under[i]);
    }
    return sum;
  }
}
