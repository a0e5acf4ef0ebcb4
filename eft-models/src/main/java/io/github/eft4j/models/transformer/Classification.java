package io.github.eft4j.models.transformer;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * What a classifier says of one input.
 *
 * @param logits the score of each label
 * @param probabilities the probability of each label: softmax of the scores
 */
public record Classification(List<Float> logits, List<Double> probabilities) {
  /** Copies the lists. */
  public Classification {
    logits = List.copyOf(logits);
    probabilities = List.copyOf(probabilities);
  }

  static Classification of(List<Float> logits) {
    double greatest = logits.stream().mapToDouble(Float::doubleValue).max().orElseThrow();
    double[] exponentials = logits.stream().mapToDouble(l -> Math.exp(l - greatest)).toArray();
    double sum = DoubleStream.of(exponentials).sum();
    return new Classification(
        logits, DoubleStream.of(exponentials).map(e -> e / sum).boxed().toList());
  }
}
