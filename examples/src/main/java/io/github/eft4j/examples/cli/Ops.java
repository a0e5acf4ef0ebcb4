package io.github.eft4j.examples.cli;

import io.github.eft4j.tensor.TensorOps;
import java.util.Locale;

/** What can compute a forward pass. */
enum Ops {
  ND4J;

  TensorOps get() {
    return switch (this) {
      case ND4J -> TensorOps.nd4j();
    };
  }

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
