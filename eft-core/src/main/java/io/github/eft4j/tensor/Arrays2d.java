package io.github.eft4j.tensor;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Looks at float32 arrays {@code [rows, columns]} or {@code [columns]}, without allocating. */
final class Arrays2d {
  private Arrays2d() {}

  static int rows(INDArray array) {
    return array.rank() == 1 ? 1 : (int) array.size(0);
  }

  static int columns(INDArray array) {
    return (int) array.size(array.rank() - 1);
  }

  /** The address of an array's first number. */
  static long address(INDArray array) {
    return array.data().address() + Float.BYTES * array.offset();
  }

  /**
   * The address of an array's first number, after a look at what kernels rely on: an array of
   * another shape would make them write elsewhere.
   *
   * @param name what the array is, for the message
   * @param array the array
   * @param rows the number of rows expected
   * @param columns the number of columns expected
   * @return the address
   * @throws IllegalArgumentException if the array has another shape or type, or is not contiguous
   */
  static long address(String name, INDArray array, int rows, int columns) {
    check(name, array);
    if (rows(array) != rows || columns(array) != columns) {
      throw new IllegalArgumentException(
          "%s: array of shape %s, expected [%d, %d]"
              .formatted(name, Arrays.toString(array.shape()), rows, columns));
    }
    return address(array);
  }

  /**
   * Checks that an array is one of float32 rows that follow one another.
   *
   * @param name what the array is, for the message
   * @param array the array
   * @throws IllegalArgumentException if it is not
   */
  static void check(String name, INDArray array) {
    int rank = array.rank();
    if (array.dataType() != DataType.FLOAT
        || rank < 1
        || rank > 2
        || (array.stride(rank - 1) != 1 && columns(array) > 1)
        || (rank == 2 && array.stride(0) != columns(array) && rows(array) > 1)) {
      throw new IllegalArgumentException(
          "%s: array of %s, shape %s, strides %s, expected contiguous rows of FLOAT"
              .formatted(
                  name,
                  array.dataType(),
                  Arrays.toString(array.shape()),
                  Arrays.toString(array.stride())));
    }
  }
}
