package io.github.eft4j;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A combination of next-token distributions that no linear expression can say. */
@FunctionalInterface
public interface LogitFunction {
  /**
   * Combines distributions.
   *
   * @param logProbabilities one array for each input: natural-log probabilities, normalised,
   *     float64 {@code [vocab]}; the function may overwrite them
   * @return log-probabilities up to a common constant, {@code [vocab]}; negative infinity forbids a
   *     token
   */
  INDArray apply(List<INDArray> logProbabilities);
}
