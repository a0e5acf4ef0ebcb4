package io.github.eft4j.models.transformer;

import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The memory for the activations of one forward pass at a time. Arrays are allocated once and seen
 * through views of as many rows as a pass has; views are kept too, as making one takes longer than
 * a small operation.
 *
 * @param <A> what a model family keeps for each row
 */
final class Workspace<A> implements AutoCloseable {
  private final int capacity;
  private final Rows rows;
  private final List<INDArray> arrays = new ArrayList<>();
  private final Function<IntFunction<INDArray>, A> layout;
  private final Map<Integer, A> views = new HashMap<>();

  /**
   * Allocates the arrays.
   *
   * @param capacity the greatest number of rows of a pass
   * @param layout makes the activations from a function that gives an array of as many columns as
   *     asked; it is called again for each number of rows and must ask for the same arrays each
   *     time
   */
  Workspace(TensorOps ops, int capacity, Function<IntFunction<INDArray>, A> layout) {
    this.capacity = capacity;
    this.layout = layout;
    rows = new Rows(capacity);
    A whole =
        layout.apply(
            columns -> {
              INDArray array = ops.allocate(capacity, columns);
              arrays.add(array);
              return array;
            });
    views.put(capacity, whole);
  }

  int capacity() {
    return capacity;
  }

  Rows rows() {
    return rows;
  }

  /** The activations for a number of rows. */
  A activations(int count) {
    A view = views.get(count);
    if (view == null) {
      Iterator<INDArray> next = arrays.iterator();
      view = layout.apply(columns -> NativeArrays.rows(next.next(), 0, count));
      views.put(count, view);
    }
    return view;
  }

  @Override
  public void close() {
    arrays.forEach(INDArray::close);
  }
}
