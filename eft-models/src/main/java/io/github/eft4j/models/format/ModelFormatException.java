package io.github.eft4j.models.format;

import org.jspecify.annotations.Nullable;

/**
 * A model's files are damaged, contradict each other, or describe what is not supported. The
 * message names the file, the key or tensor, what was found and what was expected.
 */
public final class ModelFormatException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message names the file, the key or tensor, what was found and what was expected
   */
  public ModelFormatException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a cause.
   *
   * @param message names the file, the key or tensor, what was found and what was expected
   * @param cause what made it known, or null
   */
  public ModelFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
