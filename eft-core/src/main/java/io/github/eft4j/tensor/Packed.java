package io.github.eft4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * How weights of Q8_0, Q4_0, Q4_K, Q5_0, Q5_K and Q6_K, and what they are multiplied with, lie in
 * memory so that a register holds a column of rows: one lane is one row, and 32 rows lie together.
 *
 * <h2>Nibbles: sums of 16 bits</h2>
 *
 * <p>Activations are rounded, {@value #COLUMNS} at a time, to integers x of at most 127 that share
 * a scale s: with m the greatest magnitude, m / 127. With q a nibble, the integer I = Σ (q − 8) x
 * of such a block is never greater than 8 · 127 · 32 = 32512: it fits in 16 bits, and since it
 * does, the bits beyond those may get lost on the way. So neither the order of the sum nor the
 * instructions matter, and a processor adds 32 rows at a time in 512 bits.
 *
 * <p>A 16-bit number v holds the nibbles of four columns, and does not even have to be taken apart:
 * with v = q₀ + 16 q₁ + 256 q₂ + 4096 q₃, modulo 2¹⁶
 *
 * <pre>
 *  q₀ x₀ + q₁ x₁ + q₂ x₂ + q₃ x₃
 *      = v x₀ + (v >> 4) (x₁ − 16 x₀) + (v >> 8) (x₂ − 16 x₁) + (v >> 12) (x₃ − 16 x₂)
 *
 *  weights of 32 rows   for each 8 blocks of 32 columns:
 *                         Q4_K: [32] scales d, [32] scales of minima e, in half precision
 *                         Q6_K: [32] scales d
 *                         [8] blocks of
 *                           [32] 16 bits. Q4_0: d in half precision. Q4_K: scale a, minimum b, a
 *                                byte each. Q6_K: scales a of both halves, a signed byte each
 *                           Q4_0, Q4_K: [8][32] 16-bit numbers
 *                           Q6_K: [4] times [2][32] of them, and [32] with two more bits of each
 *                                 of the eight columns
 *
 *  activations          for each 32 columns, for each token: {@value #ACTIVATION_INTS} ints
 *                         −8 Σ x and the 32 factors above, each as two 16-bit numbers that are the
 *                         same; the bits of s and of s Σ x in single precision; −2 Σ x of both
 *                         halves, again as two numbers
 * </pre>
 *
 * A row's product is the sum of what its blocks add, one by one: in Q4_0 fma(d s, I, sum). A weight
 * of Q4_K is d a q − e b, so a block adds d a s (I + 8 Σ x) − e b s Σ x: fma(d a s, I, sum), and
 * then fma(fma(8, d a, −e b), s Σ x, sum).
 *
 * <p>A weight of Q6_K is d a (q + 16 p − 32), where p has two bits, and sixteen columns share a.
 * The bit pairs of four columns, each where a nibble would be, are multiplied in the same way; with
 * L = Σ q x and H = Σ (p − 2) x, which fit in 16 bits, half a block adds fma(d a s, L + 16 H, sum).
 * With many tokens the weights are turned into float32 once, and L + 16 H is a sum of those, which
 * is exact: the activations are then laid out as those for octets.
 *
 * <h2>Fives: sums of 16 bits</h2>
 *
 * <p>Weights of Q5_0 and Q5_K are numbers q of five bits, three columns to a number of 16 bits.
 * Activations are rounded like those for nibbles, but {@value #FIVE_COLUMNS} at a time: then I = Σ
 * (q − 16) x is never greater than 16 · 127 · 16 = 32512, and with v = q₀ + 32 q₁ + 1024 q₂
 *
 * <pre>
 *  q₀ x₀ + q₁ x₁ + q₂ x₂ = v x₀ + (v >> 5) (x₁ − 32 x₀) + (v >> 10) (x₂ − 32 x₁)
 *
 *  weights of 32 rows   for each 8 blocks of 32 columns: Q5_K: as Q4_K
 *                         [8] blocks of
 *                           [32] 16 bits. Q5_0: as Q4_0. Q5_K: as Q4_K
 *                           [2] halves of [6][32] 16-bit numbers, the last of them of one column
 *
 *  activations          for each 32 columns, for each token: [2] times {@value #FIVE_INTS} ints
 *                         −16 Σ x and the 16 factors above, each as two 16-bit numbers that are
 *                         the same; the bits of s and of s Σ x in single precision
 * </pre>
 *
 * Half a block of Q5_0 adds fma(d s, I, sum). A weight of Q5_K is d a q − e b, so half a block adds
 * fma(d a s, I, sum), and then fma(fma(16, d a, −e b), s Σ x, sum).
 *
 * <h2>Octets: sums of 24 bits</h2>
 *
 * <p>Weights of Q8_0 are octets q. Activations are rounded, {@value #COLUMNS} at a time, to
 * integers x of at most 4096 that share a scale s = m / 4096. The integer I = Σ q x of a block is
 * never greater than 128 · 4096 · 32 = 2²⁴: every sum on the way to it is exact in float32, so
 * again neither order nor instructions matter. A block adds fma(d s, I, sum).
 *
 * <pre>
 *  weights of 32 rows   for each 32 columns: [32] scales d in half precision
 *                       [32] columns of [16] octets of even rows, [16] octets of odd rows
 *
 *  activations          for each 32 columns, for each token: [32] integers and s, as the bits of
 *                       float32
 * </pre>
 */
final class Packed {
  /** Rows that lie together. */
  static final int ROWS = 32;

  /** Columns of a block. */
  static final int COLUMNS = 32;

  /** Bytes of 16 bits for each of the rows. */
  static final long LINE = 2L * ROWS;

  /** Bytes of a block of the rows. */
  static final long BLOCK_BYTES = LINE * (1 + COLUMNS / 4);

  /** Bytes of a block of the rows of Q6_K. */
  static final long SIX_BLOCK_BYTES = LINE * (1 + COLUMNS / 4 + COLUMNS / 8);

  /** Columns of half a block of fives. */
  static final int FIVE_COLUMNS = 16;

  /** Columns of fives in a 16-bit number. */
  static final int FIVES_TOGETHER = 3;

  /** Bytes of half a block of the rows of fives, without what is before both. */
  static final long FIVE_HALF_BYTES = LINE * ((FIVE_COLUMNS + 2) / FIVES_TOGETHER);

  /** Bytes of a block of the rows of fives. */
  static final long FIVE_BLOCK_BYTES = LINE + 2 * FIVE_HALF_BYTES;

  /** Ints of half a block of a token that is rounded for fives. */
  static final int FIVE_INTS = FIVE_COLUMNS + 3;

  /** Ints from the beginning of half a block of a token to its scale, and then its sum. */
  static final int FIVE_SCALE = FIVE_COLUMNS + 1;

  /** Blocks between two headers. */
  static final int BLOCKS = 8;

  /** Ints of a block of a token. */
  static final int ACTIVATION_INTS = COLUMNS + 5;

  /** Ints from the beginning of a block of a token to its scale, and then to scale times sum. */
  static final int ACTIVATION_SCALE = COLUMNS + 1;

  /** Ints from the beginning of a block of a token to what the sums of bit pairs begin with. */
  static final int ACTIVATION_SIX_START = COLUMNS + 3;

  /** The greatest magnitude of a rounded activation. */
  static final float LARGEST = 127;

  /** What is smaller becomes 0: its reciprocal, times {@link #LARGEST}, has to be finite. */
  static final float SMALLEST = 0x1p-119f;

  /** 1.5 · 2²³: a float32 of this size has no fraction, so what is added to it is rounded. */
  static final float ROUNDER = 0x1.8p23f;

  /** Bytes of a block of the rows of octets. */
  static final long OCTET_BLOCK_BYTES = LINE + (long) COLUMNS * ROWS;

  /** Ints of a block of a token that is rounded for octets. */
  static final int FINE_INTS = COLUMNS + 1;

  /** The greatest magnitude of an activation that is rounded for octets. */
  static final float FINE_LARGEST = 4096;

  /** The same as {@link #SMALLEST} for octets. */
  static final float FINE_SMALLEST = 0x1p-114f;

  private static final int LOW = 0x0f0f_0f0f;
  private static final int FIRST = 0x0101_0101;

  private Packed() {}

  /**
   * Whether weights of a type are packed.
   *
   * @param type the type
   * @return true for Q8_0, Q4_0, Q4_K, Q5_0, Q5_K and Q6_K
   */
  static boolean packs(WeightType type) {
    return switch (type) {
      case Q8_0, Q4_0, Q4_K, Q5_0, Q5_K, Q6_K -> true;
      default -> false;
    };
  }

  /** Ints of a block of a token, for weights of a type. */
  static int activationInts(WeightType type) {
    return switch (type) {
      case Q8_0 -> FINE_INTS;
      case Q5_0, Q5_K -> 2 * FIVE_INTS;
      default -> ACTIVATION_INTS;
    };
  }

  /** The size in bytes of what lies before each {@value #BLOCKS} blocks of the rows. */
  static long headerBytes(WeightType type) {
    return switch (type) {
      case Q4_K, Q5_K -> 2 * LINE;
      case Q6_K -> LINE;
      default -> 0;
    };
  }

  /** The size in bytes of a block of the rows. */
  static long blockBytes(WeightType type) {
    return switch (type) {
      case Q8_0 -> OCTET_BLOCK_BYTES;
      case Q5_0, Q5_K -> FIVE_BLOCK_BYTES;
      case Q6_K -> SIX_BLOCK_BYTES;
      default -> BLOCK_BYTES;
    };
  }

  /** The size in bytes of the packed weights of {@value #ROWS} rows. */
  static long groupBytes(WeightType type, int columns) {
    int blocks = columns / COLUMNS;
    return blocks * blockBytes(type) + blocks / BLOCKS * headerBytes(type);
  }

  /** The size in bytes of packed weights, whole groups of {@value #ROWS} rows. */
  static long bytes(WeightType type, int rows, int columns) {
    return groupBytes(type, columns) * ((rows + ROWS - 1) / ROWS);
  }

  /**
   * Packs a group of rows.
   *
   * @param type the type of the weights
   * @param stored the weights, row after row
   * @param rows the number of rows that are stored, at most {@value #ROWS}; the others become 0
   * @param columns the length of a row
   * @param to address of {@link #groupBytes} bytes
   * @throws IllegalArgumentException if a scale is infinite or not a number
   */
  static void pack(WeightType type, MemorySegment stored, int rows, int columns, long to) {
    if (rows < ROWS) {
      Memory.zero(to, groupBytes(type, columns));
    }
    int blocks = columns / type.blockSize();
    byte[] fives = new byte[COLUMNS];
    for (int block = 0; block < blocks; block++) {
      for (int row = 0; row < rows; row++) {
        long from = (long) type.blockBytes() * (row * blocks + block);
        long bytes = groupBytes(type, type.blockSize());
        long at = to + block * bytes + 2L * row;
        switch (type) {
          case Q8_0 -> packOctets(stored, from, to + block * bytes, row);
          case Q4_0 -> packBlock(stored, from, at);
          case Q4_K -> packBlocks(stored, from, at);
          case Q5_0 -> packFives(stored, from, at, fives);
          case Q5_K -> packBlocksOfFives(stored, from, at, fives);
          default -> packSixes(stored, from, at);
        }
      }
    }
  }

  private static short scale(MemorySegment stored, long at) {
    short scale = half(stored, at);
    if ((scale & 0x7c00) == 0x7c00) {
      throw new IllegalArgumentException(
          "a scale of %s, expected finite ones".formatted(Float.float16ToFloat(scale)));
    }
    return scale;
  }

  private static short half(MemorySegment stored, long at) {
    return stored.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
  }

  private static int quad(MemorySegment stored, long at) {
    return stored.get(ValueLayout.JAVA_INT_UNALIGNED, at);
  }

  /** One block of Q8_0: a scale in half precision, then the weights. */
  private static void packOctets(MemorySegment stored, long from, long block, int row) {
    Memory.setShort(block + 2L * row, scale(stored, from));
    long at = block + octet(row, 0);
    for (int i = 0; i < COLUMNS; i++) {
      Memory.setByte(at + (long) ROWS * i, stored.get(ValueLayout.JAVA_BYTE, from + 2 + i));
    }
  }

  /** Where a weight of Q8_0 lies in a block of the rows, in bytes. */
  static long octet(int row, int column) {
    return LINE + ROWS / 2L * (2L * column + row % 2) + row / 2;
  }

  /** One block of Q4_0: low nibbles are the first half, high ones the second. */
  private static void packBlock(MemorySegment stored, long from, long to) {
    Memory.setShort(to, scale(stored, from));
    for (int i = 0; i < COLUMNS / 8; i++) {
      int bytes = quad(stored, from + 2 + 4L * i);
      long at = to + LINE * (1 + i);
      Memory.setShort(at, together(bytes & LOW));
      Memory.setShort(at + LINE * (COLUMNS / 8), together((bytes >>> 4) & LOW));
    }
  }

  /**
   * One block of Q4_K: two scales in half precision; eight scales and minima of six bits in twelve
   * bytes; then, four times, 32 bytes whose low nibbles are a block here, and the high ones the
   * next.
   */
  private static void packBlocks(MemorySegment stored, long from, long to) {
    Memory.setShort(to, scale(stored, from));
    Memory.setShort(to + LINE, scale(stored, from + 2));
    for (int block = 0; block < BLOCKS; block++) {
      long at = to + 2 * LINE + block * BLOCK_BYTES;
      Memory.setShort(at, scaleAndMinimum(stored, from + 4, block));
      for (int i = 0; i < COLUMNS / 4; i++) {
        int bytes = quad(stored, from + 16 + (block / 2) * (long) COLUMNS + 4L * i);
        at += LINE;
        Memory.setShort(at, together((bytes >>> (block % 2 * 4)) & LOW));
      }
    }
  }

  /** One block of Q5_0: a scale, 32 bits that are the fifth ones, and nibbles as in Q4_0. */
  private static void packFives(MemorySegment stored, long from, long to, byte[] fives) {
    Memory.setShort(to, scale(stored, from));
    int fifths = quad(stored, from + 2);
    for (int i = 0; i < COLUMNS; i += 4) {
      int nibbles = (quad(stored, from + 6 + i % 16) >>> (i / 16 * 4)) & LOW;
      // Four bits, each to the lowest one of a byte.
      int bits = (((fifths >>> i) & 15) * 0x0020_4081) & FIRST;
      apart(nibbles | bits << 4, fives, i);
    }
    packFives(fives, to + LINE);
  }

  /**
   * One block of Q5_K: as Q4_K, with 32 bytes before the nibbles, of which each block has a bit.
   */
  private static void packBlocksOfFives(MemorySegment stored, long from, long to, byte[] fives) {
    Memory.setShort(to, scale(stored, from));
    Memory.setShort(to + LINE, scale(stored, from + 2));
    for (int block = 0; block < BLOCKS; block++) {
      long at = to + 2 * LINE + block * FIVE_BLOCK_BYTES;
      Memory.setShort(at, scaleAndMinimum(stored, from + 4, block));
      for (int i = 0; i < COLUMNS; i += 4) {
        int bytes = quad(stored, from + 48 + (block / 2) * (long) COLUMNS + i);
        int bits = (quad(stored, from + 16 + i) >>> block) & FIRST;
        apart(((bytes >>> (block % 2 * 4)) & LOW) | bits << 4, fives, i);
      }
      packFives(fives, at + LINE);
    }
  }

  private static void apart(int bytes, byte[] to, int at) {
    for (int i = 0; i < 4; i++) {
      to[at + i] = (byte) (bytes >>> (8 * i));
    }
  }

  private static void packFives(byte[] fives, long to) {
    for (int half = 0; half < 2; half++) {
      for (int i = 0; i < FIVE_COLUMNS; i += FIVES_TOGETHER) {
        int together = 0;
        for (int j = i; j < Math.min(i + FIVES_TOGETHER, FIVE_COLUMNS); j++) {
          together |= fives[half * FIVE_COLUMNS + j] << (5 * (j - i));
        }
        Memory.setShort(to + half * FIVE_HALF_BYTES + i / FIVES_TOGETHER * LINE, (short) together);
      }
    }
  }

  /** One block of Q6_K, laid out as {@link Dequantize} says. */
  private static void packSixes(MemorySegment stored, long from, long to) {
    Memory.setShort(to, scale(stored, from + 208));
    for (int block = 0; block < BLOCKS; block++) {
      long at = to + LINE + block * SIX_BLOCK_BYTES;
      Memory.setShort(at, half(stored, from + 192 + 2L * block));
      // Of half of the 256 columns, the first two blocks are low nibbles, the others high ones.
      long low = from + block / 4 * 64L + block % 2 * 32L;
      long high = from + 128 + block / 4 * 32L;
      int quarter = block % 4;
      for (int i = 0; i < COLUMNS / 8; i++) {
        int pairs = 0;
        for (int four = 0; four < 2; four++) {
          long column = 8L * i + 4L * four;
          int nibbles = (quad(stored, low + column) >>> (quarter / 2 * 4)) & LOW;
          int bits = (quad(stored, high + column) >>> (2 * quarter)) & 0x0303_0303;
          Memory.setShort(at + LINE * (1 + 3 * i + four), together(nibbles));
          pairs |= together(bits) << (2 * four);
        }
        Memory.setShort(at + LINE * (3 + 3 * i), (short) pairs);
      }
    }
  }

  private static short scaleAndMinimum(MemorySegment stored, long at, int block) {
    int four = block % 4;
    int first = stored.get(ValueLayout.JAVA_BYTE, at + four) & 0xff;
    int second = stored.get(ValueLayout.JAVA_BYTE, at + 4 + four) & 0xff;
    if (block < 4) {
      return (short) ((first & 63) | (second & 63) << 8);
    }
    int third = stored.get(ValueLayout.JAVA_BYTE, at + 8 + four) & 0xff;
    int scale = (third & 15) | (first >>> 6) << 4;
    int minimum = third >>> 4 | (second >>> 6) << 4;
    return (short) (scale | minimum << 8);
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
   * @param half the sum of the first half of the integers
   * @param sum the sum of all
   */
  static void finish(int[] block, int at, float largest, int half, int sum) {
    block[at] = twice(-8 * sum);
    block[at + ACTIVATION_SIX_START] = twice(-2 * half);
    block[at + ACTIVATION_SIX_START + 1] = twice(-2 * (sum - half));
    finishScale(block, at + ACTIVATION_SCALE, largest, sum);
  }

  /**
   * Completes half a block of activations for fives.
   *
   * @param block holds it
   * @param at index of its first int
   * @param largest the greatest magnitude
   * @param sum the sum of the integers
   */
  static void finishFives(int[] block, int at, float largest, int sum) {
    block[at] = twice(-16 * sum);
    finishScale(block, at + FIVE_SCALE, largest, sum);
  }

  private static void finishScale(int[] block, int at, float largest, int sum) {
    float scale = scale(largest);
    block[at] = Float.floatToRawIntBits(scale);
    block[at + 1] = Float.floatToRawIntBits(scale * sum);
  }

  /**
   * The scale of rounded activations, but for octets.
   *
   * @param largest the greatest magnitude
   * @return the scale; not a number if one of them is infinite or not a number
   */
  static float scale(float largest) {
    return largest < SMALLEST ? 0 : largest <= Float.MAX_VALUE ? largest / LARGEST : Float.NaN;
  }

  /**
   * Completes a block of activations for octets.
   *
   * @param block holds it
   * @param at index of its first int
   * @param largest the greatest magnitude
   */
  static void finishFinely(int[] block, int at, float largest) {
    float scale =
        largest < FINE_SMALLEST
            ? 0
            : largest <= Float.MAX_VALUE ? largest / FINE_LARGEST : Float.NaN;
    block[at + COLUMNS] = Float.floatToRawIntBits(scale);
  }

  private static int twice(int number) {
    return (number & 0xffff) | (number << 16);
  }
}
