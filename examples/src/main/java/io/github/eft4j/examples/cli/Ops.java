package io.github.eft4j.examples.cli;

import io.github.eft4j.tensor.TensorOps;
import java.util.Locale;
import java.util.function.Supplier;

/** What can compute a forward pass. */
enum Ops {
  ND4J(TensorOps::nd4j);

  private final Supplier<TensorOps> supplier;

  Ops(Supplier<TensorOps> supplier) {
    this.supplier = supplier;
  }

  TensorOps get() {
    return supplier.get();
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
