package io.github.eft4j.models;

import io.github.eft4j.tensor.TensorOps;
import java.util.OptionalInt;

/**
 * How to load a model.
 *
 * @param ops what computes the forward pass
 * @param progress hears how far the loading has come
 * @param contextLength the greatest number of positions of a sequence, or empty for the model's
 *     own; a greater one than that is allowed, though few models are of use there
 */
public record LoadOptions(TensorOps ops, LoadProgress progress, OptionalInt contextLength) {
  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if {@code contextLength} is not positive
   */
  public LoadOptions {
    if (contextLength.isPresent() && contextLength.getAsInt() <= 0) {
      throw new IllegalArgumentException(
          "context length is " + contextLength.getAsInt() + ", expected a positive number");
    }
  }

  /**
   * What {@link LanguageModels#load(java.nio.file.Path)} uses: the operations that are fastest
   * here, silence, and the model's own context length.
   *
   * @return the default options
   */
  public static LoadOptions defaults() {
    return new LoadOptions(TensorOps.standard(), (bytes, totalBytes) -> {}, OptionalInt.empty());
  }

  /**
   * The same options with other operations.
   *
   * @param ops what computes the forward pass
   * @return the new options
   */
  public LoadOptions withOps(TensorOps ops) {
    return new LoadOptions(ops, progress, contextLength);
  }

  /**
   * The same options with another listener.
   *
   * @param progress hears how far the loading has come
   * @return the new options
   */
  public LoadOptions withProgress(LoadProgress progress) {
    return new LoadOptions(ops, progress, contextLength);
  }

  /**
   * The same options with another context length.
   *
   * @param contextLength the greatest number of positions of a sequence
   * @return the new options
   * @throws IllegalArgumentException if {@code contextLength} is not positive
   */
  public LoadOptions withContextLength(int contextLength) {
    return new LoadOptions(ops, progress, OptionalInt.of(contextLength));
  }
}
