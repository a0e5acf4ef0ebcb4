package io.github.eft4j.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Looks at the memory of ND4J arrays in place. */
public final class NativeArrays {
  private NativeArrays() {}

  /**
   * The memory of a float32 array in c order whose numbers follow one another, in the host's
   * memory. The array may be a view of another one. Who writes to it calls {@link #changed}
   * afterwards.
   *
   * @param array the array; it must stay reachable while the memory is used
   * @return its numbers, four bytes each
   * @throws IllegalArgumentException if the array is not float32 or not contiguous in c order
   * @throws IllegalStateException if the array was closed
   */
  @SuppressWarnings("restricted") // the size given is the size that the array was allocated with
  public static MemorySegment floats(INDArray array) {
    if (array.wasClosed()) {
      throw new IllegalStateException("the array was closed");
    }
    if (array.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException("array of " + array.dataType() + ", expected FLOAT");
    }
    if (!isContiguous(array)) {
      throw new IllegalArgumentException(
          "array is not contiguous in c order: shape %s, strides %s"
              .formatted(Arrays.toString(array.shape()), Arrays.toString(array.stride())));
    }
    Nd4j.getAffinityManager().ensureLocation(array, Location.HOST);
    // A view's pointer() is that of the array it looks at; addressPointer(), which adds the offset,
    // allocates a Pointer at every call.
    long start = array.data().pointer().address() + Float.BYTES * array.offset();
    return MemorySegment.ofAddress(start).reinterpret(Float.BYTES * array.length());
  }

  /**
   * Whether an array's numbers follow one another in c order, as an array's own do and those of its
   * {@linkplain #rows rows}, but not those of a column.
   *
   * @param array the array
   * @return true if they do
   */
  public static boolean isContiguous(INDArray array) {
    long stride = 1;
    for (int d = array.rank() - 1; d >= 0; d--) {
      if (array.size(d) != 1) {
        if (array.stride(d) != stride) {
          return false;
        }
        stride *= array.size(d);
      }
    }
    return true;
  }

  /**
   * Some rows of an array, without a copy. Unlike {@link INDArray#get} it also works on views.
   *
   * @param array {@code [n, columns]}, c order
   * @param from the first row
   * @param to the row behind the last one
   * @return a view {@code [to - from, columns]}
   * @throws IndexOutOfBoundsException if the rows are not within the array
   */
  public static INDArray rows(INDArray array, int from, int to) {
    Objects.checkFromToIndex(from, to, array.size(0));
    return view(
        array,
        (long) from * array.stride(0),
        new long[] {to - from, array.size(1)},
        new long[] {array.stride(0), array.stride(1)});
  }

  /**
   * A view of an array's memory.
   *
   * @param array the array, possibly a view itself
   * @param offset the index of the view's first number, counted from the array's first one
   * @param shape the view's shape
   * @param stride the view's strides
   */
  static INDArray view(INDArray array, long offset, long[] shape, long[] stride) {
    DataBuffer data = array.data();
    DataBuffer whole = data.underlyingDataBuffer();
    return Nd4j.create(whole == null ? data : whole, shape, stride, array.offset() + offset, 'c');
  }

  /**
   * Tells ND4J that an array's {@linkplain #floats memory on the host} was written to, so that a
   * device fetches it again.
   *
   * @param array the array
   */
  public static void changed(INDArray array) {
    Nd4j.getAffinityManager().tagLocation(array, Location.HOST);
  }
}
