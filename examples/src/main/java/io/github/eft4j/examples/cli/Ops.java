package io.github.eft4j.examples.cli;

import java.util.Locale;

/** What can compute a forward pass. */
enum Ops {
  JVM,
  ND4J;

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Reads it as users type it. */
  static final class Converter extends WordConverter<Ops> {
    Converter() {
      super(Ops.class);
    }
  }
}
