package io.github.eft4j.models.transformer;

import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.Linear;
import io.github.eft4j.tensor.Matrix;
import io.github.eft4j.tensor.TensorOps;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A checkpoint's weights, made ready for computing. They are freed together. */
final class Weights implements AutoCloseable {
  private final TensorSource tensors;
  private final TensorOps ops;
  private final Set<String> used = new HashSet<>();
  private final List<Matrix> matrices = new ArrayList<>();
  private final List<INDArray> vectors = new ArrayList<>();

  Weights(TensorSource tensors, TensorOps ops) {
    this.tensors = tensors;
    this.ops = ops;
  }

  Matrix matrix(String name, int rows, int columns) {
    used.add(name);
    Matrix matrix = ops.matrix(tensors.required(name, rows, columns));
    matrices.add(matrix);
    return matrix;
  }

  /** Embeddings, which are the output layer's weights too where those are tied. */
  Matrix embeddings(String name, ModelConfig config) {
    int rows = config.vocabularySize();
    int columns = config.hiddenSize();
    return config.tiedEmbeddings() ? matrix(name, rows, columns) : table(name, rows, columns);
  }

  /** A matrix whose rows are looked up. */
  Matrix table(String name, int rows, int columns) {
    used.add(name);
    Matrix matrix = ops.table(tensors.required(name, rows, columns));
    matrices.add(matrix);
    return matrix;
  }

  INDArray vector(String name, int size) {
    used.add(name);
    INDArray vector = ops.vector(tensors.required(name, size));
    vectors.add(vector);
    return vector;
  }

  Linear linear(String name, int out, int in, boolean bias) {
    @Nullable INDArray biases = bias ? vector(name + ".bias", out) : null;
    return new Linear(matrix(name + ".weight", out, in), biases);
  }

  /** The output layer, which has no weights of its own where embeddings are tied. */
  Linear output(ModelConfig config, Matrix embeddings) {
    return config.tiedEmbeddings()
        ? new Linear(embeddings, null)
        : linear("lm_head", config.vocabularySize(), config.hiddenSize(), false);
  }

  /**
   * Refuses a checkpoint with tensors that nothing has asked for: its configuration says too
   * little, and the output would be wrong.
   *
   * @param family the model family, for the message
   * @param redundant which tensors only repeat what the configuration or another tensor says, or
   *     serve another purpose
   */
  void refuseUnused(String family, Predicate<String> redundant) {
    for (TensorInfo tensor : tensors.tensors()) {
      if (!used.contains(tensor.name()) && !redundant.test(tensor.name())) {
        throw new ModelFormatException(
            "%s: tensor %s has no place in a %s model of this configuration"
                .formatted(tensors.fileOf(tensor.name()), tensor.name(), family));
      }
    }
  }

  /** Frees the memory, but leaves the checkpoint open. */
  void free() {
    matrices.forEach(Matrix::close);
    for (INDArray vector : vectors) {
      if (vector.closeable()) {
        vector.close();
      }
    }
  }

  @Override
  public void close() {
    free();
    tensors.close();
  }
}
