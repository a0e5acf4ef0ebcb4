package io.github.eft4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Native working memory that grows as needed and is freed when nothing refers to it any more. */
final class Scratch {
  /** A cache line, and the widest register. */
  private static final int ALIGNMENT = 64;

  private MemorySegment memory = MemorySegment.NULL;
  private float[] floats = new float[0];
  private int[] ints = new int[0];

  Scratch() {}

  /**
   * Makes room. What was in the memory may be lost, and addresses handed out before are void.
   *
   * @param bytes the size needed
   * @return the address of at least that many bytes
   */
  long reserve(long bytes) {
    if (memory.byteSize() < bytes) {
      memory = Arena.ofAuto().allocate(bytes, ALIGNMENT);
    }
    return memory.address();
  }

  /**
   * The same as an array on the heap, for sums, which kernels read and write alike.
   *
   * @param count the number of floats needed
   * @return an array of at least that many floats, of any content
   */
  float[] floats(int count) {
    if (floats.length < count) {
      floats = new float[count];
    }
    return floats;
  }

  /**
   * An array on the heap, for integers.
   *
   * @param count the number of ints needed
   * @return an array of at least that many ints, of any content
   */
  int[] ints(int count) {
    if (ints.length < count) {
      ints = new int[count];
    }
    return ints;
  }
}
