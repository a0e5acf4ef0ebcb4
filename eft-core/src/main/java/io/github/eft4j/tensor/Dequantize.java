package io.github.eft4j.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Turns stored weights into float32, exactly as GGUF defines them: whatever the block type, a
 * weight is one product of small integers and half-precision numbers, which float32 holds without
 * rounding, plus at most one addition, which rounds once. So every correct implementation gives the
 * same bits.
 */
public final class Dequantize {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Dequantize() {}

  /**
   * Reads one row of a tensor, such as a token's embedding.
   *
   * @param tensor the tensor
   * @param row the row's index
   * @param out receives the row from index 0 on
   * @throws IndexOutOfBoundsException if the tensor has no such row or {@code out} is too short
   */
  public static void row(StoredTensor tensor, int row, float[] out) {
    rows(tensor, row, 1, MemorySegment.ofArray(out));
  }

  /**
   * Reads some rows of a tensor.
   *
   * @param tensor the tensor
   * @param from the index of the first row
   * @param count the number of rows
   * @param out receives the weights as floats in the machine's byte order, row after row
   * @throws IndexOutOfBoundsException if the tensor has no such rows or {@code out} is too short
   */
  public static void rows(StoredTensor tensor, int from, int count, MemorySegment out) {
    Objects.checkFromIndexSize(from, count, tensor.rows());
    WeightType type = tensor.type();
    long weights = (long) count * tensor.columns();
    toFloats(
        type,
        tensor.data().asSlice(type.bytes((long) from * tensor.columns()), type.bytes(weights)),
        out.asSlice(0, Float.BYTES * weights));
  }

  /**
   * Reads consecutive weights.
   *
   * @param type how they are stored
   * @param source the n weights, {@code type.bytes(n)} bytes at any alignment
   * @param target receives the weights as floats in the machine's byte order, {@code 4 n} bytes
   * @throws IllegalArgumentException if n is not a whole number of blocks or the sizes do not fit
   */
  public static void toFloats(WeightType type, MemorySegment source, MemorySegment target) {
    long weights = target.byteSize() / Float.BYTES;
    if (weights % type.blockSize() != 0 || source.byteSize() != type.bytes(weights)) {
      throw new IllegalArgumentException(
          "%d bytes of %s, in blocks of %d weights, for %d floats"
              .formatted(source.byteSize(), type, type.blockSize(), weights));
    }
    long blocks = weights / type.blockSize();
    switch (type) {
      case F32 ->
          MemorySegment.copy(
              source, FLOAT, 0, target, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, weights);
      case F16 -> f16(source, blocks, target);
      case BF16 -> bf16(source, blocks, target);
      case Q8_0 -> q8(source, blocks, target);
      case Q4_0 -> q4(source, blocks, target);
      case Q4_1 -> q4WithMinimum(source, blocks, target);
      case Q5_0 -> q5(source, blocks, target);
      case Q5_1 -> q5WithMinimum(source, blocks, target);
      case Q4_K -> q4K(source, blocks, target);
      case Q5_K -> q5K(source, blocks, target);
      case Q6_K -> q6K(source, blocks, target);
    }
  }

  private static void f16(MemorySegment in, long count, MemorySegment out) {
    for (long i = 0; i < count; i++) {
      put(out, i, half(in, Short.BYTES * i));
    }
  }

  private static void bf16(MemorySegment in, long count, MemorySegment out) {
    for (long i = 0; i < count; i++) {
      put(out, i, Float.intBitsToFloat(in.get(SHORT, Short.BYTES * i) << 16));
    }
  }

