package io.github.eft4j.tensor;

import java.lang.foreign.MemorySegment;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Looks at the memory of ND4J arrays in place. */
public final class NativeArrays {
  private NativeArrays() {}

  /**
   * The memory of a float32 array in c order whose rows follow one another, in the host's memory.
   *
   * @param array the array; it must stay reachable while the memory is used
   * @return its numbers, four bytes each
   * @throws IllegalArgumentException if the array is not float32 or not contiguous in c order
   */
  public static MemorySegment floats(INDArray array) {
    if (array.dataType() != DataType.FLOAT) {
      throw new IllegalArgumentException("array of " + array.dataType() + ", expected FLOAT");
    }
    if (array.rank() > 1 && (array.ordering() != 'c' || array.ews() != 1 && array.length() > 1)) {
      throw new IllegalArgumentException(
          "array is not contiguous in c order: strides "
              + java.util.Arrays.toString(array.stride())
              + ", shape "
              + java.util.Arrays.toString(array.shape()));
    }
    Nd4j.getAffinityManager().ensureLocation(array, AffinityManager.Location.HOST);
    long offset = Float.BYTES * array.offset();
    return MemorySegment.ofAddress(array.data().addressPointer().address() + offset * 0)
        .reinterpret(Float.BYTES * array.length());
  }
}
