package io.github.eft4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Native memory by address, for kernels: one constant segment keeps the compiler's view simple. */
final class Memory {
  /** All of native memory. */
  @SuppressWarnings("restricted") // kernels trust their callers
  static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private Memory() {}

  static float get(long address) {
    return ALL.get(FLOAT, address);
  }

  static void set(long address, float value) {
    ALL.set(FLOAT, address, value);
  }

  static byte getByte(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  static void setByte(long address, byte value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, value);
  }

  static short getShort(long address) {
    return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
  }

  static void setShort(long address, short value) {
    ALL.set(ValueLayout.JAVA_SHORT_UNALIGNED, address, value);
  }

  static void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, from, ALL, to, bytes);
  }

  static MemorySegment slice(long address, long bytes) {
    return ALL.asSlice(address, bytes);
  }

  static void zero(long address, long bytes) {
    slice(address, bytes).fill((byte) 0);
  }

  /**
   * Adds {@link Kernels#SUMS} numbers up: number i and i + 8, of those i and i + 4, then i and i +
   * 2, then i and i + 1.
   *
   * @param sums their address
   * @return the sum
   */
  static float tree(long sums) {
    float a = get(sums) + get(sums + 32);
    float b = get(sums + 4) + get(sums + 36);
    float c = get(sums + 8) + get(sums + 40);
    float d = get(sums + 12) + get(sums + 44);
    float e = get(sums + 16) + get(sums + 48);
    float f = get(sums + 20) + get(sums + 52);
    float g = get(sums + 24) + get(sums + 56);
    float h = get(sums + 28) + get(sums + 60);
    return ((a + e) + (c + g)) + ((b + f) + (d + h));
  }

  /** {@link #tree(long)} of numbers in an array. */
  static float tree(float[] sums, int at) {
    float a = sums[at] + sums[at + 8];
    float b = sums[at + 1] + sums[at + 9];
    float c = sums[at + 2] + sums[at + 10];
    float d = sums[at + 3] + sums[at + 11];
    float e = sums[at + 4] + sums[at + 12];
    float f = sums[at + 5] + sums[at + 13];
    float g = sums[at + 6] + sums[at + 14];
    float h = sums[at + 7] + sums[at + 15];
    return ((a + e) + (c + g)) + ((b + f) + (d + h));
  }
}