  /**
   * Q8_0, 34 bytes a block of 32 weights.
   *
   * <pre>
   *  0  d      half             scale
   *  2  q[32]  signed bytes     weight i = d · q[i]
   * </pre>
   */
  private static void q8(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 34;
      float d = half(in, at);
      for (int i = 0; i < 32; i++) {
        put(out, b * 32 + i, d * in.get(JAVA_BYTE, at + 2 + i));
      }
    }
  }

  /**
   * Q4_0, 18 bytes a block of 32 weights.
   *
   * <pre>
   *  0  d      half             scale
   *  2  q[16]  two nibbles      weight i      = d · (low nibble of q[i] − 8)
   *                             weight i + 16 = d · (high nibble of q[i] − 8)
   * </pre>
   */
  private static void q4(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 18;
      float d = half(in, at);
      for (int i = 0; i < 16; i++) {
        int q = unsigned(in, at + 2 + i);
        put(out, b * 32 + i, d * ((q & 15) - 8));
        put(out, b * 32 + i + 16, d * ((q >>> 4) - 8));
      }
    }
  }

  /**
   * Q4_1, 20 bytes a block of 32 weights.
   *
   * <pre>
   *  0  d      half             scale
   *  2  m      half             minimum
   *  4  q[16]  two nibbles      weight i      = d · low nibble of q[i] + m
   *                             weight i + 16 = d · high nibble of q[i] + m
   * </pre>
   */
  private static void q4WithMinimum(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 20;
      float d = half(in, at);
      float m = half(in, at + 2);
      for (int i = 0; i < 16; i++) {
        int q = unsigned(in, at + 4 + i);
        put(out, b * 32 + i, d * (q & 15) + m);
        put(out, b * 32 + i + 16, d * (q >>> 4) + m);
      }
    }
  }

  /**
   * Q5_0, 22 bytes a block of 32 weights.
   *
   * <pre>
   *  0  d      half             scale
   *  2  h      32 bits          bit i is the fifth bit of weight i
   *  6  q[16]  two nibbles      weight i      = d · (low nibble of q[i] + 16 · bit i − 16)
   *                             weight i + 16 = d · (high nibble of q[i] + 16 · bit (i + 16) − 16)
   * </pre>
   */
  private static void q5(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 22;
      float d = half(in, at);
      int high = in.get(INT, at + 2);
      for (int i = 0; i < 16; i++) {
        int q = unsigned(in, at + 6 + i);
        put(out, b * 32 + i, d * (((q & 15) | (bit(high, i) << 4)) - 16));
        put(out, b * 32 + i + 16, d * (((q >>> 4) | (bit(high, i + 16) << 4)) - 16));
      }
    }
  }

  /**
   * Q5_1, 24 bytes a block of 32 weights.
   *
   * <pre>
   *  0  d      half             scale
   *  2  m      half             minimum
   *  4  h      32 bits          bit i is the fifth bit of weight i
   *  8  q[16]  two nibbles      weight i      = d · (low nibble of q[i] + 16 · bit i) + m
   *                             weight i + 16 = d · (high nibble of q[i] + 16 · bit (i + 16)) + m
   * </pre>
   */
  private static void q5WithMinimum(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 24;
      float d = half(in, at);
      float m = half(in, at + 2);
      int high = in.get(INT, at + 4);
      for (int i = 0; i < 16; i++) {
        int q = unsigned(in, at + 8 + i);
        put(out, b * 32 + i, d * ((q & 15) | (bit(high, i) << 4)) + m);
        put(out, b * 32 + i + 16, d * ((q >>> 4) | (bit(high, i + 16) << 4)) + m);
      }
    }
  }

  /**
   * Q4_K, 144 bytes a block of 256 weights, in eight sub-blocks of 32.
   *
   * <pre>
   *   0  d       half           scale of the sub-blocks' scales
   *   2  dmin    half           scale of the sub-blocks' minima
   *   4  s[12]   6-bit numbers  scale and minimum of each sub-block, see {@link #subScale}
   *  16  q[128]  two nibbles    32 bytes hold two sub-blocks: low nibbles 2j, high nibbles 2j + 1
   *
   *  weight = d · scale · nibble − dmin · minimum
   * </pre>
   */
  private static void q4K(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 144;
      float d = half(in, at);
      float dmin = half(in, at + 2);
      for (int j = 0; j < 8; j++) {
        float scale = d * subScale(in, at + 4, j);
        float minimum = dmin * subMinimum(in, at + 4, j);
        int shift = 4 * (j & 1);
        for (int i = 0; i < 32; i++) {
          int q = (unsigned(in, at + 16 + 32L * (j >>> 1) + i) >>> shift) & 15;
          put(out, b * 256 + 32L * j + i, scale * q - minimum);
        }
      }
    }
  }

  /**
   * Q5_K, 176 bytes a block of 256 weights, in eight sub-blocks of 32.
   *
   * <pre>
   *   0  d       half           scale of the sub-blocks' scales
   *   2  dmin    half           scale of the sub-blocks' minima
   *   4  s[12]   6-bit numbers  scale and minimum of each sub-block, see {@link #subScale}
   *  16  h[32]   bytes          bit j of h[i] is the fifth bit of weight i of sub-block j
   *  48  q[128]  two nibbles    32 bytes hold two sub-blocks: low nibbles 2j, high nibbles 2j + 1
   *
   *  weight = d · scale · (nibble + 16 · fifth bit) − dmin · minimum
   * </pre>
   */
  private static void q5K(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 176;
      float d = half(in, at);
      float dmin = half(in, at + 2);
      for (int j = 0; j < 8; j++) {
        float scale = d * subScale(in, at + 4, j);
        float minimum = dmin * subMinimum(in, at + 4, j);
        int shift = 4 * (j & 1);
        for (int i = 0; i < 32; i++) {
          int q = (unsigned(in, at + 48 + 32L * (j >>> 1) + i) >>> shift) & 15;
          int fifth = bit(unsigned(in, at + 16 + i), j);
          put(out, b * 256 + 32L * j + i, scale * (q | (fifth << 4)) - minimum);
        }
      }
    }
  }

  /**
   * Q6_K, 210 bytes a block of 256 weights, in sixteen sub-blocks of 16.
   *
   * <pre>
   *    0  l[128]  two nibbles   lower four bits
   *  128  h[64]   bit pairs     upper two bits
   *  192  s[16]   signed bytes  scale of each sub-block
   *  208  d       half          scale of the sub-blocks' scales
   *
   *  Each half of the block, n = 0, 1, takes 64 bytes of l and 32 of h. For i = 0 … 31 its weights
   *  i, i + 32, i + 64, i + 96 have the lower bits
   *    low l[64n + i], low l[64n + 32 + i], high l[64n + i], high l[64n + 32 + i]
   *  and the upper bits 0–1, 2–3, 4–5, 6–7 of h[32n + i].
   *
   *  weight = d · scale · (6 bits − 32)
   * </pre>
   */
  private static void q6K(MemorySegment in, long blocks, MemorySegment out) {
    for (long b = 0; b < blocks; b++) {
      long at = b * 210;
      float d = half(in, at + 208);
      for (int i = 0; i < 256; i++) {
        int n = i >>> 7;
        int quarter = (i >>> 5) & 3;
        int low = (unsigned(in, at + 64L * n + (i & 63)) >>> (4 * (quarter >>> 1))) & 15;
        int high = (unsigned(in, at + 128 + 32L * n + (i & 31)) >>> (2 * quarter)) & 3;
        float scale = d * in.get(JAVA_BYTE, at + 192 + (i >>> 4));
        put(out, b * 256 + i, scale * ((low | (high << 4)) - 32));
      }
    }
  }

  /**
   * A sub-block's scale in Q4_K and Q5_K. Eight scales and eight minima of six bits share 12 bytes:
   *
   * <pre>
   *  byte j      (j = 0 … 3)  bits 0–5: scale j;               bits 6–7: upper bits of scale j + 4
   *  byte j + 4               bits 0–5: minimum j;             bits 6–7: upper bits of minimum j + 4
   *  byte j + 8               bits 0–3: lower of scale j + 4;  bits 4–7: lower of minimum j + 4
   * </pre>
   */
  static int subScale(MemorySegment in, long at, int j) {
    return j < 4
        ? unsigned(in, at + j) & 63
        : (unsigned(in, at + 4 + j) & 15) | ((unsigned(in, at + j - 4) >>> 6) << 4);
  }

  /** A sub-block's minimum, laid out as {@link #subScale} says. */
  static int subMinimum(MemorySegment in, long at, int j) {
    return j < 4
        ? unsigned(in, at + 4 + j) & 63
        : (unsigned(in, at + 4 + j) >>> 4) | ((unsigned(in, at + j) >>> 6) << 4);
  }

  private static float half(MemorySegment in, long at) {
    return Float.float16ToFloat(in.get(SHORT, at));
  }

  private static int unsigned(MemorySegment in, long at) {
    return in.get(JAVA_BYTE, at) & 0xff;
  }

  private static int bit(int bits, int i) {
    return (bits >>> i) & 1;
  }

  private static void put(MemorySegment out, long index, float value) {
    out.set(ValueLayout.JAVA_FLOAT_UNALIGNED, Float.BYTES * index, value);
  }
}
