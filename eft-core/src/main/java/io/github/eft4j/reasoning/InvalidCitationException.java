package io.github.eft4j.reasoning;

/** A step cites a step that does not exist, or that does not come before it. */
public final class InvalidCitationException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message names both steps
   */
  public InvalidCitationException(String message) {
    super(message);
  }
}
