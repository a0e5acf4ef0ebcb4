package io.github.eft4j.models.format;

import io.github.eft4j.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;

/**
 * The tensors of a checkpoint, memory-mapped: nothing is read before it is used. Tensors go by the
 * names that Hugging Face checkpoints give them, whatever the file format.
 *
 * <p>Safe for use by many threads at once. Closing unmaps the files; tensors must not be used
 * afterwards.
 */
public interface TensorSource extends AutoCloseable {
  /**
   * All tensors, also those of types that are not supported.
   *
   * @return the tensors, ordered by name
   */
  Collection<TensorInfo> tensors();

  /**
   * Whether there is a tensor of a name.
   *
   * @param name the tensor's name
   * @return true if there is one, whatever its type and shape
   */
  boolean contains(String name);

  /**
   * The file that a tensor lies in, for messages.
   *
   * @param name the tensor's name
   * @return the file; for a tensor that does not exist, the file that should name it
   */
  Path fileOf(String name);

  /**
   * A tensor, without a copy. A vector is a matrix of one row.
   *
   * @param name the tensor's name
   * @return the tensor
   * @throws ModelFormatException if there is no such tensor, its type is not supported, or it has
   *     neither one nor two dimensions
   */
  StoredTensor get(String name);

  /**
   * A matrix that the model cannot do without.
   *
   * @param name the tensor's name
   * @param rows the number of rows that it must have
   * @param columns the number of columns that it must have
   * @return the tensor {@code [rows, columns]}
   * @throws ModelFormatException as {@link #get}, or if the tensor has another shape
   */
  default StoredTensor required(String name, int rows, int columns) {
    StoredTensor tensor = get(name);
    if (tensor.rows() != rows || tensor.columns() != columns) {
      throw wrongShape(name, tensor, "[" + rows + ", " + columns + "]");
    }
    return tensor;
  }

  /**
   * A vector that the model cannot do without.
   *
   * @param name the tensor's name
   * @param size the number of weights that it must have
   * @return the tensor {@code [1, size]}
   * @throws ModelFormatException as {@link #get}, or if the tensor has another shape
   */
  default StoredTensor required(String name, int size) {
    StoredTensor tensor = get(name);
    if (tensor.rows() != 1 || tensor.columns() != size) {
      throw wrongShape(name, tensor, "[" + size + "]");
    }
    return tensor;
  }

  /**
   * A matrix that the model uses if it is there.
   *
   * @param name the tensor's name
   * @param rows the number of rows that it must have
   * @param columns the number of columns that it must have
   * @return the tensor {@code [rows, columns]}, or empty
   * @throws ModelFormatException as {@link #required(String, int, int)}, but not if there is none
   */
  default Optional<StoredTensor> optional(String name, int rows, int columns) {
    return contains(name) ? Optional.of(required(name, rows, columns)) : Optional.empty();
  }

  private ModelFormatException wrongShape(String name, StoredTensor tensor, String needed) {
    String rows = tensor.rows() == 1 ? "" : tensor.rows() + ", ";
    return new ModelFormatException(
        "%s: tensor %s has shape [%s%d], but the configuration needs %s"
            .formatted(fileOf(name), name, rows, tensor.columns(), needed));
  }

  /** Unmaps the files. Closing twice has no effect. */
  @Override
  void close();
}
