package io.github.eft4j.models;

import io.github.eft4j.models.config.EncoderConfig;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.Safetensors;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.models.transformer.SequenceClassifier;
import io.github.eft4j.models.transformer.Transformers;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Loads BERT and RoBERTa sequence classifiers from files. */
public final class SequenceClassifiers {
  private SequenceClassifiers() {}

  /**
   * Loads a classifier that computes with {@link TensorOps#standard()}.
   *
   * @param path a Hugging Face directory with {@code config.json} and {@code model.safetensors} or
   *     shards with an index
   * @return the classifier, to be closed by the caller
   * @throws ModelFormatException if a file is missing or damaged, files contradict each other, or
   *     they describe what is not supported
   * @throws UncheckedIOException if a file cannot be read
   */
  public static SequenceClassifier load(Path path) {
    return load(path, TensorOps.standard());
  }

  /**
   * Loads a classifier.
   *
   * @param path as for {@link #load(Path)}
   * @param ops what computes the forward pass
   * @return the classifier, to be closed by the caller
   * @throws ModelFormatException as for {@link #load(Path)}
   * @throws UncheckedIOException if a file cannot be read
   */
  public static SequenceClassifier load(Path path, TensorOps ops) {
    try {
      EncoderConfig config = HuggingFaceDirectory.readEncoder(path);
      TensorSource tensors = Safetensors.open(path);
      try {
        return Transformers.load(config, tensors, ops, Checkpoint.name(path));
      } catch (RuntimeException | Error e) {
        tensors.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
