package io.github.eft4j.models;

import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.tokenizer.EncodedPair;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import io.github.eft4j.models.transformer.Classification;
import io.github.eft4j.models.transformer.EncoderInput;
import io.github.eft4j.models.transformer.SequenceClassifier;
import io.github.eft4j.reasoning.EntailmentModel;
import io.github.eft4j.reasoning.Judgement;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A classifier for natural-language inference, such as {@code roberta-large-mnli}: judges whether a
 * premise implies a hypothesis. Which of its labels means what is read from its configuration.
 *
 * <p>Immutable and safe for use by many threads at once. Closing frees the weights.
 */
public final class NliModel implements EntailmentModel, AutoCloseable {
  private final SequenceClassifier classifier;
  private final HuggingFaceTokenizer tokenizer;
  private final int entailment;
  private final int neutral;
  private final int contradiction;

  private NliModel(Path path, SequenceClassifier classifier, HuggingFaceTokenizer tokenizer) {
    this.classifier = classifier;
    this.tokenizer = tokenizer;
    this.entailment = index(path, classifier, Judgement.Label.ENTAILMENT);
    this.neutral = index(path, classifier, Judgement.Label.NEUTRAL);
    this.contradiction = index(path, classifier, Judgement.Label.CONTRADICTION);
    if (classifier.labels().size() > Judgement.Label.values().length) {
      throw wrongLabels(path, classifier);
    }
  }

  private static int index(Path path, SequenceClassifier classifier, Judgement.Label label) {
    return IntStream.range(0, classifier.labels().size())
        .filter(i -> classifier.labels().get(i).equalsIgnoreCase(label.name()))
        .findFirst()
        .orElseThrow(() -> wrongLabels(path, classifier));
  }

  private static ModelFormatException wrongLabels(Path path, SequenceClassifier classifier) {
    return new ModelFormatException(
        "%s: id2label names %s, expected entailment, neutral and contradiction in any order"
            .formatted(path.resolve("config.json"), classifier.labels()));
  }

  /**
   * Loads a model that computes with {@link TensorOps#standard()}.
   *
   * @param path a Hugging Face directory with {@code config.json}, {@code tokenizer.json} and
   *     {@code model.safetensors} or shards with an index
   * @return the model, to be closed by the caller
   * @throws ModelFormatException if a file is missing or damaged, files contradict each other, they
   *     describe what is not supported, or the labels are not those of natural-language inference
   * @throws UncheckedIOException if a file cannot be read
   */
  public static NliModel load(Path path) {
    return load(path, TensorOps.standard());
  }

  /**
   * Loads a model.
   *
   * @param path as for {@link #load(Path)}
   * @param ops what computes the forward pass
   * @return the model, to be closed by the caller
   * @throws ModelFormatException as for {@link #load(Path)}
   * @throws UncheckedIOException if a file cannot be read
   */
  public static NliModel load(Path path, TensorOps ops) {
    SequenceClassifier classifier = SequenceClassifiers.load(path, ops);
    try {
      HuggingFaceTokenizer tokenizer =
          HuggingFaceTokenizer.read(path)
              .orElseThrow(
                  () ->
                      new ModelFormatException(path.resolve("tokenizer.json") + " does not exist"));
      try {
        return new NliModel(path, classifier, tokenizer);
      } catch (RuntimeException | Error e) {
        tokenizer.close();
        throw e;
      }
    } catch (IOException e) {
      classifier.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      classifier.close();
      throw e;
    }
  }

  /**
   * Judges pairs of texts, in one batch.
   *
   * @param pairs the pairs, possibly none
   * @return a judgement for each pair, in the same order
   * @throws IllegalArgumentException if a pair has more tokens than the model can read
   * @throws IllegalStateException if the model was closed
   */
  @Override
  public List<Judgement> judge(List<Pair> pairs) {
    return classify(pairs).stream()
        .map(Classification::probabilities)
        .map(p -> new Judgement(p.get(entailment), p.get(neutral), p.get(contradiction)))
        .toList();
  }

  /**
   * Classifies pairs of texts, in one batch.
   *
   * @param pairs the pairs, possibly none
   * @return the logits and probabilities of each pair, in the order of {@link #labels()}
   * @throws IllegalArgumentException as for {@link #judge}
   * @throws IllegalStateException if the model was closed
   */
  public List<Classification> classify(List<Pair> pairs) {
    return classifier.classify(pairs.stream().map(this::encode).toList());
  }

  private EncoderInput encode(Pair pair) {
    EncodedPair encoded = tokenizer.encodePair(pair.premise(), pair.hypothesis());
    int length = encoded.ids().size();
    return new EncoderInput(
        encoded.ids(),
        Collections.nCopies(length, 1),
        // RoBERTa has one type, whatever its tokenizer says.
        classifier.tokenTypes() == 1 ? Collections.nCopies(length, 0) : encoded.typeIds());
  }

  /**
   * The names of the classes, as the model's configuration spells them.
   *
   * @return the labels, in the order of the logits
   */
  public List<String> labels() {
    return classifier.labels();
  }

  @Override
  public void close() {
    classifier.close();
    tokenizer.close();
  }

  @Override
  public String toString() {
    return classifier.toString();
  }
}
