package io.github.eft4j.models.remote;

/** A model that is served elsewhere could not be reached, failed, or answered what it must not. */
public final class RemoteModelException extends IllegalStateException {
  private static final long serialVersionUID = 1;

  RemoteModelException(String message) {
    super(message);
  }

  RemoteModelException(String message, Throwable cause) {
    super(message, cause);
  }
}
