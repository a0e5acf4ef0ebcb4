package io.github.eft4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How weights of Q4_0, and what they are multiplied with, lie in memory for sums of 16 bits.
 *
 * <p>Activations are rounded, {@value #COLUMNS} at a time, to integers x of at most 127 that share
 * a scale: with m the greatest magnitude, m / 127. The integer product of such a block with a block
 * of weights is then Σ (q − 8) x, q from 0 to 15, and never greater than 8 · 127 · 32 = 32512: it
 * fits in 16 bits, and since it does, the bits beyond those may get lost on the way. So neither the
 * order of the sum nor the instructions matter, and a processor adds 32 rows at a time in 512 bits.
 *
 * <p>One lane is one row. A 16-bit number v holds the nibbles of four columns, and so does not even
 * have to be taken apart: with v = q₀ + 16 q₁ + 256 q₂ + 4096 q₃, modulo 2¹⁶
 *
 * <pre>
 *  q₀ x₀ + q₁ x₁ + q₂ x₂ + q₃ x₃ = v x₀ + (v >> 4) (x₁ − 16 x₀) + (v >> 8) (x₂ − 16 x₁) + (v >> 12) (x₃ − 16 x₂)
 *
 *  weights      [group of 32 rows][block of 32 columns]  32 half-precision scales, then
 *                                                        [8][32] 16-bit numbers
 *  activations  [block][token]                           {@value #ACTIVATION_INTS} ints: −8 Σ x, the 32 factors above, each as two
 *                                                        16-bit numbers that are the same; the bits of the float32 scale
 * </pre>
 *
 * A row's product is the sum, block by block, of a fused multiply-add: (scale of the weights ·
 * scale of the activations) · the integer + the sum so far.
 */
final class Nibbles {
  /** Rows that lie together. */
  static final int ROWS = 32;

  /** Columns of a block. */
  static final int COLUMNS = 32;

  /** Bytes from the nibbles of four columns of the rows to those of the next four. */
  static final long QUAD_BYTES = 2L * ROWS;

  /** Bytes of a block of the rows that lie together; its scales are as many as four columns. */
  static final long BLOCK_BYTES = QUAD_BYTES * (1 + COLUMNS / 4);

  /** Ints of a block of a token. */
  static final int ACTIVATION_INTS = COLUMNS + 2;

  /** Ints from the beginning of a block of a token to its scale. */
  static final int ACTIVATION_SCALE = COLUMNS + 1;

  /** The greatest magnitude of a rounded activation. */
  static final float LARGEST = 127;

  /** What is smaller becomes 0: its reciprocal, times {@link #LARGEST}, has to be finite. */
  static final float SMALLEST = 0x1p-119f;

  /** 1.5 · 2²³: a float32 of this size has no fraction, so what is added to it is rounded. */
  static final float ROUNDER = 0x1.8p23f;

  private static final int LOW = 0x0f0f_0f0f;

  private Nibbles() {}

  /**
   * The size of packed weights.
   *
   * @param rows the number of rows
   * @param columns the number of columns
   * @return the size in bytes, whole groups of rows
   */
  static long bytes(int rows, int columns) {
    return groupBytes(columns) * ((rows + ROWS - 1) / ROWS);
  }

  static long groupBytes(int columns) {
    return columns / COLUMNS * BLOCK_BYTES;
  }

  /**
   * Packs a group of rows.
   *
   * @param stored weights of Q4_0, row after row
   * @param rows the number of rows that are stored, at most {@value #ROWS}; the others become 0
   * @param columns the length of a row
   * @param to address of {@link #groupBytes} bytes
   */
  static void pack(MemorySegment stored, int rows, int columns, long to) {
    int blockBytes = WeightType.Q4_0.blockBytes();
    if (rows < ROWS) {
      Memory.zero(to, groupBytes(columns));
    }
    for (int block = 0; block < columns / COLUMNS; block++) {
      for (int row = 0; row < rows; row++) {
        long from = (long) blockBytes * (row * (columns / COLUMNS) + block);
        long at = to + block * BLOCK_BYTES + 2L * row;
        Memory.setShort(at, stored.get(ValueLayout.JAVA_SHORT_UNALIGNED, from));
        for (int i = 0; i < COLUMNS / 8; i++) {
          int bytes = stored.get(ValueLayout.JAVA_INT_UNALIGNED, from + 2 + 4L * i);
          at += QUAD_BYTES;
          Memory.setShort(at, together(bytes & LOW));
          Memory.setShort(at + QUAD_BYTES * (COLUMNS / 8), together((bytes >>> 4) & LOW));
        }
      }
    }
  }

  /** Four bytes of one nibble each, as four nibbles. */
  private static short together(int bytes) {
    int pairs = (bytes | bytes >>> 4) & 0x00ff_00ff;
    return (short) (pairs | pairs >>> 8);
  }

  /**
   * Completes a block of activations.
   *
   * @param block holds it
   * @param at index of its first int
   * @param largest the greatest magnitude
   * @param sum the sum of the integers
   */
  static void finish(int[] block, int at, float largest, int sum) {
    int start = -8 * sum;
    block[at] = (start & 0xffff) | (start << 16);
    float scale =
        largest < SMALLEST ? 0 : largest <= Float.MAX_VALUE ? largest / LARGEST : Float.NaN;
    block[at + ACTIVATION_SCALE] = Float.floatToRawIntBits(scale);
  }
}
