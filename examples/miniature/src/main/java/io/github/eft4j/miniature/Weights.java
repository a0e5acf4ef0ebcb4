package io.github.eft4j.miniature;

import ai.djl.ndarray.NDArray;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The weights of a network by name, cut from one vector. */
final class Weights {
  private final Map<String, NDArray> arrays = new HashMap<>();

  /**
   * Cuts weights from a vector.
   *
   * @param parameters the weights that lie in it one after another
   * @param parts the cut vector, one part for each of them
   */
  Weights(List<Parameter> parameters, List<NDArray> parts) {
    for (int i = 0; i < parameters.size(); i++) {
      arrays.put(parameters.get(i).name(), parts.get(i).reshape(parameters.get(i).shape()));
    }
  }

  NDArray get(String name) {
    @Nullable NDArray array = arrays.get(name);
    if (array == null) {
      throw new IllegalArgumentException("the network has no weight " + name);
    }
    return array;
  }
}
