package io.github.eft4j.examples.cli;

import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/**
 * Notices an interrupt from the keyboard (Ctrl-C), which then does not end the process. A second
 * one ends it, as does one after {@link #close}.
 */
final class KeyboardInterrupt implements AutoCloseable {
  private static final String SIGNAL = "INT";

  private final @Nullable Object previous;
  private volatile boolean requested;

  private KeyboardInterrupt() {
    previous = Signals.register(SIGNAL, this::interrupted);
  }

  static KeyboardInterrupt watch() {
    return new KeyboardInterrupt();
  }

  private void interrupted() {
    requested = true;
    close();
  }

  boolean requested() {
    return requested;
  }

  @Override
  public void close() {
    Signals.unregister(SIGNAL, previous);
  }
}
