package io.github.eft4j.miniature;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Map;

/** The shape of a model: what its weights are, and what it computes with them. */
interface Network {
  /** The weights, in the order in which they lie in a checkpoint. */
  List<Parameter> parameters();

  /**
   * Runs the network.
   *
   * @param weights the weights
   * @param ids token ids, int64 {@code [batch, length]}
   * @return logits {@code [batch · length, vocabulary]}
   */
  NDArray logits(Weights weights, NDArray ids);

  /** What {@code config.json} says. */
  Map<String, Object> config();

  /** The number of weights. */
  default int size() {
    return parameters().stream().mapToInt(Parameter::size).sum();
  }
}
