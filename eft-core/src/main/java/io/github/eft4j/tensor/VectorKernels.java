package io.github.eft4j.tensor;

import static io.github.eft4j.tensor.Memory.ALL;
import static io.github.eft4j.tensor.Memory.get;
import static io.github.eft4j.tensor.Memory.set;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Kernels} on the Vector API. The compiler turns vector code into machine code only where
 * the species is a constant, so this class is a template: {@link KernelProvider} defines it once
 * for each width, as a hidden class whose class data is the width. It must therefore refer to
 * itself only, and have neither lambdas nor nested classes.
 *
 * <p>Where {@value #SUMS} partial sums need several registers, a loop over {@code part} goes over
 * the (cached) data once for each: the source, and what a register holds, is the same for all
 * widths. A method is one tile or one loop, and the longer ones have their arithmetic written out:
 * C2 gives up inlining helpers in large methods, and then allocates every vector. A vector that
 * goes round a loop is passed to operations, and they are not called on it: its class is known from
 * profiles only, which are not always there when C2 compiles the loop.
 */
final class VectorKernels implements Kernels {
  private static final int BITS = bits();
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Short> HALF_SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));

  /** As many bytes as a register has floats, or 8, since no vector has 4. */
  private static final VectorSpecies<Byte> BYTES =
      BITS == 512 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS));

  /**
   * Sign, exponent and fraction of a half-precision number, moved to where they are in single
   * precision; as such it is smaller by a factor of 2¹¹².
   */
  private static final int HALF_BITS = 0x8fff_e000;

  private static final int SIGN = 0x8000_0000;
  private static final FloatVector TWOS = FloatVector.broadcast(FLOATS, 2);
  private static final FloatVector LEAST = FloatVector.broadcast(FLOATS, -0x1p-14f);

  /**
   * By how much nibbles are shifted. AVX-512 shifts 16 bits by a vector in one operation, AVX2 only
   * by a count in a register. Kernels get that count as a parameter: a constant would be moved to
   * its register again at each use.
   */
  private static final ShortVector FOURS = ShortVector.broadcast(SHORTS, 4);

  /** Counts by which to shift so that each of four nibbles is the lowest. */
  private static final short[] NIBBLE_SHIFTS = shifts(4, 4);

  /** By how much the first and the second pair of four nibbles are shifted, for both halves. */
  private static final int[] PAIR_SHIFTS = {0, 0x0008_0008};

  /** The same for three numbers of five bits. */
  private static final ShortVector FIVES = ShortVector.broadcast(SHORTS, 5);

  private static final short[] FIVE_SHIFTS = shifts(Packed.FIVES_TOGETHER, 5);

  /** What the integer before is multiplied with in a factor for fives. */
  private static final int[] FIVE_FACTORS = fiveFactors();

  private static final VectorMask<Integer> NOT_FIRST_OF_FOUR = VectorMask.fromLong(INTS, 0xeeee);

  /** Each lane gets what the lane before it has, the first one anything. */
  private static final VectorShuffle<Integer> BEFORE =
      VectorShuffle.iota(INTS, INTS.length() - 1, 1, true);

  /** Each lane gets what its neighbour has, the other one of a pair. */
  private static final VectorShuffle<Float> NEIGHBOUR =
      VectorShuffle.fromArray(FLOATS, lanes(1, 0, 1), 0);

  /** Each lane of the first half goes to two. */
  private static final VectorShuffle<Float> FIRST_TWICE =
      VectorShuffle.fromArray(FLOATS, lanes(2, 0, 0), 0);

  private static final VectorShuffle<Float> LAST_TWICE =
      VectorShuffle.fromArray(FLOATS, lanes(2, FLOATS.length() / 2, 0), 0);

  private static final FloatVector MINUS_PLUS = minusPlus();

  /** A bit pair in each nibble. */
  private static final ShortVector PAIRS = ShortVector.broadcast(SHORTS, 0x3333);

  /** The first half of the rows that lie in two registers, even ones and odd ones, in order. */
  private static final VectorShuffle<Float> FIRST_ROWS = VectorShuffle.makeZip(FLOATS, 0);

  private static final VectorShuffle<Float> LAST_ROWS = VectorShuffle.makeZip(FLOATS, 1);

  private static final VectorSpecies<Float> EIGHT = FloatVector.SPECIES_256;
  private static final VectorShuffle<Float> BY_FOUR = VectorShuffle.iota(EIGHT, 4, 1, true);
  private static final VectorShuffle<Float> BY_TWO = VectorShuffle.iota(EIGHT, 2, 1, true);
  private static final IntVector LANE = IntVector.zero(INTS).addIndex(1);
  private static final IntVector BYTE_SHIFTS = LANE.mul(8);

  /** Floats of a register. */
  private static final int LENGTH = BITS / Float.SIZE;

  /** Bytes of a register. */
  private static final long STEP = BITS / Byte.SIZE;

  /** Bytes that become a register of floats. */
  private static final long BYTE_STEP = LENGTH;

  /** Registers for {@link #SUMS} floats. */
  private static final int PARTS = SUMS / LENGTH;

  /** Bytes from a number of a row to the next one that goes to the same partial sum. */
  private static final long ROUND = SUMS * Float.BYTES;

  /** Whether 24 accumulators fit: AVX-512 and NEON have 32 registers, AVX2 has 16. */
  private static final boolean MANY_REGISTERS = BITS == 512 || !isX86();

  private static final int TILE_TOKENS = MANY_REGISTERS ? 4 : 3;
  private static final int TILE_ROWS = MANY_REGISTERS ? 6 : 3;

  /**
   * Up to so many tokens are multiplied with weights as they are stored, so that loads from memory
   * are under way all the time; those of more become float32 once for all.
   */
  private static final int DOTS_TOKENS = 8;

  /** Rows side by side: 8 got a fifth less from the memory of an AMD Zen 4, in BF16 and F16. */
  private static final int STREAMS = 4;

  /** Columns of half precision that become float32 together. */
  private static final int HALVES_TOGETHER = DOTS_PANEL / STREAMS;

  /** Where those of four rows lie, behind the sums. */
  private static final int HALVES = DOTS_SUMS * SUMS;

  /** Bytes of packed weights that stay in the second-level cache beside some tiles of tokens. */
  private static final long PACKED_CACHED_BYTES = 256 << 10;

  /** Bytes of weights that certainly stay in the cache of one core while they are used. */
  private static final long CACHED_BYTES = 128 << 10;

  /** Accumulators of the largest kernel of packed weights. */
  private static final int ACCUMULATORS = MANY_REGISTERS ? 16 : 8;

  /** Integer sums that are scaled together: of blocks, or of halves of them. */
  private static final int DOTS_TOGETHER = MANY_REGISTERS ? Packed.BLOCKS : 2 * Packed.BLOCKS;

  /**
   * From so many tokens on they are multiplied 8 at a time. Fewer are read from memory faster four
   * at a time: that has four streams of weights, not two.
   */
  private static final int BLOCK_TOKENS = 16;

  /** Blocks of columns that some tiles of few tokens get from the second-level cache. */
  private static final int FEW_BLOCKS = 64;

  /** Tiles of tokens with the same factors. */
  private static final int TILES = 4;

  /** Where the integer sums of blocks lie, behind the sums. */
  private static final long DOTS = 2 * STEP * ACCUMULATORS * TILES;

  /** Bytes from those of one block to those of the next. */
  private static final long DOTS_STEP = STEP * ACCUMULATORS;

  /** Where the factors of registers of rows lie, behind those. */
  private static final long FACTORS = DOTS + DOTS_TOGETHER * DOTS_STEP;

  /** Bytes from those of one block to those of the next. */
  private static final long FACTOR_STEP = 4 * STEP;

  /** Bytes from those of one register to those of the next. */
  private static final long FACTORS_STEP = Packed.BLOCKS * FACTOR_STEP;

  /** Where the scales of a header lie, behind those. */
  private static final long HEADER = FACTORS + 4 * FACTORS_STEP;

  /** Registers for the rows that lie together in packed nibbles. */
  private static final int PACKED_PARTS = Packed.ROWS / (2 * LENGTH);

  /** Ints from one token to the next in rounded activations. */
  private static final int ACTIVATION = Packed.ACTIVATION_INTS;

  /** The same where they are rounded for octets, or for tiles. */
  private static final int FINE = Packed.FINE_INTS;

  /** Bytes from the even rows of a column of octets to the odd ones. */
  private static final long HALF_ROWS = Packed.ROWS / 2;

  /** Tokens of a tile of octets, or of Q6_K. */
  private static final int OCTET_TOKENS = MANY_REGISTERS ? 8 : 4;

  /** From so many tokens on it pays to turn those into floats once for all tokens. */
  private static final int OCTET_TILES = MANY_REGISTERS ? 16 : 12;

  private static final long OCTET_PANEL = 2 * STEP * Packed.COLUMNS;

  private static final int SCALE = Packed.ACTIVATION_SCALE;
  private static final int FIVE_SCALE = Packed.FIVE_SCALE;

  /** Ints from one token to the next in activations that are rounded for fives. */
  private static final int FIVE = 2 * Packed.FIVE_INTS;

  private static final int SIX_START = Packed.ACTIVATION_SIX_START;

  /** Keeps an address as it is, and tells the compiler that it is not negative. */
  private static final long ADDRESS = Long.MAX_VALUE >> 1;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /**
   * All half-precision numbers. Scales are looked up: a load that broadcasts, where a conversion
   * would take four of the operations on registers that these kernels are bound by.
   */
  private static final float[] HALF_VALUES = halfValues();

  VectorKernels() {}

  private static float[] halfValues() {
    float[] halves = new float[1 << Short.SIZE];
    for (int bits = 0; bits < halves.length; bits++) {
      halves[bits] = Float.float16ToFloat((short) bits);
    }
    return halves;
  }

  private static short[] shifts(int together, int bits) {
    short[] shifts = new short[together * SHORTS.length()];
    for (int i = 0; i < shifts.length; i++) {
      shifts[i] = (short) (bits * (i / SHORTS.length()));
    }
    return shifts;
  }

  /** Where lanes come from: (first + i / by) xor flip. */
  private static int[] lanes(int by, int first, int flip) {
    int[] lanes = new int[FLOATS.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (first + i / by) ^ flip;
    }
    return lanes;
  }

  private static FloatVector minusPlus() {
    float[] signs = new float[FLOATS.length()];
    for (int i = 0; i < signs.length; i++) {
      signs[i] = i % 2 == 0 ? -1 : 1;
    }
    return FloatVector.fromArray(FLOATS, signs, 0);
  }

  private static int[] fiveFactors() {
    int[] factors = new int[Packed.FIVE_COLUMNS];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = i % Packed.FIVES_TOGETHER == 0 ? 0 : 32;
    }
    return factors;
  }

  private static int bits() {
    try {
      return MethodHandles.classData(MethodHandles.lookup(), "_", Integer.class);
    } catch (IllegalAccessException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static boolean isX86() {
    String architecture = System.getProperty("os.arch", "");
    return architecture.equals("amd64") || architecture.startsWith("x86");
  }

  @Override
  public int vectorBits() {
    return BITS;
  }

  private static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(FLOATS, ALL, address & ADDRESS, ORDER);
  }

  private static void store(FloatVector v, long address) {
    v.intoMemorySegment(ALL, address & ADDRESS, ORDER);
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  // ---------------------------------------------------------------------------------------------
  // Stored weights to float32. Dequantize draws the blocks' bytes.

  // Row by row: with rows side by side a product of few tokens in F16 takes up to 2.5 times as
  // long.
  @Override
  public void dequantize(
      WeightType type,
      long weights,
      long rowBytes,
      int rows,
      int count,
      long out,
      long rowStride,
      long stride) {
    if (type.blockSize() == 1) {
      plain(type, weights, rowBytes, rows, count, out, rowStride, stride);
      return;
    }
    int blocks = count / type.blockSize();
    switch (type) {
      case Q8_0 -> q8(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q4_0 -> q4(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q4_1 -> q4WithMinimum(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q5_0 -> q5(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q5_1 -> q5WithMinimum(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q4_K -> q4K(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q5_K -> q5K(weights, rowBytes, rows, blocks, out, rowStride, stride);
      case Q6_K -> q6K(weights, rowBytes, rows, blocks, out, rowStride, stride);
      default -> throw new IllegalArgumentException("no blocks: " + type);
    }
  }

  private static void plain(
      WeightType type,
      long weights,
      long rowBytes,
      int rows,
      int count,
      long out,
      long rowStride,
      long stride) {
    int whole = count / SUMS;
    switch (type) {
      case F32 -> floats(weights, rowBytes, rows, whole, out, rowStride, stride);
      case F16 -> halves(weights, rowBytes, rows, whole, out, rowStride, stride);
      case BF16 -> brainFloats(weights, rowBytes, rows, whole, out, rowStride, stride);
      default -> throw new IllegalArgumentException("blocks: " + type);
    }
    int rest = count % SUMS;
    if (rest > 0) {
      for (int r = 0; r < rows; r++) {
        Dequantize.toFloats(
            type,
            Memory.slice(weights + r * rowBytes + type.bytes(count - rest), type.bytes(rest)),
            Memory.slice(out + r * rowStride + whole * stride, 4L * rest));
      }
    }
  }

  private static void floats(
      long weights, long rowBytes, int rows, int rounds, long out, long rowStride, long stride) {
    for (int r = 0; r < rows; r++) {
      long from = (weights + r * rowBytes) & ADDRESS;
      long to = (out + r * rowStride) & ADDRESS;
      for (int i = 0; i < rounds; i++) {
        for (int part = 0; part < PARTS; part++) {
          store(load(from + part * STEP), to + part * STEP);
        }
        from = (from + ROUND) & ADDRESS;
        to = (to + stride) & ADDRESS;
      }
    }
  }

  private static void brainFloats(
      long weights, long rowBytes, int rows, int rounds, long out, long rowStride, long stride) {
    for (int r = 0; r < rows; r++) {
      long from = (weights + r * rowBytes) & ADDRESS;
      long to = (out + r * rowStride) & ADDRESS;
      for (int i = 0; i < rounds; i++) {
        for (int part = 0; part < PARTS; part++) {
          store(brainFloat(from + part * STEP / 2), to + part * STEP);
        }
        from = (from + ROUND / 2) & ADDRESS;
        to = (to + stride) & ADDRESS;
      }
    }
  }

  private static void halves(
      long weights, long rowBytes, int rows, int rounds, long out, long rowStride, long stride) {
    for (int r = 0; r < rows; r++) {
      long from = (weights + r * rowBytes) & ADDRESS;
      long to = (out + r * rowStride) & ADDRESS;
      for (int i = 0; i < rounds; i++) {
        for (int part = 0; part < PARTS; part++) {
          store(half(from + part * STEP / 2), to + part * STEP);
        }
        from = (from + ROUND / 2) & ADDRESS;
        to = (to + stride) & ADDRESS;
      }
    }
  }

  private static FloatVector brainFloat(long weights) {
    ShortVector s = ShortVector.fromMemorySegment(HALF_SHORTS, ALL, weights & ADDRESS, ORDER);
    IntVector bits = (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
    return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /**
   * Half to single precision: exponent and fraction 13 bits lower, the exponent greater by 112.
   * That makes 2⁻¹⁵ · (1 + f) of a subnormal number 2⁻¹⁴ · f; twice that, less 2⁻¹⁴, is the number
   * again, and the lesser of both for no other number. Arithmetic with subnormal numbers themselves
   * is very slow on some processors. Infinities and NaNs are no weights.
   */
  private static FloatVector half(long weights) {
    ShortVector s = ShortVector.fromMemorySegment(HALF_SHORTS, ALL, weights & ADDRESS, ORDER);
    IntVector bits = (IntVector) s.convertShape(VectorOperators.S2I, INTS, 0);
    IntVector magnitude = bits.and(0x7fff).lanewise(VectorOperators.LSHL, 13).add(112 << 23);
    return magnitude
        .min(magnitude.reinterpretAsFloats().fma(TWOS, LEAST).reinterpretAsInts())
        .or(bits.and(SIGN))
        .reinterpretAsFloats();
  }

  private static float halfAt(long address) {
    return HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address) & 0xffff];
  }

  private static int intAt(long address) {
    return ALL.get(ValueLayout.JAVA_INT_UNALIGNED, address);
  }

  private static int byteAt(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  /**
   * As many unsigned bytes as a register has ints. No vector has 4 bytes, so those come as an int.
   */
  private static IntVector unsigned(long address) {
    if (LENGTH == 4) {
      return IntVector.broadcast(INTS, intAt(address))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .and(0xff);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(BYTES, ALL, address & ADDRESS, ORDER)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
  }

  /** As many signed bytes as a register has ints. */
  private static IntVector signed(long address) {
    if (LENGTH == 4) {
      return IntVector.broadcast(INTS, intAt(address))
          .lanewise(VectorOperators.LSHR, BYTE_SHIFTS)
          .lanewise(VectorOperators.LSHL, 24)
          .lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(BYTES, ALL, address & ADDRESS, ORDER)
            .convertShape(VectorOperators.B2I, INTS, 0);
  }

  private static FloatVector floats(IntVector q) {
    return (FloatVector) q.convertShape(VectorOperators.I2F, FLOATS, 0);
  }

  private static IntVector high(IntVector q) {
    return q.lanewise(VectorOperators.LSHR, 4);
  }

  /** Bit {@code lane + part · LENGTH + from} of 32 bits, as 16 or 0. */
  private static IntVector fifth(int bits, int part, int from) {
    return IntVector.broadcast(INTS, bits >>> (part * LENGTH + from))
        .lanewise(VectorOperators.LSHR, LANE)
        .and(1)
        .lanewise(VectorOperators.LSHL, 4);
  }

  private static void q8(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q8_0.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (2 * stride);
        float d = halfAt(block);
        for (int part = 0; part < PARTS; part++) {
          long q = block + 2 + part * BYTE_STEP;
          long at = to + part * STEP;
          store(floats(signed(q)).mul(d), at);
          store(floats(signed(q + 16)).mul(d), at + stride);
        }
      }
    }
  }

  private static void q4(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q4_0.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (2 * stride);
        float d = halfAt(block);
        for (int part = 0; part < PARTS; part++) {
          IntVector q = unsigned(block + 2 + part * BYTE_STEP);
          long at = to + part * STEP;
          store(floats(q.and(15).sub(8)).mul(d), at);
          store(floats(high(q).sub(8)).mul(d), at + stride);
        }
      }
    }
  }

  private static void q4WithMinimum(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q4_1.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (2 * stride);
        float d = halfAt(block);
        float m = halfAt(block + 2);
        for (int part = 0; part < PARTS; part++) {
          IntVector q = unsigned(block + 4 + part * BYTE_STEP);
          long at = to + part * STEP;
          store(floats(q.and(15)).mul(d).add(m), at);
          store(floats(high(q)).mul(d).add(m), at + stride);
        }
      }
    }
  }

  private static void q5(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q5_0.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (2 * stride);
        float d = halfAt(block);
        int bits = intAt(block + 2);
        for (int part = 0; part < PARTS; part++) {
          IntVector q = unsigned(block + 6 + part * BYTE_STEP);
          long at = to + part * STEP;
          store(floats(q.and(15).or(fifth(bits, part, 0)).sub(16)).mul(d), at);
          store(floats(high(q).or(fifth(bits, part, 16)).sub(16)).mul(d), at + stride);
        }
      }
    }
  }

  private static void q5WithMinimum(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q5_1.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (2 * stride);
        float d = halfAt(block);
        float m = halfAt(block + 2);
        int bits = intAt(block + 4);
        for (int part = 0; part < PARTS; part++) {
          IntVector q = unsigned(block + 8 + part * BYTE_STEP);
          long at = to + part * STEP;
          store(floats(q.and(15).or(fifth(bits, part, 0))).mul(d).add(m), at);
          store(floats(high(q).or(fifth(bits, part, 16))).mul(d).add(m), at + stride);
        }
      }
    }
  }

  /**
   * The eight 6-bit numbers of {@link Dequantize#subScale}, a byte each.
   *
   * @param first four of them, and the upper bits of the others
   * @param rest the lower bits of the others
   */
  private static long subScales(int first, int rest) {
    long others = (rest & 0x0f0f_0f0f) | ((first >>> 2) & 0x3030_3030);
    return (others << 32) | (first & 0x3f3f_3f3f);
  }

  private static void q4K(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q4_K.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (16 * stride);
        float d = halfAt(block);
        float dmin = halfAt(block + 2);
        long scales = subScales(intAt(block + 4), intAt(block + 12));
        long minima = subScales(intAt(block + 8), intAt(block + 12) >>> 4);
        for (int j = 0; j < 8; j += 2) {
          float low = d * (int) ((scales >>> (8 * j)) & 0xff);
          float lowMinimum = dmin * (int) ((minima >>> (8 * j)) & 0xff);
          float high = d * (int) ((scales >>> (8 * j + 8)) & 0xff);
          float highMinimum = dmin * (int) ((minima >>> (8 * j + 8)) & 0xff);
          for (int i = 0; i < 2 * PARTS; i++) {
            IntVector q = unsigned(block + 16 + 16L * j + i * BYTE_STEP);
            long at = to + (2 * j + i / PARTS) * stride + i % PARTS * STEP;
            store(floats(q.and(15)).mul(low).sub(lowMinimum), at);
            store(floats(high(q)).mul(high).sub(highMinimum), at + 2 * stride);
          }
        }
      }
    }
  }

  private static void q5K(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q5_K.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (16 * stride);
        float d = halfAt(block);
        float dmin = halfAt(block + 2);
        long scales = subScales(intAt(block + 4), intAt(block + 12));
        long minima = subScales(intAt(block + 8), intAt(block + 12) >>> 4);
        for (int j = 0; j < 8; j += 2) {
          float low = d * (int) ((scales >>> (8 * j)) & 0xff);
          float lowMinimum = dmin * (int) ((minima >>> (8 * j)) & 0xff);
          float high = d * (int) ((scales >>> (8 * j + 8)) & 0xff);
          float highMinimum = dmin * (int) ((minima >>> (8 * j + 8)) & 0xff);
          for (int i = 0; i < 2 * PARTS; i++) {
            IntVector q = unsigned(block + 48 + 16L * j + i * BYTE_STEP);
            IntVector h = unsigned(block + 16 + i * BYTE_STEP).lanewise(VectorOperators.LSHR, j);
            IntVector fifth = h.and(1).lanewise(VectorOperators.LSHL, 4);
            IntVector next = h.and(2).lanewise(VectorOperators.LSHL, 3);
            long at = to + (2 * j + i / PARTS) * stride + i % PARTS * STEP;
            store(floats(q.and(15).or(fifth)).mul(low).sub(lowMinimum), at);
            store(floats(high(q).or(next)).mul(high).sub(highMinimum), at + 2 * stride);
          }
        }
      }
    }
  }

  private static void q6K(
      long weights, long rowBytes, int rows, int blocks, long out, long rowStride, long stride) {
    long blockBytes = WeightType.Q6_K.blockBytes();
    for (int r = 0; r < rows; r++) {
      for (int b = 0; b < blocks; b++) {
        long block = weights + r * rowBytes + b * blockBytes;
        long to = out + r * rowStride + b * (16 * stride);
        float d = halfAt(block + 208);
        for (int i = 0; i < 8 * PARTS; i++) {
          int half = i / (4 * PARTS);
          int quarter = i / (2 * PARTS) % 2;
          long bytes = i % (2 * PARTS) * BYTE_STEP;
          IntVector l = unsigned(block + 64L * half + 32L * quarter + bytes);
          IntVector h =
              unsigned(block + 128 + 32L * half + bytes)
                  .lanewise(VectorOperators.LSHR, 2 * quarter);
          int chunk = 8 * half + 2 * quarter + i / PARTS % 2;
          long at = to + chunk * stride + i % PARTS * STEP;
          IntVector q = l.and(15).or(h.and(3).lanewise(VectorOperators.LSHL, 4)).sub(32);
          store(floats(q).mul(d * byteAt(block + 192 + chunk)), at);
          q = high(l).or(h.and(48)).sub(32);
          store(floats(q).mul(d * byteAt(block + 196 + chunk)), at + 4 * stride);
        }
      }
    }
  }

  // ---------------------------------------------------------------------------------------------
  // Products

  @Override
  public int tileTokens() {
    return TILE_TOKENS;
  }

  @Override
  public int tileRows() {
    return TILE_ROWS;
  }

  @Override
  public void tile(long x, int tokens, long w, int rounds, float[] sums, int at) {
    if (MANY_REGISTERS) {
      if (tokens > 2) {
        tile4x6(x, w, rounds, sums, at);
      } else {
        tile2x6(x, w, rounds, sums, at);
      }
    } else if (tokens > 1) {
      tile3x3(x, w, rounds, sums, at);
    } else {
      tile1x3(x, w, rounds, sums, at);
    }
  }

  /**
   * 4 tokens × 6 rows: 24 accumulators, 4 and 1 operands. Addresses go on by addition: computed
   * from the loop's variable they would be a quarter of its instructions.
   */
  private static void tile4x6(long x, long w, int rounds, float[] sums, int at) {
    for (int part = 0; part < PARTS; part++) {
      int from = at + part * LENGTH;
      FloatVector a00 = FloatVector.fromArray(FLOATS, sums, from);
      FloatVector a01 = FloatVector.fromArray(FLOATS, sums, from + SUMS);
      FloatVector a02 = FloatVector.fromArray(FLOATS, sums, from + 2 * SUMS);
      FloatVector a03 = FloatVector.fromArray(FLOATS, sums, from + 3 * SUMS);
      FloatVector a04 = FloatVector.fromArray(FLOATS, sums, from + 4 * SUMS);
      FloatVector a05 = FloatVector.fromArray(FLOATS, sums, from + 5 * SUMS);
      FloatVector a10 = FloatVector.fromArray(FLOATS, sums, from + 6 * SUMS);
      FloatVector a11 = FloatVector.fromArray(FLOATS, sums, from + 7 * SUMS);
      FloatVector a12 = FloatVector.fromArray(FLOATS, sums, from + 8 * SUMS);
      FloatVector a13 = FloatVector.fromArray(FLOATS, sums, from + 9 * SUMS);
      FloatVector a14 = FloatVector.fromArray(FLOATS, sums, from + 10 * SUMS);
      FloatVector a15 = FloatVector.fromArray(FLOATS, sums, from + 11 * SUMS);
      FloatVector a20 = FloatVector.fromArray(FLOATS, sums, from + 12 * SUMS);
      FloatVector a21 = FloatVector.fromArray(FLOATS, sums, from + 13 * SUMS);
      FloatVector a22 = FloatVector.fromArray(FLOATS, sums, from + 14 * SUMS);
      FloatVector a23 = FloatVector.fromArray(FLOATS, sums, from + 15 * SUMS);
      FloatVector a24 = FloatVector.fromArray(FLOATS, sums, from + 16 * SUMS);
      FloatVector a25 = FloatVector.fromArray(FLOATS, sums, from + 17 * SUMS);
      FloatVector a30 = FloatVector.fromArray(FLOATS, sums, from + 18 * SUMS);
      FloatVector a31 = FloatVector.fromArray(FLOATS, sums, from + 19 * SUMS);
      FloatVector a32 = FloatVector.fromArray(FLOATS, sums, from + 20 * SUMS);
      FloatVector a33 = FloatVector.fromArray(FLOATS, sums, from + 21 * SUMS);
      FloatVector a34 = FloatVector.fromArray(FLOATS, sums, from + 22 * SUMS);
      FloatVector a35 = FloatVector.fromArray(FLOATS, sums, from + 23 * SUMS);
      long xAt = (x + part * STEP) & ADDRESS;
      long wAt = (w + part * STEP) & ADDRESS;
      for (int i = 0; i < rounds; i++) {
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + ROUND, ORDER);
        FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + 2 * ROUND, ORDER);
        FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + 3 * ROUND, ORDER);
        FloatVector q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt, ORDER);
        a00 = v0.fma(q, a00);
        a10 = v1.fma(q, a10);
        a20 = v2.fma(q, a20);
        a30 = v3.fma(q, a30);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + ROUND, ORDER);
        a01 = v0.fma(q, a01);
        a11 = v1.fma(q, a11);
        a21 = v2.fma(q, a21);
        a31 = v3.fma(q, a31);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 2 * ROUND, ORDER);
        a02 = v0.fma(q, a02);
        a12 = v1.fma(q, a12);
        a22 = v2.fma(q, a22);
        a32 = v3.fma(q, a32);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 3 * ROUND, ORDER);
        a03 = v0.fma(q, a03);
        a13 = v1.fma(q, a13);
        a23 = v2.fma(q, a23);
        a33 = v3.fma(q, a33);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 4 * ROUND, ORDER);
        a04 = v0.fma(q, a04);
        a14 = v1.fma(q, a14);
        a24 = v2.fma(q, a24);
        a34 = v3.fma(q, a34);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 5 * ROUND, ORDER);
        a05 = v0.fma(q, a05);
        a15 = v1.fma(q, a15);
        a25 = v2.fma(q, a25);
        a35 = v3.fma(q, a35);
        xAt = (xAt + TILE_TOKENS * ROUND) & ADDRESS;
        wAt = (wAt + TILE_ROWS * ROUND) & ADDRESS;
      }
      a00.intoArray(sums, from);
      a01.intoArray(sums, from + SUMS);
      a02.intoArray(sums, from + 2 * SUMS);
      a03.intoArray(sums, from + 3 * SUMS);
      a04.intoArray(sums, from + 4 * SUMS);
      a05.intoArray(sums, from + 5 * SUMS);
      a10.intoArray(sums, from + 6 * SUMS);
      a11.intoArray(sums, from + 7 * SUMS);
      a12.intoArray(sums, from + 8 * SUMS);
      a13.intoArray(sums, from + 9 * SUMS);
      a14.intoArray(sums, from + 10 * SUMS);
      a15.intoArray(sums, from + 11 * SUMS);
      a20.intoArray(sums, from + 12 * SUMS);
      a21.intoArray(sums, from + 13 * SUMS);
      a22.intoArray(sums, from + 14 * SUMS);
      a23.intoArray(sums, from + 15 * SUMS);
      a24.intoArray(sums, from + 16 * SUMS);
      a25.intoArray(sums, from + 17 * SUMS);
      a30.intoArray(sums, from + 18 * SUMS);
      a31.intoArray(sums, from + 19 * SUMS);
      a32.intoArray(sums, from + 20 * SUMS);
      a33.intoArray(sums, from + 21 * SUMS);
      a34.intoArray(sums, from + 22 * SUMS);
      a35.intoArray(sums, from + 23 * SUMS);
    }
  }

  /** 2 tokens × 6 rows: 12 accumulators, 2 and 1 operands. */
  private static void tile2x6(long x, long w, int rounds, float[] sums, int at) {
    for (int part = 0; part < PARTS; part++) {
      int from = at + part * LENGTH;
      FloatVector a00 = FloatVector.fromArray(FLOATS, sums, from);
      FloatVector a01 = FloatVector.fromArray(FLOATS, sums, from + SUMS);
      FloatVector a02 = FloatVector.fromArray(FLOATS, sums, from + 2 * SUMS);
      FloatVector a03 = FloatVector.fromArray(FLOATS, sums, from + 3 * SUMS);
      FloatVector a04 = FloatVector.fromArray(FLOATS, sums, from + 4 * SUMS);
      FloatVector a05 = FloatVector.fromArray(FLOATS, sums, from + 5 * SUMS);
      FloatVector a10 = FloatVector.fromArray(FLOATS, sums, from + 6 * SUMS);
      FloatVector a11 = FloatVector.fromArray(FLOATS, sums, from + 7 * SUMS);
      FloatVector a12 = FloatVector.fromArray(FLOATS, sums, from + 8 * SUMS);
      FloatVector a13 = FloatVector.fromArray(FLOATS, sums, from + 9 * SUMS);
      FloatVector a14 = FloatVector.fromArray(FLOATS, sums, from + 10 * SUMS);
      FloatVector a15 = FloatVector.fromArray(FLOATS, sums, from + 11 * SUMS);
      long xAt = (x + part * STEP) & ADDRESS;
      long wAt = (w + part * STEP) & ADDRESS;
      for (int i = 0; i < rounds; i++) {
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + ROUND, ORDER);
        FloatVector q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt, ORDER);
        a00 = v0.fma(q, a00);
        a10 = v1.fma(q, a10);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + ROUND, ORDER);
        a01 = v0.fma(q, a01);
        a11 = v1.fma(q, a11);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 2 * ROUND, ORDER);
        a02 = v0.fma(q, a02);
        a12 = v1.fma(q, a12);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 3 * ROUND, ORDER);
        a03 = v0.fma(q, a03);
        a13 = v1.fma(q, a13);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 4 * ROUND, ORDER);
        a04 = v0.fma(q, a04);
        a14 = v1.fma(q, a14);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 5 * ROUND, ORDER);
        a05 = v0.fma(q, a05);
        a15 = v1.fma(q, a15);
        xAt = (xAt + TILE_TOKENS * ROUND) & ADDRESS;
        wAt = (wAt + TILE_ROWS * ROUND) & ADDRESS;
      }
      a00.intoArray(sums, from);
      a01.intoArray(sums, from + SUMS);
      a02.intoArray(sums, from + 2 * SUMS);
      a03.intoArray(sums, from + 3 * SUMS);
      a04.intoArray(sums, from + 4 * SUMS);
      a05.intoArray(sums, from + 5 * SUMS);
      a10.intoArray(sums, from + 6 * SUMS);
      a11.intoArray(sums, from + 7 * SUMS);
      a12.intoArray(sums, from + 8 * SUMS);
      a13.intoArray(sums, from + 9 * SUMS);
      a14.intoArray(sums, from + 10 * SUMS);
      a15.intoArray(sums, from + 11 * SUMS);
    }
  }

  /**
   * 3 tokens × 3 rows: 9 accumulators, 3 and 3 operands. The compiler loads all operands before it
   * multiplies any, and unrolls counted loops: with more of them, or in such a loop, accumulators
   * would not stay in the 16 registers, which takes twice as long.
   */
  private static void tile3x3(long x, long w, int rounds, float[] sums, int at) {
    for (int part = 0; part < PARTS; part++) {
      int from = at + part * LENGTH;
      FloatVector a00 = FloatVector.fromArray(FLOATS, sums, from);
      FloatVector a01 = FloatVector.fromArray(FLOATS, sums, from + SUMS);
      FloatVector a02 = FloatVector.fromArray(FLOATS, sums, from + 2 * SUMS);
      FloatVector a10 = FloatVector.fromArray(FLOATS, sums, from + 3 * SUMS);
      FloatVector a11 = FloatVector.fromArray(FLOATS, sums, from + 4 * SUMS);
      FloatVector a12 = FloatVector.fromArray(FLOATS, sums, from + 5 * SUMS);
      FloatVector a20 = FloatVector.fromArray(FLOATS, sums, from + 6 * SUMS);
      FloatVector a21 = FloatVector.fromArray(FLOATS, sums, from + 7 * SUMS);
      FloatVector a22 = FloatVector.fromArray(FLOATS, sums, from + 8 * SUMS);
      long nextX = x + part * STEP;
      long nextW = w + part * STEP;
      long end = nextX + rounds * (TILE_TOKENS * ROUND);
      while (nextX != end) {
        long xAt = nextX & ADDRESS;
        long wAt = nextW & ADDRESS;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + ROUND, ORDER);
        FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + 2 * ROUND, ORDER);
        FloatVector q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt, ORDER);
        a00 = v0.fma(q, a00);
        a10 = v1.fma(q, a10);
        a20 = v2.fma(q, a20);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + ROUND, ORDER);
        a01 = v0.fma(q, a01);
        a11 = v1.fma(q, a11);
        a21 = v2.fma(q, a21);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 2 * ROUND, ORDER);
        a02 = v0.fma(q, a02);
        a12 = v1.fma(q, a12);
        a22 = v2.fma(q, a22);
        nextX += TILE_TOKENS * ROUND;
        nextW += TILE_ROWS * ROUND;
      }
      a00.intoArray(sums, from);
      a01.intoArray(sums, from + SUMS);
      a02.intoArray(sums, from + 2 * SUMS);
      a10.intoArray(sums, from + 3 * SUMS);
      a11.intoArray(sums, from + 4 * SUMS);
      a12.intoArray(sums, from + 5 * SUMS);
      a20.intoArray(sums, from + 6 * SUMS);
      a21.intoArray(sums, from + 7 * SUMS);
      a22.intoArray(sums, from + 8 * SUMS);
    }
  }

  /** 1 token × 3 rows: 3 accumulators, 1 and 3 operands. */
  private static void tile1x3(long x, long w, int rounds, float[] sums, int at) {
    for (int part = 0; part < PARTS; part++) {
      int from = at + part * LENGTH;
      FloatVector a00 = FloatVector.fromArray(FLOATS, sums, from);
      FloatVector a01 = FloatVector.fromArray(FLOATS, sums, from + SUMS);
      FloatVector a02 = FloatVector.fromArray(FLOATS, sums, from + 2 * SUMS);
      long nextX = x + part * STEP;
      long nextW = w + part * STEP;
      long end = nextX + rounds * (TILE_TOKENS * ROUND);
      while (nextX != end) {
        long xAt = nextX & ADDRESS;
        long wAt = nextW & ADDRESS;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt, ORDER);
        a00 = v0.fma(q, a00);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + ROUND, ORDER);
        a01 = v0.fma(q, a01);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 2 * ROUND, ORDER);
        a02 = v0.fma(q, a02);
        nextX += TILE_TOKENS * ROUND;
        nextW += TILE_ROWS * ROUND;
      }
      a00.intoArray(sums, from);
      a01.intoArray(sums, from + SUMS);
      a02.intoArray(sums, from + 2 * SUMS);
    }
  }

  @Override
  public void trees(float[] sums, int at, int count, long out) {
    for (int i = 0; i < count; i++) {
      set(out + 4L * i, tree(sums, at + SUMS * i));
    }
  }

  private static float tree(float[] sums, int at) {
    if (LENGTH == 4) {
      return Memory.tree(sums, at);
    }
    FloatVector v =
        FloatVector.fromArray(EIGHT, sums, at).add(FloatVector.fromArray(EIGHT, sums, at + 8));
    v = v.add(v.rearrange(BY_FOUR));
    v = v.add(v.rearrange(BY_TWO));
    return v.lane(0) + v.lane(1);
  }

  @Override
  public boolean dotsRead(WeightType type, int tokens) {
    return switch (type) {
      // Four tokens of F32 would have to come from the second-level cache, which takes longer.
      case F32 -> tokens <= 2;
      case BF16 -> tokens <= DOTS_TOKENS;
      case F16 -> tokens == 1 || (BITS == 512 && tokens <= DOTS_TOKENS);
      default -> false;
    };
  }

  @Override
  public void dots(
      WeightType type,
      long x,
      int tokens,
      long w,
      int rows,
      int columns,
      long out,
      long outStride,
      float[] sums) {
    // Streams of rows that follow one another: the processor's prefetchers follow each of them on
    // and on through memory, and a kernel's loop goes on from row to row, since where it ends no
    // loads are under way. The last streams overlap where the rows cannot be divided.
    int each = (rows + STREAMS - 1) / STREAMS;
    long rowBytes = type.bytes(columns);
    int most = tokens == 1 ? 1 : tokens == 2 || !MANY_REGISTERS ? 2 : 4;
    int together = DOTS_SUMS / (STREAMS * most);
    if (PARTS > 1 || tokens > most) {
      // They are read more than once, so they must stay in the cache.
      together = Math.clamp(CACHED_BYTES / (STREAMS * rowBytes), 1, together);
    }
    for (int from = 0; from < each; from += together) {
      int count = Math.min(together, each - from);
      int width;
      for (int t = 0; t < tokens; t += width) {
        int left = tokens - t;
        width = left == 1 ? 1 : left == 2 ? 2 : most;
        long token = x + 4L * columns * t;
        dots(
            type,
            token,
            Math.min(width, left),
            w,
            rowBytes,
            rows,
            each,
            from,
            count,
            columns,
            sums);
        for (int s = 0; s < STREAMS; s++) {
          long to = out + t * outStride + 4L * (first(s, rows, each) + from);
          for (int i = 0; i < Math.min(width, left); i++) {
            for (int r = 0; r < count; r++) {
              set(to + i * outStride + 4L * r, tree(sums, ((r * STREAMS + s) * width + i) * SUMS));
            }
          }
        }
      }
    }
  }

  /** The first row of a stream. */
  private static int first(int stream, int rows, int each) {
    return Math.min(stream * each, rows - each);
  }

  /** Some rows of each stream; writes {@code [count][STREAMS][1, 2 or 4 tokens][SUMS]} sums. */
  private static void dots(
      WeightType type,
      long x,
      int tokens,
      long w,
      long rowBytes,
      int rows,
      int each,
      int from,
      int count,
      int columns,
      float[] sums) {
    long w0 = w + rowBytes * from;
    long w1 = w0 + rowBytes * first(1, rows, each);
    long w2 = w0 + rowBytes * first(2, rows, each);
    long w3 = w0 + rowBytes * first(3, rows, each);
    long x1 = x + 4L * columns;
    long x2 = x1 + 4L * columns;
    // Instead of a fourth token the third one again.
    long x3 = tokens == 3 ? x2 : x2 + 4L * columns;
    switch (type) {
      case F32 -> {
        if (tokens == 1) {
          floatDots(x, w0, w1, w2, w3, count, columns, sums);
        } else {
          floatDots4x2(x, x1, w0, w1, w2, w3, count, columns, sums);
        }
      }
      case F16 -> {
        if (tokens == 2) {
          halfDots4x2(x, x1, w0, w1, w2, w3, count, columns, sums);
        } else if (tokens > 2) {
          halfDots4x4(x, x1, x2, x3, w0, w1, w2, w3, count, columns, sums);
        } else if (BITS == 512) {
          halfDots(x, w0, w1, w2, w3, count, columns, sums);
        } else {
          convertedHalfDots(x, w0, w1, w2, w3, count, columns, sums);
        }
      }
      case BF16 -> {
        switch (tokens) {
          case 1 -> brainFloatDots(x, w0, w1, w2, w3, count, columns, sums);
          case 2 -> brainFloatDots4x2(x, x1, w0, w1, w2, w3, count, columns, sums);
          default -> brainFloatDots4x4(x, x1, x2, x3, w0, w1, w2, w3, count, columns, sums);
        }
      }
      default -> throw new IllegalArgumentException("no dot products with " + type);
    }
  }

  private static void floatDots(
      long x, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      long start = x + part * STEP;
      long end = start + ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long at = ROUND * i + part * STEP;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        a0 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w0 + at, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w1 + at, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w2 + at, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w3 + at, ORDER), a3);
        next += ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          next = start;
          to += 4 * SUMS;
        }
      }
    }
  }

  /** Products of 4 streams of rows with 2 tokens: 8 accumulators. */
  private static void floatDots4x2(
      long x0, long x1, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      int to = part * LENGTH;
      for (int r = 0; r < count; r++) {
        long row = ROUND * length * r + part * STEP;
        FloatVector a00 = FloatVector.zero(FLOATS);
        FloatVector a01 = a00;
        FloatVector a10 = a00;
        FloatVector a11 = a00;
        FloatVector a20 = a00;
        FloatVector a21 = a00;
        FloatVector a30 = a00;
        FloatVector a31 = a00;
        for (int i = 0; i < length; i++) {
          long k = ROUND * i + part * STEP;
          long at = ROUND * i + row;
          FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + k, ORDER);
          FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + k, ORDER);
          FloatVector q0 = FloatVector.fromMemorySegment(FLOATS, ALL, w0 + at, ORDER);
          a00 = v0.fma(q0, a00);
          a01 = v1.fma(q0, a01);
          FloatVector q1 = FloatVector.fromMemorySegment(FLOATS, ALL, w1 + at, ORDER);
          a10 = v0.fma(q1, a10);
          a11 = v1.fma(q1, a11);
          FloatVector q2 = FloatVector.fromMemorySegment(FLOATS, ALL, w2 + at, ORDER);
          a20 = v0.fma(q2, a20);
          a21 = v1.fma(q2, a21);
          FloatVector q3 = FloatVector.fromMemorySegment(FLOATS, ALL, w3 + at, ORDER);
          a30 = v0.fma(q3, a30);
          a31 = v1.fma(q3, a31);
        }
        a00.intoArray(sums, to);
        a01.intoArray(sums, to + SUMS);
        a10.intoArray(sums, to + 2 * SUMS);
        a11.intoArray(sums, to + 3 * SUMS);
        a20.intoArray(sums, to + 4 * SUMS);
        a21.intoArray(sums, to + 5 * SUMS);
        a30.intoArray(sums, to + 6 * SUMS);
        a31.intoArray(sums, to + 7 * SUMS);
        to += 8 * SUMS;
      }
    }
  }

  /** Converts as {@link #half} does; written out, since C2 inlines only so much. */
  private static void halfDots(
      long x, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / SUMS;
    IntVector low = IntVector.broadcast(INTS, 0x7fff);
    IntVector offset = IntVector.broadcast(INTS, 112 << 23);
    IntVector sign = IntVector.broadcast(INTS, 0x8000_0000);
    FloatVector two = all(2);
    FloatVector least = all(-0x1p-14f);
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      long start = x + part * STEP;
      long end = start + ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long at = ROUND / 2 * i + part * STEP / 2;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        IntVector bits0 =
            (IntVector)
                ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w0 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        IntVector magnitude0 = bits0.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
        a0 =
            v.fma(
                magnitude0
                    .min(magnitude0.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                    .or(bits0.and(sign))
                    .reinterpretAsFloats(),
                a0);
        IntVector bits1 =
            (IntVector)
                ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w1 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        IntVector magnitude1 = bits1.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
        a1 =
            v.fma(
                magnitude1
                    .min(magnitude1.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                    .or(bits1.and(sign))
                    .reinterpretAsFloats(),
                a1);
        IntVector bits2 =
            (IntVector)
                ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w2 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        IntVector magnitude2 = bits2.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
        a2 =
            v.fma(
                magnitude2
                    .min(magnitude2.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                    .or(bits2.and(sign))
                    .reinterpretAsFloats(),
                a2);
        IntVector bits3 =
            (IntVector)
                ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w3 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        IntVector magnitude3 = bits3.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
        a3 =
            v.fma(
                magnitude3
                    .min(magnitude3.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                    .or(bits3.and(sign))
                    .reinterpretAsFloats(),
                a3);
        next += ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          next = start;
          to += 4 * SUMS;
        }
      }
    }
  }

  /** Products of 4 streams of rows with 2 tokens, converted as in {@link #halfDots}. */
  private static void halfDots4x2(
      long x0, long x1, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / SUMS;
    IntVector low = IntVector.broadcast(INTS, 0x7fff);
    IntVector offset = IntVector.broadcast(INTS, 112 << 23);
    IntVector sign = IntVector.broadcast(INTS, 0x8000_0000);
    FloatVector two = all(2);
    FloatVector least = all(-0x1p-14f);
    for (int part = 0; part < PARTS; part++) {
      int to = part * LENGTH;
      for (int r = 0; r < count; r++) {
        long row = ROUND / 2 * length * r + part * STEP / 2;
        FloatVector a00 = FloatVector.zero(FLOATS);
        FloatVector a01 = a00;
        FloatVector a10 = a00;
        FloatVector a11 = a00;
        FloatVector a20 = a00;
        FloatVector a21 = a00;
        FloatVector a30 = a00;
        FloatVector a31 = a00;
        for (int i = 0; i < length; i++) {
          long k = ROUND * i + part * STEP;
          long at = ROUND / 2 * i + row;
          FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + k, ORDER);
          FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + k, ORDER);
          IntVector bits0 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w0 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude0 = bits0.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q0 =
              magnitude0
                  .min(magnitude0.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits0.and(sign))
                  .reinterpretAsFloats();
          a00 = v0.fma(q0, a00);
          a01 = v1.fma(q0, a01);
          IntVector bits1 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w1 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude1 = bits1.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q1 =
              magnitude1
                  .min(magnitude1.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits1.and(sign))
                  .reinterpretAsFloats();
          a10 = v0.fma(q1, a10);
          a11 = v1.fma(q1, a11);
          IntVector bits2 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w2 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude2 = bits2.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q2 =
              magnitude2
                  .min(magnitude2.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits2.and(sign))
                  .reinterpretAsFloats();
          a20 = v0.fma(q2, a20);
          a21 = v1.fma(q2, a21);
          IntVector bits3 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w3 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude3 = bits3.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q3 =
              magnitude3
                  .min(magnitude3.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits3.and(sign))
                  .reinterpretAsFloats();
          a30 = v0.fma(q3, a30);
          a31 = v1.fma(q3, a31);
        }
        a00.intoArray(sums, to);
        a01.intoArray(sums, to + SUMS);
        a10.intoArray(sums, to + 2 * SUMS);
        a11.intoArray(sums, to + 3 * SUMS);
        a20.intoArray(sums, to + 4 * SUMS);
        a21.intoArray(sums, to + 5 * SUMS);
        a30.intoArray(sums, to + 6 * SUMS);
        a31.intoArray(sums, to + 7 * SUMS);
        to += 8 * SUMS;
      }
    }
  }

  /** The same with 4 tokens: 16 accumulators. */
  private static void halfDots4x4(
      long x0,
      long x1,
      long x2,
      long x3,
      long w0,
      long w1,
      long w2,
      long w3,
      int count,
      int columns,
      float[] sums) {
    int length = columns / SUMS;
    IntVector low = IntVector.broadcast(INTS, 0x7fff);
    IntVector offset = IntVector.broadcast(INTS, 112 << 23);
    IntVector sign = IntVector.broadcast(INTS, 0x8000_0000);
    FloatVector two = all(2);
    FloatVector least = all(-0x1p-14f);
    for (int part = 0; part < PARTS; part++) {
      int to = part * LENGTH;
      for (int r = 0; r < count; r++) {
        long row = ROUND / 2 * length * r + part * STEP / 2;
        FloatVector a00 = FloatVector.zero(FLOATS);
        FloatVector a01 = a00;
        FloatVector a02 = a00;
        FloatVector a03 = a00;
        FloatVector a10 = a00;
        FloatVector a11 = a00;
        FloatVector a12 = a00;
        FloatVector a13 = a00;
        FloatVector a20 = a00;
        FloatVector a21 = a00;
        FloatVector a22 = a00;
        FloatVector a23 = a00;
        FloatVector a30 = a00;
        FloatVector a31 = a00;
        FloatVector a32 = a00;
        FloatVector a33 = a00;
        for (int i = 0; i < length; i++) {
          long k = ROUND * i + part * STEP;
          long at = ROUND / 2 * i + row;
          FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + k, ORDER);
          FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + k, ORDER);
          FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, x2 + k, ORDER);
          FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, x3 + k, ORDER);
          IntVector bits0 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w0 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude0 = bits0.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q0 =
              magnitude0
                  .min(magnitude0.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits0.and(sign))
                  .reinterpretAsFloats();
          a00 = v0.fma(q0, a00);
          a01 = v1.fma(q0, a01);
          a02 = v2.fma(q0, a02);
          a03 = v3.fma(q0, a03);
          IntVector bits1 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w1 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude1 = bits1.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q1 =
              magnitude1
                  .min(magnitude1.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits1.and(sign))
                  .reinterpretAsFloats();
          a10 = v0.fma(q1, a10);
          a11 = v1.fma(q1, a11);
          a12 = v2.fma(q1, a12);
          a13 = v3.fma(q1, a13);
          IntVector bits2 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w2 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude2 = bits2.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q2 =
              magnitude2
                  .min(magnitude2.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits2.and(sign))
                  .reinterpretAsFloats();
          a20 = v0.fma(q2, a20);
          a21 = v1.fma(q2, a21);
          a22 = v2.fma(q2, a22);
          a23 = v3.fma(q2, a23);
          IntVector bits3 =
              (IntVector)
                  ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w3 + at, ORDER)
                      .convertShape(VectorOperators.S2I, INTS, 0);
          IntVector magnitude3 = bits3.and(low).lanewise(VectorOperators.LSHL, 13).add(offset);
          FloatVector q3 =
              magnitude3
                  .min(magnitude3.reinterpretAsFloats().fma(two, least).reinterpretAsInts())
                  .or(bits3.and(sign))
                  .reinterpretAsFloats();
          a30 = v0.fma(q3, a30);
          a31 = v1.fma(q3, a31);
          a32 = v2.fma(q3, a32);
          a33 = v3.fma(q3, a33);
        }
        a00.intoArray(sums, to);
        a01.intoArray(sums, to + SUMS);
        a02.intoArray(sums, to + 2 * SUMS);
        a03.intoArray(sums, to + 3 * SUMS);
        a10.intoArray(sums, to + 4 * SUMS);
        a11.intoArray(sums, to + 5 * SUMS);
        a12.intoArray(sums, to + 6 * SUMS);
        a13.intoArray(sums, to + 7 * SUMS);
        a20.intoArray(sums, to + 8 * SUMS);
        a21.intoArray(sums, to + 9 * SUMS);
        a22.intoArray(sums, to + 10 * SUMS);
        a23.intoArray(sums, to + 11 * SUMS);
        a30.intoArray(sums, to + 12 * SUMS);
        a31.intoArray(sums, to + 13 * SUMS);
        a32.intoArray(sums, to + 14 * SUMS);
        a33.intoArray(sums, to + 15 * SUMS);
        to += 16 * SUMS;
      }
    }
  }

  /**
   * Some columns at a time become float32 in the cache. Narrow registers are faster with this than
   * with {@link #halfDots}, twice as fast with 128 bits: the processor's instruction converts in
   * one step. But while products are added no loads from memory are under way.
   */
  private static void convertedHalfDots(
      long x, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    for (int r = 0; r < count; r++) {
      int to = r * STREAMS * SUMS;
      Arrays.fill(sums, to, to + STREAMS * SUMS, 0);
      for (int column = 0; column < columns; column += HALVES_TOGETHER) {
        int n = Math.min(HALVES_TOGETHER, columns - column);
        long at = 2L * ((long) r * columns + column);
        halves(w0 + at, w1 + at, w2 + at, w3 + at, sums, n);
        for (int part = 0; part < PARTS; part++) {
          addProducts(x + 4L * column + part * STEP, sums, part, n / SUMS, to + part * LENGTH);
        }
      }
    }
  }

  /**
   * Turns halves of four rows into float32. The processor's instruction for that is not in the
   * Vector API, but the compiler makes vectors of it of this loop by itself, as long as what is
   * read and what is written cannot be the same memory: so they go to an array.
   */
  private static void halves(long w0, long w1, long w2, long w3, float[] to, int n) {
    for (int i = 0; i < n; i++) {
      to[HALVES + i] = Float.float16ToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + 2L * i));
      to[HALVES + HALVES_TOGETHER + i] =
          Float.float16ToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + 2L * i));
      to[HALVES + 2 * HALVES_TOGETHER + i] =
          Float.float16ToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + 2L * i));
      to[HALVES + 3 * HALVES_TOGETHER + i] =
          Float.float16ToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + 2L * i));
    }
  }

  /** Adds the products of a token with four rows of such floats. */
  private static void addProducts(long x, float[] sums, int part, int rounds, int to) {
    FloatVector a0 = FloatVector.fromArray(FLOATS, sums, to);
    FloatVector a1 = FloatVector.fromArray(FLOATS, sums, to + SUMS);
    FloatVector a2 = FloatVector.fromArray(FLOATS, sums, to + 2 * SUMS);
    FloatVector a3 = FloatVector.fromArray(FLOATS, sums, to + 3 * SUMS);
    int from = HALVES + part * LENGTH;
    for (int i = 0; i < rounds; i++) {
      int at = from + i * SUMS;
      FloatVector v = load(x + i * ROUND);
      a0 = v.fma(FloatVector.fromArray(FLOATS, sums, at), a0);
      a1 = v.fma(FloatVector.fromArray(FLOATS, sums, at + HALVES_TOGETHER), a1);
      a2 = v.fma(FloatVector.fromArray(FLOATS, sums, at + 2 * HALVES_TOGETHER), a2);
      a3 = v.fma(FloatVector.fromArray(FLOATS, sums, at + 3 * HALVES_TOGETHER), a3);
    }
    a0.intoArray(sums, to);
    a1.intoArray(sums, to + SUMS);
    a2.intoArray(sums, to + 2 * SUMS);
    a3.intoArray(sums, to + 3 * SUMS);
  }

  private static void brainFloatDots(
      long x, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      long start = x + part * STEP;
      long end = start + ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long at = ROUND / 2 * i + part * STEP / 2;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        a0 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w0 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a0);
        a1 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w1 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a1);
        a2 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w2 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a2);
        a3 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w3 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a3);
        next += ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          next = start;
          to += 4 * SUMS;
        }
      }
    }
  }

  /** Products of 4 streams of rows with 2 tokens: 8 accumulators. */
  private static void brainFloatDots4x2(
      long x0, long x1, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      int to = part * LENGTH;
      for (int r = 0; r < count; r++) {
        long row = ROUND / 2 * length * r + part * STEP / 2;
        FloatVector a00 = FloatVector.zero(FLOATS);
        FloatVector a01 = a00;
        FloatVector a10 = a00;
        FloatVector a11 = a00;
        FloatVector a20 = a00;
        FloatVector a21 = a00;
        FloatVector a30 = a00;
        FloatVector a31 = a00;
        for (int i = 0; i < length; i++) {
          long k = ROUND * i + part * STEP;
          long at = ROUND / 2 * i + row;
          FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + k, ORDER);
          FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + k, ORDER);
          FloatVector q0 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w0 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a00 = v0.fma(q0, a00);
          a01 = v1.fma(q0, a01);
          FloatVector q1 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w1 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a10 = v0.fma(q1, a10);
          a11 = v1.fma(q1, a11);
          FloatVector q2 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w2 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a20 = v0.fma(q2, a20);
          a21 = v1.fma(q2, a21);
          FloatVector q3 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w3 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a30 = v0.fma(q3, a30);
          a31 = v1.fma(q3, a31);
        }
        a00.intoArray(sums, to);
        a01.intoArray(sums, to + SUMS);
        a10.intoArray(sums, to + 2 * SUMS);
        a11.intoArray(sums, to + 3 * SUMS);
        a20.intoArray(sums, to + 4 * SUMS);
        a21.intoArray(sums, to + 5 * SUMS);
        a30.intoArray(sums, to + 6 * SUMS);
        a31.intoArray(sums, to + 7 * SUMS);
        to += 8 * SUMS;
      }
    }
  }

  /** The same with 4 tokens: 16 accumulators. */
  private static void brainFloatDots4x4(
      long x0,
      long x1,
      long x2,
      long x3,
      long w0,
      long w1,
      long w2,
      long w3,
      int count,
      int columns,
      float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      int to = part * LENGTH;
      for (int r = 0; r < count; r++) {
        long row = ROUND / 2 * length * r + part * STEP / 2;
        FloatVector a00 = FloatVector.zero(FLOATS);
        FloatVector a01 = a00;
        FloatVector a02 = a00;
        FloatVector a03 = a00;
        FloatVector a10 = a00;
        FloatVector a11 = a00;
        FloatVector a12 = a00;
        FloatVector a13 = a00;
        FloatVector a20 = a00;
        FloatVector a21 = a00;
        FloatVector a22 = a00;
        FloatVector a23 = a00;
        FloatVector a30 = a00;
        FloatVector a31 = a00;
        FloatVector a32 = a00;
        FloatVector a33 = a00;
        for (int i = 0; i < length; i++) {
          long k = ROUND * i + part * STEP;
          long at = ROUND / 2 * i + row;
          FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, x0 + k, ORDER);
          FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, x1 + k, ORDER);
          FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, x2 + k, ORDER);
          FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, x3 + k, ORDER);
          FloatVector q0 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w0 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a00 = v0.fma(q0, a00);
          a01 = v1.fma(q0, a01);
          a02 = v2.fma(q0, a02);
          a03 = v3.fma(q0, a03);
          FloatVector q1 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w1 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a10 = v0.fma(q1, a10);
          a11 = v1.fma(q1, a11);
          a12 = v2.fma(q1, a12);
          a13 = v3.fma(q1, a13);
          FloatVector q2 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w2 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a20 = v0.fma(q2, a20);
          a21 = v1.fma(q2, a21);
          a22 = v2.fma(q2, a22);
          a23 = v3.fma(q2, a23);
          FloatVector q3 =
              ((IntVector)
                      ShortVector.fromMemorySegment(HALF_SHORTS, ALL, w3 + at, ORDER)
                          .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                  .lanewise(VectorOperators.LSHL, 16)
                  .reinterpretAsFloats();
          a30 = v0.fma(q3, a30);
          a31 = v1.fma(q3, a31);
          a32 = v2.fma(q3, a32);
          a33 = v3.fma(q3, a33);
        }
        a00.intoArray(sums, to);
        a01.intoArray(sums, to + SUMS);
        a02.intoArray(sums, to + 2 * SUMS);
        a03.intoArray(sums, to + 3 * SUMS);
        a10.intoArray(sums, to + 4 * SUMS);
        a11.intoArray(sums, to + 5 * SUMS);
        a12.intoArray(sums, to + 6 * SUMS);
        a13.intoArray(sums, to + 7 * SUMS);
        a20.intoArray(sums, to + 8 * SUMS);
        a21.intoArray(sums, to + 9 * SUMS);
        a22.intoArray(sums, to + 10 * SUMS);
        a23.intoArray(sums, to + 11 * SUMS);
        a30.intoArray(sums, to + 12 * SUMS);
        a31.intoArray(sums, to + 13 * SUMS);
        a32.intoArray(sums, to + 14 * SUMS);
        a33.intoArray(sums, to + 15 * SUMS);
        to += 16 * SUMS;
      }
    }
  }

  @Override
  public void quantize(WeightType type, long x, int columns, int[] out, int at, int together) {
    int stride = together * tokenInts(type, together);
    int blocks = columns / Packed.COLUMNS;
    switch (type) {
      case Q8_0 -> quantizeFinely(x, blocks, out, at, stride);
      case Q5_0, Q5_K -> quantizeForFives(x, blocks, out, at, stride);
      case Q6_K -> {
        if (inTiles(type, together)) {
          quantizeForTiles(x, blocks, out, at, stride);
        } else {
          quantizeForNibbles(x, blocks, out, at, stride);
        }
      }
      default -> quantizeForNibbles(x, blocks, out, at, stride);
    }
  }

  @Override
  public int tokenInts(WeightType type, int together) {
    return inTiles(type, together) ? FINE : Packed.activationInts(type);
  }

  /** Whether tokens that lie together are multiplied with weights that were turned into floats. */
  private static boolean inTiles(WeightType type, int together) {
    return (type == WeightType.Q8_0 && together > 4) || (type == WeightType.Q6_K && together > 8);
  }

  /** Whether so many tokens are multiplied by {@link #blockDots}. */
  private static boolean inBlocks(WeightType type, int together) {
    return type != WeightType.Q8_0
        && type != WeightType.Q6_K
        && (MANY_REGISTERS ? together == 8 : together > 1);
  }

  private static float largest(long x, int columns) {
    IntVector most = IntVector.zero(INTS);
    for (int i = 0; i < columns; i += LENGTH) {
      most = most.max(load(x + 4L * i).reinterpretAsInts().and(Integer.MAX_VALUE));
    }
    return Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
  }

  /** The integers nearest to floats. */
  private static IntVector rounded(FloatVector x) {
    return x.add(Packed.ROUNDER).reinterpretAsInts().sub(Float.floatToRawIntBits(Packed.ROUNDER));
  }

  private static IntVector twice(IntVector x) {
    return x.and(0xffff).or(x.lanewise(VectorOperators.LSHL, 16));
  }

  /** Blocks of activations for fives. */
  private static void quantizeForFives(long x, int blocks, int[] out, int at, int stride) {
    for (int half = 0; half < 2 * blocks; half++) {
      long from = x + 4L * Packed.FIVE_COLUMNS * half;
      int to = at + half / 2 * stride + half % 2 * Packed.FIVE_INTS;
      float largest = largest(from, Packed.FIVE_COLUMNS);
      float factor = largest < Packed.SMALLEST ? 0 : Packed.LARGEST / largest;
      IntVector sum = IntVector.zero(INTS);
      for (int i = 0; i < Packed.FIVE_COLUMNS; i += LENGTH) {
        IntVector q = rounded(load(from + 4L * i).mul(factor));
        // Rounded again: what was just stored takes long to load from one number before.
        IntVector before =
            i == 0 ? q.rearrange(BEFORE) : rounded(load(from + 4L * i - 4).mul(factor));
        sum = sum.add(q);
        twice(q.sub(before.mul(IntVector.fromArray(INTS, FIVE_FACTORS, i))))
            .intoArray(out, to + 1 + i);
      }
      Packed.finishFives(out, to, largest, sum.reduceLanes(VectorOperators.ADD));
    }
  }

  /** Blocks of activations for octets. */
  private static void quantizeFinely(long x, int blocks, int[] out, int at, int stride) {
    for (int block = 0; block < blocks; block++) {
      long from = x + 4L * Packed.COLUMNS * block;
      int to = at + block * stride;
      float largest = largest(from, Packed.COLUMNS);
      float factor = largest < Packed.FINE_SMALLEST ? 0 : Packed.FINE_LARGEST / largest;
      for (int i = 0; i < Packed.COLUMNS; i += LENGTH) {
        load(from + 4L * i)
            .mul(factor)
            .add(Packed.ROUNDER)
            .sub(Packed.ROUNDER)
            .reinterpretAsInts()
            .intoArray(out, to + i);
      }
      Packed.finishFinely(out, to, largest);
    }
  }

  /** Blocks of activations for weights of Q6_K in tiles: the same integers, as float32. */
  private static void quantizeForTiles(long x, int blocks, int[] out, int at, int stride) {
    for (int block = 0; block < blocks; block++) {
      long from = x + 4L * Packed.COLUMNS * block;
      int to = at + block * stride;
      float largest = largest(from, Packed.COLUMNS);
      float factor = largest < Packed.SMALLEST ? 0 : Packed.LARGEST / largest;
      for (int i = 0; i < Packed.COLUMNS; i += LENGTH) {
        floats(rounded(load(from + 4L * i).mul(factor))).reinterpretAsInts().intoArray(out, to + i);
      }
      out[to + Packed.COLUMNS] = Float.floatToRawIntBits(Packed.scale(largest));
    }
  }

  /** Blocks of activations for nibbles. */
  private static void quantizeForNibbles(long x, int blocks, int[] out, int at, int stride) {
    for (int block = 0; block < blocks; block++) {
      long from = x + 4L * Packed.COLUMNS * block;
      int to = at + block * stride;
      float largest = largest(from, Packed.COLUMNS);
      float factor = largest < Packed.SMALLEST ? 0 : Packed.LARGEST / largest;
      IntVector sum = IntVector.zero(INTS);
      IntVector half = sum;
      for (int i = 0; i < Packed.COLUMNS; i += LENGTH) {
        if (i == Packed.COLUMNS / 2) {
          half = sum;
        }
        IntVector q = rounded(load(from + 4L * i).mul(factor));
        sum = sum.add(q);
        IntVector before = q.rearrange(BEFORE).lanewise(VectorOperators.LSHL, 4);
        twice(q.sub(before, NOT_FIRST_OF_FOUR)).intoArray(out, to + 1 + i);
      }
      Packed.finish(
          out,
          to,
          largest,
          half.reduceLanes(VectorOperators.ADD),
          sum.reduceLanes(VectorOperators.ADD));
    }
  }

  @Override
  public int packedTokens(WeightType type, int first, int tokens) {
    int left = tokens - first;
    if (left == 1) {
      return 1;
    }
    boolean octetsOrSixes = type == WeightType.Q8_0 || type == WeightType.Q6_K;
    if (octetsOrSixes && left >= OCTET_TILES) {
      return Math.min(left / OCTET_TOKENS * OCTET_TOKENS, PACKED_TOKENS);
    }
    if (left == 2 || (!MANY_REGISTERS && type == WeightType.Q6_K)) {
      return 2;
    }
    return switch (type) {
      case Q4_0, Q4_K -> MANY_REGISTERS && tokens >= BLOCK_TOKENS && left >= 8 ? 8 : 4;
      default -> 4;
    };
  }

  @Override
  public int packedDots(
      WeightType type,
      int[] x,
      int first,
      int tokens,
      long w,
      int rows,
      int columns,
      long out,
      long outStride,
      long sums) {
    int blocks = columns / Packed.COLUMNS;
    int ints = blocks * Packed.activationInts(type);
    int together = packedTokens(type, first, tokens);
    if (inTiles(type, together)) {
      long to = out + first * outStride;
      tileDots(type, x, first * ints, together, w, rows, blocks, to, outStride, sums);
      return together;
    }
    boolean inBlocks = inBlocks(type, together);
    int left = tokens - first;
    if (left > together && (inBlocks || type == WeightType.Q8_0)) {
      // Those of tiles of this size.
      left = Math.min(left, PACKED_TOKENS) / together * together;
    }
    int end = first + left;
    // As in dots, some streams of weights that lie apart, here of groups of rows; a group may need
    // several registers.
    int streams = streams(type, together);
    int parts = Math.min(PACKED_PARTS, streams);
    int groups = (rows + Packed.ROWS - 1) / Packed.ROWS;
    int groupsTogether = streams / parts;
    int each = (groups + groupsTogether - 1) / groupsTogether;
    long groupBytes = Packed.groupBytes(type, columns);
    // Some groups with all tokens, before the next ones: both come from the second-level cache.
    int groupsCached = (int) Math.max(1, PACKED_CACHED_BYTES / (groupsTogether * groupBytes));
    int most = TILES * ACCUMULATORS / streams;
    for (int from = 0; from < each; from += groupsCached) {
      for (int t = first; t < end; t += most) {
        int count = Math.min(most, end - t);
        int tiles = (count + together - 1) / together;
        for (int group = from; group < Math.min(each, from + groupsCached); group++) {
          long g0 = w + group * groupBytes;
          long g1 = g0 + first(1 / parts, groups, each) * groupBytes;
          long g2 = g0 + first(2 / parts, groups, each) * groupBytes;
          long g3 = g0 + first(3 / parts, groups, each) * groupBytes;
          for (int part = 0; part < PACKED_PARTS; part += parts) {
            Memory.zero(sums, 2 * STEP * streams * together * tiles);
            if (inBlocks) {
              long w0 = g0 + part * STEP;
              long w1 = g1 + (part + 1 % parts) * STEP;
              long w2 = g2 + (part + 2 % parts) * STEP;
              long w3 = g3 + (part + 3 % parts) * STEP;
              blockDots(type, x, t * ints, together, w0, w1, w2, w3, blocks, tiles, sums);
            } else {
              fewDots(type, x, t, count, tokens, streams, g0, g1, g2, g3, part, blocks, sums);
            }
            for (int s = 0; s < streams; s++) {
              int row =
                  Packed.ROWS * (first(s / parts, groups, each) + group)
                      + 2 * LENGTH * (part + s % parts);
              long to = out + 4L * row;
              storeTokens(type, sums, streams, s, t, count, tokens, rows - row, to, outStride);
            }
          }
        }
      }
    }
    return left;
  }

  /** Stores the sums of tiles of tokens with one of some streams of rows. */
  private void storeTokens(
      WeightType type,
      long sums,
      int streams,
      int s,
      int first,
      int count,
      int tokens,
      int rows,
      long out,
      long stride) {
    int together;
    for (int t = first; t < first + count; t += together) {
      together = packedTokens(type, t, tokens);
      long from = sums + 2 * STEP * ((t - first) * streams + s * together);
      for (int i = 0; i < Math.min(together, first + count - t); i++) {
        storeRows(from + 2 * STEP * i, rows, out + (t + i) * stride);
      }
    }
  }

  /** Registers of packed rows, of 16 bits each, that are multiplied side by side. */
  private static int streams(WeightType type, int together) {
    if (type == WeightType.Q8_0) {
      return Math.min(4, ACCUMULATORS / (2 * together));
    }
    return inBlocks(type, together) && together > (MANY_REGISTERS ? 4 : 2) ? 2 : 4;
  }

  /**
   * Tiles of few tokens with some streams of rows: some columns with all tiles, all but the first
   * of which get them from the cache, before the next columns.
   */
  private void fewDots(
      WeightType type,
      int[] x,
      int first,
      int count,
      int tokens,
      int streams,
      long g0,
      long g1,
      long g2,
      long g3,
      int part,
      int blocks,
      long sums) {
    int parts = Math.min(PACKED_PARTS, streams);
    // Octets have no header, and are read from fewer places at a time: another order would disturb
    // what prefetches them.
    int blocksTogether = type == WeightType.Q8_0 ? blocks : FEW_BLOCKS;
    long header = Packed.headerBytes(type);
    long blockBytes = Packed.blockBytes(type);
    int part1 = part + 1 % parts;
    int part2 = part + 2 % parts;
    int part3 = part + 3 % parts;
    for (int block = 0; block < blocks; block += blocksTogether) {
      int width = Math.min(blocksTogether, blocks - block);
      long at = block / Packed.BLOCKS * header + block * blockBytes;
      long w0 = g0 + at + part * STEP;
      long w1 = g1 + at + part1 * STEP;
      long w2 = g2 + at + part2 * STEP;
      long w3 = g3 + at + part3 * STEP;
      int together;
      for (int t = first; t < first + count; t += together) {
        together = packedTokens(type, t, tokens);
        int token = (t * blocks + block * together) * Packed.activationInts(type);
        long to = sums + 2 * STEP * streams * (t - first);
        switch (type) {
          case Q8_0 -> {
            long q0 = g0 + at + Packed.LINE + part * BYTE_STEP;
            long q1 = g1 + at + Packed.LINE + part1 * BYTE_STEP;
            long q2 = g2 + at + Packed.LINE + part2 * BYTE_STEP;
            long q3 = g3 + at + Packed.LINE + part3 * BYTE_STEP;
            octetDots(x, token, together, q0, q1, q2, q3, w0, w1, w2, w3, width, to);
          }
          case Q6_K -> sixDots(x, token, together, w0, w1, w2, w3, width, to);
          case Q5_0, Q5_K -> {
            switch (together) {
              case 1 -> fiveDots4x1(x, token, w0, w1, w2, w3, width, header, 5, to);
              case 2 -> fiveDots4x2(x, token, w0, w1, w2, w3, width, header, 5, to);
              default -> fiveDots4x4(x, token, w0, w1, w2, w3, width, header, to);
            }
          }
          default -> {
            switch (together) {
              case 1 -> nibbleDots4x1(x, token, w0, w1, w2, w3, width, header, 4, to);
              case 2 -> nibbleDots4x2(x, token, w0, w1, w2, w3, width, header, 4, to);
              default -> nibbleDots4x4(x, token, w0, w1, w2, w3, width, header, to);
            }
          }
        }
      }
    }
  }

  private static void octetDots(
      int[] x,
      int token,
      int together,
      long q0,
      long q1,
      long q2,
      long q3,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long sums) {
    switch (together) {
      case 1 -> octetDots4x1(x, token, q0, q1, q2, q3, w0, w1, w2, w3, blocks, sums);
      case 2 -> {
        if (MANY_REGISTERS) {
          octetDots4x2(x, token, q0, q1, q2, q3, w0, w1, w2, w3, blocks, sums);
        } else {
          octetDots2x2(x, token, 1, q0, q1, w0, w1, blocks, sums);
        }
      }
      default -> {
        if (MANY_REGISTERS) {
          octetDots2x4(x, token, q0, q1, w0, w1, blocks, sums);
        } else {
          octetDots1x4(x, token, q0, w0, blocks, sums);
        }
      }
    }
  }

  private static void sixDots(
      int[] x, int token, int together, long w0, long w1, long w2, long w3, int blocks, long sums) {
    if (together == 1 && MANY_REGISTERS) {
      sixDots(x, token, 1, 4, w0, w1, w2, w3, blocks, sums, 0);
    } else {
      sixDots(x, token, together, 2, w0, w1, w0, w0, blocks, sums, 0);
      sixDots(x, token, together, 2, w2, w3, w2, w2, blocks, sums, 4 * STEP * together);
    }
  }

  // Nibbles and fives of several tokens where registers are few. The compiler moves loads, and
  // products, to the beginning of a piece of code without branches, and then has to store what 16
  // registers do not hold: that takes twice as long. So these loops are none that it unrolls, and
  // where the factors lie it must not know: it then tests each index, which ends the piece. That is
  // why `one`, 1, is a parameter. The integer sums of 8 blocks are scaled together, by methods that
  // are called rarely: around a call the loops' variables would be on the stack.

  /** Products of 4 registers of rows, with 2 tokens: 8 accumulators. */
  private static void narrowDots4x2(
      int[] x,
      int token,
      boolean fives,
      int one,
      long w0,
      long w1,
      long w2,
      long w3,
      int count,
      int shift,
      long sums) {
    int halves = fives ? 1 : 0;
    int stride = fives ? FIVE : ACTIVATION;
    long blockBytes = fives ? Packed.FIVE_BLOCK_BYTES : Packed.BLOCK_BYTES;
    long bytes = (blockBytes - Packed.LINE) >>> halves;
    long to = sums + DOTS;
    for (int chunk = 0; chunk < count << halves; chunk++) {
      int column = token + (chunk >>> halves) * 2 * stride + (chunk & halves) * Packed.FIVE_INTS;
      ShortVector s00 = IntVector.broadcast(INTS, x[column]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[column + stride]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s21 = s01;
      ShortVector s31 = s01;
      long from = (chunk >>> halves) * blockBytes + Packed.LINE + (chunk & halves) * bytes;
      long end = from + bytes;
      while (from != end) {
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        column += one;
        int factor = column;
        ShortVector y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s00 = q0.mul(y).add(s00);
        s10 = q1.mul(y).add(s10);
        s20 = q2.mul(y).add(s20);
        s30 = q3.mul(y).add(s30);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s01 = q0.mul(y).add(s01);
        s11 = q1.mul(y).add(s11);
        s21 = q2.mul(y).add(s21);
        s31 = q3.mul(y).add(s31);
        q0 = q0.lanewise(VectorOperators.LSHR, shift);
        q1 = q1.lanewise(VectorOperators.LSHR, shift);
        q2 = q2.lanewise(VectorOperators.LSHR, shift);
        q3 = q3.lanewise(VectorOperators.LSHR, shift);
        column += one;
        factor = column;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s00 = q0.mul(y).add(s00);
        s10 = q1.mul(y).add(s10);
        s20 = q2.mul(y).add(s20);
        s30 = q3.mul(y).add(s30);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s01 = q0.mul(y).add(s01);
        s11 = q1.mul(y).add(s11);
        s21 = q2.mul(y).add(s21);
        s31 = q3.mul(y).add(s31);
        q0 = q0.lanewise(VectorOperators.LSHR, shift);
        q1 = q1.lanewise(VectorOperators.LSHR, shift);
        q2 = q2.lanewise(VectorOperators.LSHR, shift);
        q3 = q3.lanewise(VectorOperators.LSHR, shift);
        column += one;
        factor = column;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s00 = q0.mul(y).add(s00);
        s10 = q1.mul(y).add(s10);
        s20 = q2.mul(y).add(s20);
        s30 = q3.mul(y).add(s30);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s01 = q0.mul(y).add(s01);
        s11 = q1.mul(y).add(s11);
        s21 = q2.mul(y).add(s21);
        s31 = q3.mul(y).add(s31);
        if (!fives) {
          q0 = q0.lanewise(VectorOperators.LSHR, shift);
          q1 = q1.lanewise(VectorOperators.LSHR, shift);
          q2 = q2.lanewise(VectorOperators.LSHR, shift);
          q3 = q3.lanewise(VectorOperators.LSHR, shift);
          column += one;
          factor = column;
          y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
          s00 = q0.mul(y).add(s00);
          s10 = q1.mul(y).add(s10);
          s20 = q2.mul(y).add(s20);
          s30 = q3.mul(y).add(s30);
          factor += stride;
          y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
          s01 = q0.mul(y).add(s01);
          s11 = q1.mul(y).add(s11);
          s21 = q2.mul(y).add(s21);
          s31 = q3.mul(y).add(s31);
        }
        from += Packed.LINE;
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, to & ADDRESS, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, (to + STEP) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 2 * STEP) & ADDRESS, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, (to + 3 * STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (to + 4 * STEP) & ADDRESS, ORDER);
      s21.reinterpretAsFloats().intoMemorySegment(ALL, (to + 5 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (to + 6 * STEP) & ADDRESS, ORDER);
      s31.reinterpretAsFloats().intoMemorySegment(ALL, (to + 7 * STEP) & ADDRESS, ORDER);
      to += DOTS_STEP;
    }
  }

  /** Products of 2 registers of rows, with 4 tokens: 8 accumulators. */
  private static void narrowDots2x4(
      int[] x,
      int token,
      boolean fives,
      int one,
      long w0,
      long w1,
      int count,
      int shift,
      long sums) {
    int halves = fives ? 1 : 0;
    int stride = fives ? FIVE : ACTIVATION;
    long blockBytes = fives ? Packed.FIVE_BLOCK_BYTES : Packed.BLOCK_BYTES;
    long bytes = (blockBytes - Packed.LINE) >>> halves;
    long to = sums + DOTS;
    for (int chunk = 0; chunk < count << halves; chunk++) {
      int column = token + (chunk >>> halves) * 4 * stride + (chunk & halves) * Packed.FIVE_INTS;
      ShortVector s00 = IntVector.broadcast(INTS, x[column]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[column + stride]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s02 = IntVector.broadcast(INTS, x[column + 2 * stride]).reinterpretAsShorts();
      ShortVector s12 = s02;
      ShortVector s03 = IntVector.broadcast(INTS, x[column + 3 * stride]).reinterpretAsShorts();
      ShortVector s13 = s03;
      long from = (chunk >>> halves) * blockBytes + Packed.LINE + (chunk & halves) * bytes;
      long end = from + bytes;
      while (from != end) {
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        column += one;
        int factor = column;
        ShortVector y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s00 = q0.mul(y).add(s00);
        s10 = q1.mul(y).add(s10);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s01 = q0.mul(y).add(s01);
        s11 = q1.mul(y).add(s11);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s02 = q0.mul(y).add(s02);
        s12 = q1.mul(y).add(s12);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s03 = q0.mul(y).add(s03);
        s13 = q1.mul(y).add(s13);
        q0 = q0.lanewise(VectorOperators.LSHR, shift);
        q1 = q1.lanewise(VectorOperators.LSHR, shift);
        column += one;
        factor = column;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s00 = q0.mul(y).add(s00);
        s10 = q1.mul(y).add(s10);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s01 = q0.mul(y).add(s01);
        s11 = q1.mul(y).add(s11);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s02 = q0.mul(y).add(s02);
        s12 = q1.mul(y).add(s12);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s03 = q0.mul(y).add(s03);
        s13 = q1.mul(y).add(s13);
        q0 = q0.lanewise(VectorOperators.LSHR, shift);
        q1 = q1.lanewise(VectorOperators.LSHR, shift);
        column += one;
        factor = column;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s00 = q0.mul(y).add(s00);
        s10 = q1.mul(y).add(s10);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s01 = q0.mul(y).add(s01);
        s11 = q1.mul(y).add(s11);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s02 = q0.mul(y).add(s02);
        s12 = q1.mul(y).add(s12);
        factor += stride;
        y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
        s03 = q0.mul(y).add(s03);
        s13 = q1.mul(y).add(s13);
        if (!fives) {
          q0 = q0.lanewise(VectorOperators.LSHR, shift);
          q1 = q1.lanewise(VectorOperators.LSHR, shift);
          column += one;
          factor = column;
          y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
          s00 = q0.mul(y).add(s00);
          s10 = q1.mul(y).add(s10);
          factor += stride;
          y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
          s01 = q0.mul(y).add(s01);
          s11 = q1.mul(y).add(s11);
          factor += stride;
          y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
          s02 = q0.mul(y).add(s02);
          s12 = q1.mul(y).add(s12);
          factor += stride;
          y = IntVector.broadcast(INTS, x[factor]).reinterpretAsShorts();
          s03 = q0.mul(y).add(s03);
          s13 = q1.mul(y).add(s13);
        }
        from += Packed.LINE;
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, to & ADDRESS, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, (to + STEP) & ADDRESS, ORDER);
      s02.reinterpretAsFloats().intoMemorySegment(ALL, (to + 2 * STEP) & ADDRESS, ORDER);
      s03.reinterpretAsFloats().intoMemorySegment(ALL, (to + 3 * STEP) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 4 * STEP) & ADDRESS, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, (to + 5 * STEP) & ADDRESS, ORDER);
      s12.reinterpretAsFloats().intoMemorySegment(ALL, (to + 6 * STEP) & ADDRESS, ORDER);
      s13.reinterpretAsFloats().intoMemorySegment(ALL, (to + 7 * STEP) & ADDRESS, ORDER);
      to += DOTS_STEP;
    }
  }

  /**
   * Products of registers of rows of nibbles or fives with some tiles of tokens. The integer sums
   * of some blocks are kept, and scaled together: each row's and token's float sum is then in a
   * register for as long. The factors are the same for all tiles.
   */
  private static void blockDots(
      WeightType type,
      int[] x,
      int first,
      int tokens,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      int tiles,
      long sums) {
    boolean fives = type == WeightType.Q5_0 || type == WeightType.Q5_K;
    int halves = fives ? 1 : 0;
    int scale = fives ? FIVE_SCALE : SCALE;
    int registers = streams(type, tokens);
    int stride = Packed.activationInts(type);
    int step = fives ? Packed.FIVE_INTS : tokens * stride;
    int stepAfter = fives ? tokens * stride - Packed.FIVE_INTS : step;
    long header = Packed.headerBytes(type);
    long bytes = Packed.blockBytes(type);
    for (int block = 0; block < blocks; block += Packed.BLOCKS) {
      int count = Math.min(Packed.BLOCKS, blocks - block);
      long head = block / Packed.BLOCKS * (header + Packed.BLOCKS * bytes);
      long at = head + header;
      long to = sums;
      for (int tile = 0; tile < tiles; tile++) {
        int token = first + (tile * blocks + block) * tokens * stride;
        dots(fives, x, token, tokens, w0 + at, w1 + at, w2 + at, w3 + at, count, sums);
        // After the products: to read only the scales of some blocks would disturb what prefetches
        // the rest, which takes a sixth longer.
        if (tile == 0) {
          for (int r = 0; r < registers; r++) {
            long w = r == 0 ? w0 : r == 1 ? w1 : r == 2 ? w2 : w3;
            long factors = sums + FACTORS + r * FACTORS_STEP;
            if (header == 0) {
              factors(w + at, bytes, count, factors);
            } else {
              addHeader(w + head, HEADER, sums);
              factorsWithMinima(w + at, bytes, count, fives ? 16 : 8, sums + HEADER, factors);
            }
          }
        }
        for (int i = 0; i < registers * tokens; i += 2) {
          int y = token + scale + i % tokens * stride;
          long dots = sums + DOTS + i * STEP;
          long factors = sums + FACTORS + i / tokens * FACTORS_STEP;
          if (header == 0) {
            addTwo(x, y, stride, step, stepAfter, count, halves, dots, factors, to);
          } else {
            addTwoWithMinima(x, y, stride, step, stepAfter, count, halves, dots, factors, to);
          }
          to += 4 * STEP;
        }
      }
    }
  }

  private static void dots(
      boolean fives,
      int[] x,
      int first,
      int tokens,
      long w0,
      long w1,
      long w2,
      long w3,
      int count,
      long sums) {
    switch (tokens) {
      case 2 -> narrowDots4x2(x, first, fives, 1, w0, w1, w2, w3, count, fives ? 5 : 4, sums);
      case 4 -> narrowDots2x4(x, first, fives, 1, w0, w1, count, fives ? 5 : 4, sums);
      default -> nibbleDots2x8(x, first, w0, w1, count, sums);
    }
  }

  /**
   * Products of 2 registers of rows of nibbles, with 8 tokens: 16 accumulators. One loop, of two
   * columns at a time: with a loop for the four steps of a number inside, its indices would be
   * checked again at each number. All four would need more than there are registers.
   */
  private static void nibbleDots2x8(int[] x, int first, long w0, long w1, int count, long sums) {
    for (int block = 0; block < count; block++) {
      int token = first + block * 8 * ACTIVATION;
      long from = block * Packed.BLOCK_BYTES;
      long to = (sums + DOTS + block * DOTS_STEP) & ADDRESS;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[token + ACTIVATION]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s02 = IntVector.broadcast(INTS, x[token + 2 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s12 = s02;
      ShortVector s03 = IntVector.broadcast(INTS, x[token + 3 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s13 = s03;
      ShortVector s04 = IntVector.broadcast(INTS, x[token + 4 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s14 = s04;
      ShortVector s05 = IntVector.broadcast(INTS, x[token + 5 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s15 = s05;
      ShortVector s06 = IntVector.broadcast(INTS, x[token + 6 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s16 = s06;
      ShortVector s07 = IntVector.broadcast(INTS, x[token + 7 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s17 = s07;
      for (int pair = 0; pair < Packed.COLUMNS / 2; pair++) {
        long line = from + (1 + (pair >>> 1)) * Packed.LINE;
        int column = token + 1 + 2 * pair;
        ShortVector done = IntVector.broadcast(INTS, PAIR_SHIFTS[pair & 1]).reinterpretAsShorts();
        ShortVector q0 =
            ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + line) & ADDRESS, ORDER)
                .lanewise(VectorOperators.LSHR, done);
        ShortVector q1 =
            ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + line) & ADDRESS, ORDER)
                .lanewise(VectorOperators.LSHR, done);
        ShortVector x0 = IntVector.broadcast(INTS, x[column]).reinterpretAsShorts();
        s00 = q0.mul(x0).add(s00);
        s10 = q1.mul(x0).add(s10);
        ShortVector x1 = IntVector.broadcast(INTS, x[column + ACTIVATION]).reinterpretAsShorts();
        s01 = q0.mul(x1).add(s01);
        s11 = q1.mul(x1).add(s11);
        ShortVector x2 =
            IntVector.broadcast(INTS, x[column + 2 * ACTIVATION]).reinterpretAsShorts();
        s02 = q0.mul(x2).add(s02);
        s12 = q1.mul(x2).add(s12);
        ShortVector x3 =
            IntVector.broadcast(INTS, x[column + 3 * ACTIVATION]).reinterpretAsShorts();
        s03 = q0.mul(x3).add(s03);
        s13 = q1.mul(x3).add(s13);
        ShortVector x4 =
            IntVector.broadcast(INTS, x[column + 4 * ACTIVATION]).reinterpretAsShorts();
        s04 = q0.mul(x4).add(s04);
        s14 = q1.mul(x4).add(s14);
        ShortVector x5 =
            IntVector.broadcast(INTS, x[column + 5 * ACTIVATION]).reinterpretAsShorts();
        s05 = q0.mul(x5).add(s05);
        s15 = q1.mul(x5).add(s15);
        ShortVector x6 =
            IntVector.broadcast(INTS, x[column + 6 * ACTIVATION]).reinterpretAsShorts();
        s06 = q0.mul(x6).add(s06);
        s16 = q1.mul(x6).add(s16);
        ShortVector x7 =
            IntVector.broadcast(INTS, x[column + 7 * ACTIVATION]).reinterpretAsShorts();
        s07 = q0.mul(x7).add(s07);
        s17 = q1.mul(x7).add(s17);
        q0 = q0.lanewise(VectorOperators.LSHR, FOURS);
        q1 = q1.lanewise(VectorOperators.LSHR, FOURS);
        x0 = IntVector.broadcast(INTS, x[column + 1]).reinterpretAsShorts();
        s00 = q0.mul(x0).add(s00);
        s10 = q1.mul(x0).add(s10);
        x1 = IntVector.broadcast(INTS, x[column + 1 + ACTIVATION]).reinterpretAsShorts();
        s01 = q0.mul(x1).add(s01);
        s11 = q1.mul(x1).add(s11);
        x2 = IntVector.broadcast(INTS, x[column + 1 + 2 * ACTIVATION]).reinterpretAsShorts();
        s02 = q0.mul(x2).add(s02);
        s12 = q1.mul(x2).add(s12);
        x3 = IntVector.broadcast(INTS, x[column + 1 + 3 * ACTIVATION]).reinterpretAsShorts();
        s03 = q0.mul(x3).add(s03);
        s13 = q1.mul(x3).add(s13);
        x4 = IntVector.broadcast(INTS, x[column + 1 + 4 * ACTIVATION]).reinterpretAsShorts();
        s04 = q0.mul(x4).add(s04);
        s14 = q1.mul(x4).add(s14);
        x5 = IntVector.broadcast(INTS, x[column + 1 + 5 * ACTIVATION]).reinterpretAsShorts();
        s05 = q0.mul(x5).add(s05);
        s15 = q1.mul(x5).add(s15);
        x6 = IntVector.broadcast(INTS, x[column + 1 + 6 * ACTIVATION]).reinterpretAsShorts();
        s06 = q0.mul(x6).add(s06);
        s16 = q1.mul(x6).add(s16);
        x7 = IntVector.broadcast(INTS, x[column + 1 + 7 * ACTIVATION]).reinterpretAsShorts();
        s07 = q0.mul(x7).add(s07);
        s17 = q1.mul(x7).add(s17);
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, to, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, to + STEP, ORDER);
      s02.reinterpretAsFloats().intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      s03.reinterpretAsFloats().intoMemorySegment(ALL, to + 3 * STEP, ORDER);
      s04.reinterpretAsFloats().intoMemorySegment(ALL, to + 4 * STEP, ORDER);
      s05.reinterpretAsFloats().intoMemorySegment(ALL, to + 5 * STEP, ORDER);
      s06.reinterpretAsFloats().intoMemorySegment(ALL, to + 6 * STEP, ORDER);
      s07.reinterpretAsFloats().intoMemorySegment(ALL, to + 7 * STEP, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, to + 8 * STEP, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, to + 9 * STEP, ORDER);
      s12.reinterpretAsFloats().intoMemorySegment(ALL, to + 10 * STEP, ORDER);
      s13.reinterpretAsFloats().intoMemorySegment(ALL, to + 11 * STEP, ORDER);
      s14.reinterpretAsFloats().intoMemorySegment(ALL, to + 12 * STEP, ORDER);
      s15.reinterpretAsFloats().intoMemorySegment(ALL, to + 13 * STEP, ORDER);
      s16.reinterpretAsFloats().intoMemorySegment(ALL, to + 14 * STEP, ORDER);
      s17.reinterpretAsFloats().intoMemorySegment(ALL, to + 15 * STEP, ORDER);
    }
  }

  /** The scales of blocks of a register of rows: of even rows before those of odd ones. */
  private static void factors(long w, long blockBytes, int count, long to) {
    for (int i = 0; i < count; i++) {
      scales(w + i * blockBytes, to + i * FACTOR_STEP);
    }
  }

  /**
   * The same as {@link #factors} where there are minima: and then what the sums of activations are
   * multiplied with.
   */
  private static void factorsWithMinima(
      long w, long blockBytes, int count, float zero, long scales, long out) {
    long header = scales & ADDRESS;
    FloatVector evens = FloatVector.fromMemorySegment(FLOATS, ALL, header, ORDER);
    FloatVector odds = FloatVector.fromMemorySegment(FLOATS, ALL, header + STEP, ORDER);
    FloatVector evenMinima = FloatVector.fromMemorySegment(FLOATS, ALL, header + 2 * STEP, ORDER);
    FloatVector oddMinima = FloatVector.fromMemorySegment(FLOATS, ALL, header + 3 * STEP, ORDER);
    FloatVector zeros = FloatVector.broadcast(FLOATS, zero);
    for (int i = 0; i < count; i++) {
      long at = (w + i * blockBytes) & ADDRESS;
      long to = (out + i * FACTOR_STEP) & ADDRESS;
      IntVector h = ShortVector.fromMemorySegment(SHORTS, ALL, at, ORDER).reinterpretAsInts();
      FloatVector even = floats(h.and(0xff)).mul(evens);
      FloatVector odd = floats(h.lanewise(VectorOperators.LSHR, 16).and(0xff)).mul(odds);
      even.intoMemorySegment(ALL, to, ORDER);
      odd.intoMemorySegment(ALL, to + STEP, ORDER);
      even.fma(zeros, floats(h.lanewise(VectorOperators.LSHR, 8).and(0xff)).mul(evenMinima))
          .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      odd.fma(zeros, floats(h.lanewise(VectorOperators.LSHR, 24)).mul(oddMinima))
          .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
    }
  }

  /**
   * Scales the integer sums that a register of rows and two tokens, {@code next} apart, gave in
   * some blocks, or halves, and adds them. The scales are {@code step} and {@code stepAfter} ints
   * apart, by turns.
   */
  private static void addTwo(
      int[] x,
      int scale,
      int next,
      int step,
      int stepAfter,
      int count,
      int halves,
      long dots,
      long factors,
      long sums) {
    long from = dots & ADDRESS;
    long factorsFrom = factors & ADDRESS;
    long to = sums & ADDRESS;
    FloatVector even0 = FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER);
    FloatVector odd0 = FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER);
    FloatVector even1 = FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER);
    FloatVector odd1 = FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER);
    int at = scale;
    for (int i = 0; i < count << halves; i++) {
      long f = factorsFrom + (i >>> halves) * FACTOR_STEP;
      long d = from + i * DOTS_STEP;
      FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, f, ORDER);
      FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, f + STEP, ORDER);
      FloatVector y = IntVector.broadcast(INTS, x[at]).reinterpretAsFloats();
      IntVector dot = IntVector.fromMemorySegment(INTS, ALL, d, ORDER);
      even0 =
          floats(dot.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .fma(y.mul(even), even0);
      odd0 = floats(dot.lanewise(VectorOperators.ASHR, 16)).fma(y.mul(odd), odd0);
      y = IntVector.broadcast(INTS, x[at + next]).reinterpretAsFloats();
      dot = IntVector.fromMemorySegment(INTS, ALL, d + STEP, ORDER);
      even1 =
          floats(dot.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
              .fma(y.mul(even), even1);
      odd1 = floats(dot.lanewise(VectorOperators.ASHR, 16)).fma(y.mul(odd), odd1);
      at += step;
      int before = step;
      step = stepAfter;
      stepAfter = before;
    }
    even0.intoMemorySegment(ALL, to, ORDER);
    odd0.intoMemorySegment(ALL, to + STEP, ORDER);
    even1.intoMemorySegment(ALL, to + 2 * STEP, ORDER);
    odd1.intoMemorySegment(ALL, to + 3 * STEP, ORDER);
  }

  /** The same as {@link #addTwo} where weights have minima. */
  private static void addTwoWithMinima(
      int[] x,
      int scale,
      int next,
      int step,
      int stepAfter,
      int count,
      int halves,
      long dots,
      long factors,
      long sums) {
    long from = dots & ADDRESS;
    long factorsFrom = factors & ADDRESS;
    long to = sums & ADDRESS;
    FloatVector even0 = FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER);
    FloatVector odd0 = FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER);
    FloatVector even1 = FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER);
    FloatVector odd1 = FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER);
    int at = scale;
    for (int i = 0; i < count << halves; i++) {
      long f = factorsFrom + (i >>> halves) * FACTOR_STEP;
      long d = from + i * DOTS_STEP;
      FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, f, ORDER);
      FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, f + STEP, ORDER);
      FloatVector evenRest = FloatVector.fromMemorySegment(FLOATS, ALL, f + 2 * STEP, ORDER);
      FloatVector oddRest = FloatVector.fromMemorySegment(FLOATS, ALL, f + 3 * STEP, ORDER);
      FloatVector y = IntVector.broadcast(INTS, x[at]).reinterpretAsFloats();
      FloatVector sum = IntVector.broadcast(INTS, x[at + 1]).reinterpretAsFloats();
      IntVector dot = IntVector.fromMemorySegment(INTS, ALL, d, ORDER);
      even0 =
          sum.fma(
              evenRest,
              floats(dot.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                  .fma(y.mul(even), even0));
      odd0 = sum.fma(oddRest, floats(dot.lanewise(VectorOperators.ASHR, 16)).fma(y.mul(odd), odd0));
      y = IntVector.broadcast(INTS, x[at + next]).reinterpretAsFloats();
      sum = IntVector.broadcast(INTS, x[at + next + 1]).reinterpretAsFloats();
      dot = IntVector.fromMemorySegment(INTS, ALL, d + STEP, ORDER);
      even1 =
          sum.fma(
              evenRest,
              floats(dot.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                  .fma(y.mul(even), even1));
      odd1 = sum.fma(oddRest, floats(dot.lanewise(VectorOperators.ASHR, 16)).fma(y.mul(odd), odd1));
      at += step;
      int before = step;
      step = stepAfter;
      stepAfter = before;
    }
    even0.intoMemorySegment(ALL, to, ORDER);
    odd0.intoMemorySegment(ALL, to + STEP, ORDER);
    even1.intoMemorySegment(ALL, to + 2 * STEP, ORDER);
    odd1.intoMemorySegment(ALL, to + 3 * STEP, ORDER);
  }

  /** Products of 4 registers of rows, with one token: 4 accumulators. */
  private static void nibbleDots4x1(
      int[] x,
      int first,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long header,
      int shift,
      long sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Packed.BLOCK_BYTES);
      long at = head + header + (block & 7) * Packed.BLOCK_BYTES;
      int token = first + block * ACTIVATION;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      for (int quad = 0; quad < Packed.COLUMNS / 4; quad++) {
        long from = at + (quad + 1) * Packed.LINE;
        int factor = token + 4 * quad;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        for (int i = 1; i <= 4; i++) {
          ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
          s00 = q0.mul(x0).add(s00);
          s10 = q1.mul(x0).add(s10);
          s20 = q2.mul(x0).add(s20);
          s30 = q3.mul(x0).add(s30);
          q0 =
              BITS == 512
                  ? q0.lanewise(VectorOperators.LSHR, FOURS)
                  : q0.lanewise(VectorOperators.LSHR, shift);
          q1 =
              BITS == 512
                  ? q1.lanewise(VectorOperators.LSHR, FOURS)
                  : q1.lanewise(VectorOperators.LSHR, shift);
          q2 =
              BITS == 512
                  ? q2.lanewise(VectorOperators.LSHR, FOURS)
                  : q2.lanewise(VectorOperators.LSHR, shift);
          q3 =
              BITS == 512
                  ? q3.lanewise(VectorOperators.LSHR, FOURS)
                  : q3.lanewise(VectorOperators.LSHR, shift);
        }
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 2 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 3 * STEP) & ADDRESS, ORDER);
      if (header == 0) {
        addBlocks(w0 + at, w1 + at, w2 + at, w3 + at, 4, x, token + SCALE, ACTIVATION, 1, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * STEP, sums);
          addHeader(w2 + head, FACTORS + 8 * STEP, sums);
          addHeader(w3 + head, FACTORS + 12 * STEP, sums);
        }
        addBlocksWithMinima(
            w0 + at, w1 + at, w2 + at, w3 + at, 4, 8, x, token + SCALE, ACTIVATION, 1, sums);
      }
    }
  }

  /**
   * Products of 4 registers of rows, with 2 tokens: 8 accumulators. The four steps of a number are
   * written out: with so few accumulators a loop takes about a quarter longer.
   */
  private static void nibbleDots4x2(
      int[] x,
      int first,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long header,
      int shift,
      long sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Packed.BLOCK_BYTES);
      long at = head + header + (block & 7) * Packed.BLOCK_BYTES;
      int token = first + block * 2 * ACTIVATION;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[token + ACTIVATION]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s21 = s01;
      ShortVector s31 = s01;
      for (int quad = 0; quad < Packed.COLUMNS / 4; quad++) {
        long from = at + (quad + 1) * Packed.LINE;
        int factor = token + 4 * quad;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        ShortVector x00 = IntVector.broadcast(INTS, x[factor + 1]).reinterpretAsShorts();
        s00 = q0.mul(x00).add(s00);
        s10 = q1.mul(x00).add(s10);
        s20 = q2.mul(x00).add(s20);
        s30 = q3.mul(x00).add(s30);
        ShortVector x10 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 1)]).reinterpretAsShorts();
        s01 = q0.mul(x10).add(s01);
        s11 = q1.mul(x10).add(s11);
        s21 = q2.mul(x10).add(s21);
        s31 = q3.mul(x10).add(s31);
        q0 =
            BITS == 512
                ? q0.lanewise(VectorOperators.LSHR, FOURS)
                : q0.lanewise(VectorOperators.LSHR, shift);
        q1 =
            BITS == 512
                ? q1.lanewise(VectorOperators.LSHR, FOURS)
                : q1.lanewise(VectorOperators.LSHR, shift);
        q2 =
            BITS == 512
                ? q2.lanewise(VectorOperators.LSHR, FOURS)
                : q2.lanewise(VectorOperators.LSHR, shift);
        q3 =
            BITS == 512
                ? q3.lanewise(VectorOperators.LSHR, FOURS)
                : q3.lanewise(VectorOperators.LSHR, shift);
        ShortVector x01 = IntVector.broadcast(INTS, x[factor + 2]).reinterpretAsShorts();
        s00 = q0.mul(x01).add(s00);
        s10 = q1.mul(x01).add(s10);
        s20 = q2.mul(x01).add(s20);
        s30 = q3.mul(x01).add(s30);
        ShortVector x11 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 2)]).reinterpretAsShorts();
        s01 = q0.mul(x11).add(s01);
        s11 = q1.mul(x11).add(s11);
        s21 = q2.mul(x11).add(s21);
        s31 = q3.mul(x11).add(s31);
        q0 =
            BITS == 512
                ? q0.lanewise(VectorOperators.LSHR, FOURS)
                : q0.lanewise(VectorOperators.LSHR, shift);
        q1 =
            BITS == 512
                ? q1.lanewise(VectorOperators.LSHR, FOURS)
                : q1.lanewise(VectorOperators.LSHR, shift);
        q2 =
            BITS == 512
                ? q2.lanewise(VectorOperators.LSHR, FOURS)
                : q2.lanewise(VectorOperators.LSHR, shift);
        q3 =
            BITS == 512
                ? q3.lanewise(VectorOperators.LSHR, FOURS)
                : q3.lanewise(VectorOperators.LSHR, shift);
        ShortVector x02 = IntVector.broadcast(INTS, x[factor + 3]).reinterpretAsShorts();
        s00 = q0.mul(x02).add(s00);
        s10 = q1.mul(x02).add(s10);
        s20 = q2.mul(x02).add(s20);
        s30 = q3.mul(x02).add(s30);
        ShortVector x12 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 3)]).reinterpretAsShorts();
        s01 = q0.mul(x12).add(s01);
        s11 = q1.mul(x12).add(s11);
        s21 = q2.mul(x12).add(s21);
        s31 = q3.mul(x12).add(s31);
        q0 =
            BITS == 512
                ? q0.lanewise(VectorOperators.LSHR, FOURS)
                : q0.lanewise(VectorOperators.LSHR, shift);
        q1 =
            BITS == 512
                ? q1.lanewise(VectorOperators.LSHR, FOURS)
                : q1.lanewise(VectorOperators.LSHR, shift);
        q2 =
            BITS == 512
                ? q2.lanewise(VectorOperators.LSHR, FOURS)
                : q2.lanewise(VectorOperators.LSHR, shift);
        q3 =
            BITS == 512
                ? q3.lanewise(VectorOperators.LSHR, FOURS)
                : q3.lanewise(VectorOperators.LSHR, shift);
        ShortVector x03 = IntVector.broadcast(INTS, x[factor + 4]).reinterpretAsShorts();
        s00 = q0.mul(x03).add(s00);
        s10 = q1.mul(x03).add(s10);
        s20 = q2.mul(x03).add(s20);
        s30 = q3.mul(x03).add(s30);
        ShortVector x13 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 4)]).reinterpretAsShorts();
        s01 = q0.mul(x13).add(s01);
        s11 = q1.mul(x13).add(s11);
        s21 = q2.mul(x13).add(s21);
        s31 = q3.mul(x13).add(s31);
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS) & ADDRESS, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + STEP) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 2 * STEP) & ADDRESS, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 3 * STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 4 * STEP) & ADDRESS, ORDER);
      s21.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 5 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 6 * STEP) & ADDRESS, ORDER);
      s31.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 7 * STEP) & ADDRESS, ORDER);
      if (header == 0) {
        addBlocks(w0 + at, w1 + at, w2 + at, w3 + at, 4, x, token + SCALE, ACTIVATION, 2, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * STEP, sums);
          addHeader(w2 + head, FACTORS + 8 * STEP, sums);
          addHeader(w3 + head, FACTORS + 12 * STEP, sums);
        }
        addBlocksWithMinima(
            w0 + at, w1 + at, w2 + at, w3 + at, 4, 8, x, token + SCALE, ACTIVATION, 2, sums);
      }
    }
  }

  /** Products of 4 registers of rows, with 4 tokens: 16 accumulators. */
  private static void nibbleDots4x4(
      int[] x, int first, long w0, long w1, long w2, long w3, int blocks, long header, long sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Packed.BLOCK_BYTES);
      long at = head + header + (block & 7) * Packed.BLOCK_BYTES;
      int token = first + block * (4 * ACTIVATION);
      long b0 = (w0 + at + Packed.LINE) & ADDRESS;
      long b1 = (w1 + at + Packed.LINE) & ADDRESS;
      long b2 = (w2 + at + Packed.LINE) & ADDRESS;
      long b3 = (w3 + at + Packed.LINE) & ADDRESS;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[token + ACTIVATION]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s21 = s01;
      ShortVector s31 = s01;
      ShortVector s02 = IntVector.broadcast(INTS, x[token + 2 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s12 = s02;
      ShortVector s22 = s02;
      ShortVector s32 = s02;
      ShortVector s03 = IntVector.broadcast(INTS, x[token + 3 * ACTIVATION]).reinterpretAsShorts();
      ShortVector s13 = s03;
      ShortVector s23 = s03;
      ShortVector s33 = s03;
      for (int i = 0; i < Packed.COLUMNS; i++) {
        long from = (i >>> 2) * Packed.LINE;
        int four = 4 * (i & 3);
        ShortVector fours =
            BITS == 512
                ? ShortVector.fromArray(SHORTS, NIBBLE_SHIFTS, four * (SHORTS.length() / 4))
                : FOURS;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, b0 + from, ORDER);
        q0 =
            BITS == 512
                ? q0.lanewise(VectorOperators.LSHR, fours)
                : q0.lanewise(VectorOperators.LSHR, four);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, b1 + from, ORDER);
        q1 =
            BITS == 512
                ? q1.lanewise(VectorOperators.LSHR, fours)
                : q1.lanewise(VectorOperators.LSHR, four);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, b2 + from, ORDER);
        q2 =
            BITS == 512
                ? q2.lanewise(VectorOperators.LSHR, fours)
                : q2.lanewise(VectorOperators.LSHR, four);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, b3 + from, ORDER);
        q3 =
            BITS == 512
                ? q3.lanewise(VectorOperators.LSHR, fours)
                : q3.lanewise(VectorOperators.LSHR, four);
        ShortVector x0 = IntVector.broadcast(INTS, x[token + 1 + i]).reinterpretAsShorts();
        s00 = q0.mul(x0).add(s00);
        s10 = q1.mul(x0).add(s10);
        s20 = q2.mul(x0).add(s20);
        s30 = q3.mul(x0).add(s30);
        ShortVector x1 =
            IntVector.broadcast(INTS, x[token + 1 + i + ACTIVATION]).reinterpretAsShorts();
        s01 = q0.mul(x1).add(s01);
        s11 = q1.mul(x1).add(s11);
        s21 = q2.mul(x1).add(s21);
        s31 = q3.mul(x1).add(s31);
        ShortVector x2 =
            IntVector.broadcast(INTS, x[token + 1 + i + 2 * ACTIVATION]).reinterpretAsShorts();
        s02 = q0.mul(x2).add(s02);
        s12 = q1.mul(x2).add(s12);
        s22 = q2.mul(x2).add(s22);
        s32 = q3.mul(x2).add(s32);
        ShortVector x3 =
            IntVector.broadcast(INTS, x[token + 1 + i + 3 * ACTIVATION]).reinterpretAsShorts();
        s03 = q0.mul(x3).add(s03);
        s13 = q1.mul(x3).add(s13);
        s23 = q2.mul(x3).add(s23);
        s33 = q3.mul(x3).add(s33);
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS) & ADDRESS, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + STEP) & ADDRESS, ORDER);
      s02.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 2 * STEP) & ADDRESS, ORDER);
      s03.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 3 * STEP) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 4 * STEP) & ADDRESS, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 5 * STEP) & ADDRESS, ORDER);
      s12.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 6 * STEP) & ADDRESS, ORDER);
      s13.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 7 * STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 8 * STEP) & ADDRESS, ORDER);
      s21.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 9 * STEP) & ADDRESS, ORDER);
      s22.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 10 * STEP) & ADDRESS, ORDER);
      s23.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 11 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 12 * STEP) & ADDRESS, ORDER);
      s31.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 13 * STEP) & ADDRESS, ORDER);
      s32.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 14 * STEP) & ADDRESS, ORDER);
      s33.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 15 * STEP) & ADDRESS, ORDER);
      if (header == 0) {
        addBlocks(w0 + at, w1 + at, w2 + at, w3 + at, 4, x, token + SCALE, ACTIVATION, 4, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * STEP, sums);
          addHeader(w2 + head, FACTORS + 8 * STEP, sums);
          addHeader(w3 + head, FACTORS + 12 * STEP, sums);
        }
        addBlocksWithMinima(
            w0 + at, w1 + at, w2 + at, w3 + at, 4, 8, x, token + SCALE, ACTIVATION, 4, sums);
      }
    }
  }

  /** Products of 4 registers of rows of fives, with one token: 4 accumulators. */
  private static void fiveDots4x1(
      int[] x,
      int first,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long header,
      int shift,
      long sums) {
    for (int half = 0; half < 2 * blocks; half++) {
      int block = half >>> 1;
      long head = (block >>> 3) * (header + 8 * Packed.FIVE_BLOCK_BYTES);
      long at = head + header + (block & 7) * Packed.FIVE_BLOCK_BYTES;
      long lines = at + Packed.LINE + (half & 1) * Packed.FIVE_HALF_BYTES;
      int token = first + block * FIVE + (half & 1) * Packed.FIVE_INTS;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      // The last line has one column only: the rest of it is 0, whatever it is multiplied with.
      for (int line = 0; line < Packed.FIVE_HALF_BYTES / Packed.LINE; line++) {
        long from = lines + line * Packed.LINE;
        int factor = token + Packed.FIVES_TOGETHER * line;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        for (int i = 1; i <= Packed.FIVES_TOGETHER; i++) {
          ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
          s00 = q0.mul(x0).add(s00);
          s10 = q1.mul(x0).add(s10);
          s20 = q2.mul(x0).add(s20);
          s30 = q3.mul(x0).add(s30);
          q0 =
              BITS == 512
                  ? q0.lanewise(VectorOperators.LSHR, FIVES)
                  : q0.lanewise(VectorOperators.LSHR, shift);
          q1 =
              BITS == 512
                  ? q1.lanewise(VectorOperators.LSHR, FIVES)
                  : q1.lanewise(VectorOperators.LSHR, shift);
          q2 =
              BITS == 512
                  ? q2.lanewise(VectorOperators.LSHR, FIVES)
                  : q2.lanewise(VectorOperators.LSHR, shift);
          q3 =
              BITS == 512
                  ? q3.lanewise(VectorOperators.LSHR, FIVES)
                  : q3.lanewise(VectorOperators.LSHR, shift);
        }
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 2 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 3 * STEP) & ADDRESS, ORDER);
      if (header == 0) {
        addBlocks(w0 + at, w1 + at, w2 + at, w3 + at, 4, x, token + FIVE_SCALE, FIVE, 1, sums);
      } else {
        if ((half & 15) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * STEP, sums);
          addHeader(w2 + head, FACTORS + 8 * STEP, sums);
          addHeader(w3 + head, FACTORS + 12 * STEP, sums);
        }
        addBlocksWithMinima(
            w0 + at, w1 + at, w2 + at, w3 + at, 4, 16, x, token + FIVE_SCALE, FIVE, 1, sums);
      }
    }
  }

  /** Products of 4 registers of rows of fives, with 2 tokens: 8 accumulators. */
  private static void fiveDots4x2(
      int[] x,
      int first,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long header,
      int shift,
      long sums) {
    for (int half = 0; half < 2 * blocks; half++) {
      int block = half >>> 1;
      long head = (block >>> 3) * (header + 8 * Packed.FIVE_BLOCK_BYTES);
      long at = head + header + (block & 7) * Packed.FIVE_BLOCK_BYTES;
      long lines = at + Packed.LINE + (half & 1) * Packed.FIVE_HALF_BYTES;
      int token = first + block * 2 * FIVE + (half & 1) * Packed.FIVE_INTS;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[token + FIVE]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s21 = s01;
      ShortVector s31 = s01;
      // The last line has one column only: the rest of it is 0, whatever it is multiplied with.
      for (int line = 0; line < Packed.FIVE_HALF_BYTES / Packed.LINE; line++) {
        long from = lines + line * Packed.LINE;
        int factor = token + Packed.FIVES_TOGETHER * line;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        for (int i = 1; i <= Packed.FIVES_TOGETHER; i++) {
          ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
          s00 = q0.mul(x0).add(s00);
          s10 = q1.mul(x0).add(s10);
          s20 = q2.mul(x0).add(s20);
          s30 = q3.mul(x0).add(s30);
          ShortVector x1 = IntVector.broadcast(INTS, x[factor + i + FIVE]).reinterpretAsShorts();
          s01 = q0.mul(x1).add(s01);
          s11 = q1.mul(x1).add(s11);
          s21 = q2.mul(x1).add(s21);
          s31 = q3.mul(x1).add(s31);
          q0 =
              BITS == 512
                  ? q0.lanewise(VectorOperators.LSHR, FIVES)
                  : q0.lanewise(VectorOperators.LSHR, shift);
          q1 =
              BITS == 512
                  ? q1.lanewise(VectorOperators.LSHR, FIVES)
                  : q1.lanewise(VectorOperators.LSHR, shift);
          q2 =
              BITS == 512
                  ? q2.lanewise(VectorOperators.LSHR, FIVES)
                  : q2.lanewise(VectorOperators.LSHR, shift);
          q3 =
              BITS == 512
                  ? q3.lanewise(VectorOperators.LSHR, FIVES)
                  : q3.lanewise(VectorOperators.LSHR, shift);
        }
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS) & ADDRESS, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + STEP) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 2 * STEP) & ADDRESS, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 3 * STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 4 * STEP) & ADDRESS, ORDER);
      s21.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 5 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 6 * STEP) & ADDRESS, ORDER);
      s31.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 7 * STEP) & ADDRESS, ORDER);
      if (header == 0) {
        addBlocks(w0 + at, w1 + at, w2 + at, w3 + at, 4, x, token + FIVE_SCALE, FIVE, 2, sums);
      } else {
        if ((half & 15) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * STEP, sums);
          addHeader(w2 + head, FACTORS + 8 * STEP, sums);
          addHeader(w3 + head, FACTORS + 12 * STEP, sums);
        }
        addBlocksWithMinima(
            w0 + at, w1 + at, w2 + at, w3 + at, 4, 16, x, token + FIVE_SCALE, FIVE, 2, sums);
      }
    }
  }

  /** Products of 4 registers of rows of fives, with 4 tokens: 16 accumulators. */
  private static void fiveDots4x4(
      int[] x, int first, long w0, long w1, long w2, long w3, int blocks, long header, long sums) {
    for (int half = 0; half < 2 * blocks; half++) {
      int block = half >>> 1;
      long head = (block >>> 3) * (header + 8 * Packed.FIVE_BLOCK_BYTES);
      long at = head + header + (block & 7) * Packed.FIVE_BLOCK_BYTES;
      long lines = at + Packed.LINE + (half & 1) * Packed.FIVE_HALF_BYTES;
      int token = first + block * 4 * FIVE + (half & 1) * Packed.FIVE_INTS;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[token + FIVE]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s21 = s01;
      ShortVector s31 = s01;
      ShortVector s02 = IntVector.broadcast(INTS, x[token + 2 * FIVE]).reinterpretAsShorts();
      ShortVector s12 = s02;
      ShortVector s22 = s02;
      ShortVector s32 = s02;
      ShortVector s03 = IntVector.broadcast(INTS, x[token + 3 * FIVE]).reinterpretAsShorts();
      ShortVector s13 = s03;
      ShortVector s23 = s03;
      ShortVector s33 = s03;
      long b0 = (w0 + lines) & ADDRESS;
      long b1 = (w1 + lines) & ADDRESS;
      long b2 = (w2 + lines) & ADDRESS;
      long b3 = (w3 + lines) & ADDRESS;
      for (int i = 0; i < Packed.FIVE_COLUMNS; i++) {
        int line = i / Packed.FIVES_TOGETHER;
        long from = line * Packed.LINE;
        int field = i - Packed.FIVES_TOGETHER * line;
        int five = 5 * field;
        ShortVector fives =
            BITS == 512
                ? ShortVector.fromArray(SHORTS, FIVE_SHIFTS, field * SHORTS.length())
                : FIVES;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, b0 + from, ORDER);
        q0 =
            BITS == 512
                ? q0.lanewise(VectorOperators.LSHR, fives)
                : q0.lanewise(VectorOperators.LSHR, five);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, b1 + from, ORDER);
        q1 =
            BITS == 512
                ? q1.lanewise(VectorOperators.LSHR, fives)
                : q1.lanewise(VectorOperators.LSHR, five);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, b2 + from, ORDER);
        q2 =
            BITS == 512
                ? q2.lanewise(VectorOperators.LSHR, fives)
                : q2.lanewise(VectorOperators.LSHR, five);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, b3 + from, ORDER);
        q3 =
            BITS == 512
                ? q3.lanewise(VectorOperators.LSHR, fives)
                : q3.lanewise(VectorOperators.LSHR, five);
        ShortVector x0 = IntVector.broadcast(INTS, x[token + 1 + i]).reinterpretAsShorts();
        s00 = q0.mul(x0).add(s00);
        s10 = q1.mul(x0).add(s10);
        s20 = q2.mul(x0).add(s20);
        s30 = q3.mul(x0).add(s30);
        ShortVector x1 = IntVector.broadcast(INTS, x[token + 1 + i + FIVE]).reinterpretAsShorts();
        s01 = q0.mul(x1).add(s01);
        s11 = q1.mul(x1).add(s11);
        s21 = q2.mul(x1).add(s21);
        s31 = q3.mul(x1).add(s31);
        ShortVector x2 =
            IntVector.broadcast(INTS, x[token + 1 + i + 2 * FIVE]).reinterpretAsShorts();
        s02 = q0.mul(x2).add(s02);
        s12 = q1.mul(x2).add(s12);
        s22 = q2.mul(x2).add(s22);
        s32 = q3.mul(x2).add(s32);
        ShortVector x3 =
            IntVector.broadcast(INTS, x[token + 1 + i + 3 * FIVE]).reinterpretAsShorts();
        s03 = q0.mul(x3).add(s03);
        s13 = q1.mul(x3).add(s13);
        s23 = q2.mul(x3).add(s23);
        s33 = q3.mul(x3).add(s33);
      }
      s00.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS) & ADDRESS, ORDER);
      s01.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + STEP) & ADDRESS, ORDER);
      s02.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 2 * STEP) & ADDRESS, ORDER);
      s03.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 3 * STEP) & ADDRESS, ORDER);
      s10.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 4 * STEP) & ADDRESS, ORDER);
      s11.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 5 * STEP) & ADDRESS, ORDER);
      s12.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 6 * STEP) & ADDRESS, ORDER);
      s13.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 7 * STEP) & ADDRESS, ORDER);
      s20.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 8 * STEP) & ADDRESS, ORDER);
      s21.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 9 * STEP) & ADDRESS, ORDER);
      s22.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 10 * STEP) & ADDRESS, ORDER);
      s23.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 11 * STEP) & ADDRESS, ORDER);
      s30.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 12 * STEP) & ADDRESS, ORDER);
      s31.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 13 * STEP) & ADDRESS, ORDER);
      s32.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 14 * STEP) & ADDRESS, ORDER);
      s33.reinterpretAsFloats().intoMemorySegment(ALL, (sums + DOTS + 15 * STEP) & ADDRESS, ORDER);
      if (header == 0) {
        addBlocks(w0 + at, w1 + at, w2 + at, w3 + at, 4, x, token + FIVE_SCALE, FIVE, 4, sums);
      } else {
        if ((half & 15) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * STEP, sums);
          addHeader(w2 + head, FACTORS + 8 * STEP, sums);
          addHeader(w3 + head, FACTORS + 12 * STEP, sums);
        }
        addBlocksWithMinima(
            w0 + at, w1 + at, w2 + at, w3 + at, 4, 16, x, token + FIVE_SCALE, FIVE, 4, sums);
      }
    }
  }

  /**
   * Adds what registers of rows gave in a block to their sums, those of even rows before those of
   * odd ones. A method of its own, and one register at a time: with more in one method C2 runs out
   * of what it may inline.
   */
  private static void addBlocks(
      long w0,
      long w1,
      long w2,
      long w3,
      int registers,
      int[] x,
      int scales,
      int stride,
      int tokens,
      long sums) {
    long from = (sums + DOTS) & ADDRESS;
    long to = sums & ADDRESS;
    for (int r = 0; r < registers; r++) {
      long w = r == 0 ? w0 : r == 1 ? w1 : r == 2 ? w2 : w3;
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, w & ADDRESS, ORDER).reinterpretAsInts();
      FloatVector even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector odd =
          h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      for (int t = 0; t < tokens; t++) {
        FloatVector scale = IntVector.broadcast(INTS, x[scales + t * stride]).reinterpretAsFloats();
        IntVector dots = IntVector.fromMemorySegment(INTS, ALL, from, ORDER);
        floats(dots.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
            .fma(even.mul(scale), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
            .intoMemorySegment(ALL, to, ORDER);
        floats(dots.lanewise(VectorOperators.ASHR, 16))
            .fma(odd.mul(scale), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
            .intoMemorySegment(ALL, to + STEP, ORDER);
        from = (from + STEP) & ADDRESS;
        to = (to + 2 * STEP) & ADDRESS;
      }
    }
  }

  /** Scales of weights, and those of minima, negated: of even rows before those of odd ones. */
  private static void addHeader(long w, long to, long sums) {
    headerScales(w, 0, sums + to);
    headerScales(w + Packed.LINE, SIGN, sums + to + 2 * STEP);
  }

  /**
   * The same as {@link #scales} where they often are subnormal, as those before eight blocks are:
   * converted as by {@link #half}.
   *
   * @param negated 0, or {@link #SIGN}
   */
  private static void headerScales(long w, int negated, long to) {
    long first = to & ADDRESS;
    IntVector h =
        ShortVector.fromMemorySegment(SHORTS, ALL, w & ADDRESS, ORDER).reinterpretAsInts();
    IntVector even = h.lanewise(VectorOperators.LSHL, 16);
    IntVector magnitude =
        even.lanewise(VectorOperators.LSHR, 3).and(HALF_BITS & ~SIGN).add(112 << 23);
    magnitude
        .min(magnitude.reinterpretAsFloats().fma(TWOS, LEAST).reinterpretAsInts())
        .or(even.and(SIGN).lanewise(VectorOperators.XOR, negated))
        .intoMemorySegment(ALL, first, ORDER);
    magnitude = h.lanewise(VectorOperators.LSHR, 3).and(HALF_BITS & ~SIGN).add(112 << 23);
    magnitude
        .min(magnitude.reinterpretAsFloats().fma(TWOS, LEAST).reinterpretAsInts())
        .or(h.and(SIGN).lanewise(VectorOperators.XOR, negated))
        .intoMemorySegment(ALL, first + STEP, ORDER);
  }

  /** The same as {@link #addBlocks} where weights have minima. */
  private static void addBlocksWithMinima(
      long w0,
      long w1,
      long w2,
      long w3,
      int registers,
      float zero,
      int[] x,
      int scales,
      int stride,
      int tokens,
      long sums) {
    long from = (sums + DOTS) & ADDRESS;
    long to = sums & ADDRESS;
    long factors = (sums + FACTORS) & ADDRESS;
    FloatVector zeros = FloatVector.broadcast(FLOATS, zero);
    for (int r = 0; r < registers; r++) {
      long w = r == 0 ? w0 : r == 1 ? w1 : r == 2 ? w2 : w3;
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, w & ADDRESS, ORDER).reinterpretAsInts();
      FloatVector even =
          floats(h.and(0xff)).mul(FloatVector.fromMemorySegment(FLOATS, ALL, factors, ORDER));
      FloatVector evenRest =
          even.fma(
              zeros,
              floats(h.lanewise(VectorOperators.LSHR, 8).and(0xff))
                  .mul(FloatVector.fromMemorySegment(FLOATS, ALL, factors + 2 * STEP, ORDER)));
      FloatVector odd =
          floats(h.lanewise(VectorOperators.LSHR, 16).and(0xff))
              .mul(FloatVector.fromMemorySegment(FLOATS, ALL, factors + STEP, ORDER));
      FloatVector oddRest =
          odd.fma(
              zeros,
              floats(h.lanewise(VectorOperators.LSHR, 24))
                  .mul(FloatVector.fromMemorySegment(FLOATS, ALL, factors + 3 * STEP, ORDER)));
      factors = (factors + 4 * STEP) & ADDRESS;
      for (int t = 0; t < tokens; t++) {
        FloatVector scale = IntVector.broadcast(INTS, x[scales + t * stride]).reinterpretAsFloats();
        FloatVector sum =
            IntVector.broadcast(INTS, x[scales + t * stride + 1]).reinterpretAsFloats();
        IntVector dots = IntVector.fromMemorySegment(INTS, ALL, from, ORDER);
        evenRest
            .fma(
                sum,
                floats(dots.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16))
                    .fma(even.mul(scale), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER)))
            .intoMemorySegment(ALL, to, ORDER);
        oddRest
            .fma(
                sum,
                floats(dots.lanewise(VectorOperators.ASHR, 16))
                    .fma(
                        odd.mul(scale),
                        FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER)))
            .intoMemorySegment(ALL, to + STEP, ORDER);
        from = (from + STEP) & ADDRESS;
        to = (to + 2 * STEP) & ADDRESS;
      }
    }
  }

  /**
   * Products of registers of rows of Q6_K with some tokens. The integer sums of both halves of some
   * blocks are scaled together, as in {@link #blockDots}, and added to those at {@code first}; a
   * register's are {@code step} bytes from those of the one before.
   */
  private static void sixDots(
      int[] x,
      int at,
      int tokens,
      int registers,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long sums,
      long first) {
    int stride = tokens * ACTIVATION;
    int together = Packed.BLOCKS / 2;
    for (int block = 0; block < blocks; block += together) {
      int count = Math.min(together, blocks - block);
      int token = at + block * stride;
      long head = block / Packed.BLOCKS * (Packed.LINE + Packed.BLOCKS * Packed.SIX_BLOCK_BYTES);
      long from = head + Packed.LINE + block % Packed.BLOCKS * Packed.SIX_BLOCK_BYTES;
      if (registers == 4) {
        sixDots4x1(x, token, w0 + from, w1 + from, w2 + from, w3 + from, count, 4, sums);
      } else {
        switch (tokens) {
          case 1 -> sixDots2x1(x, token, w0 + from, w1 + from, count, 4, sums);
          case 2 -> sixDots2x2(x, token, stride, w0 + from, w1 + from, count, 4, sums);
          default -> sixDots2x4(x, token, stride, w0 + from, w1 + from, count, sums);
        }
      }
      long dots = sums + DOTS;
      long pairs = STEP * registers * tokens;
      for (int r = 0; r < registers; r++) {
        long w = r == 0 ? w0 : r == 1 ? w1 : r == 2 ? w2 : w3;
        long to = sums + first + r * (2 * STEP * tokens);
        factorsOfSixes(w + head, w + from, count, sums);
        for (int t = 0; t < tokens; t++) {
          int y = token + t * ACTIVATION + SCALE;
          addSixes(x, y, stride, count, dots, pairs, sums + FACTORS, to);
          dots += STEP;
          to += 2 * STEP;
        }
      }
    }
  }

  /**
   * Products of 4 registers of rows of Q6_K, with one token: 4 accumulators for nibbles, 4 for bit
   * pairs.
   */
  private static void sixDots4x1(
      int[] x, int first, long w0, long w1, long w2, long w3, int count, int shift, long sums) {
    long to = sums + DOTS;
    for (int block = 0; block < count; block++) {
      long at = block * Packed.SIX_BLOCK_BYTES;
      int token = first + block * ACTIVATION;
      for (int half = 0; half < 2; half++) {
        ShortVector l00 = ShortVector.zero(SHORTS);
        ShortVector l10 = l00;
        ShortVector l20 = l00;
        ShortVector l30 = l00;
        ShortVector h00 =
            IntVector.broadcast(INTS, x[token + half + SIX_START]).reinterpretAsShorts();
        ShortVector h10 = h00;
        ShortVector h20 = h00;
        ShortVector h30 = h00;
        for (int quad = 4 * half; quad < 4 * half + 4; quad++) {
          long from = at + (1 + quad + (quad >>> 1)) * Packed.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Packed.LINE;
          int odd = 2 * (quad & 1);
          int factor = token + 4 * quad;
          ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
          ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
          ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
          ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
          ShortVector p0 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          ShortVector p1 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          ShortVector p2 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          ShortVector p3 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          for (int i = 1; i <= 4; i++) {
            ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
            l00 = q0.mul(x0).add(l00);
            h00 = p0.mul(x0).add(h00);
            l10 = q1.mul(x0).add(l10);
            h10 = p1.mul(x0).add(h10);
            l20 = q2.mul(x0).add(l20);
            h20 = p2.mul(x0).add(h20);
            l30 = q3.mul(x0).add(l30);
            h30 = p3.mul(x0).add(h30);
            q0 =
                BITS == 512
                    ? q0.lanewise(VectorOperators.LSHR, FOURS)
                    : q0.lanewise(VectorOperators.LSHR, shift);
            q1 =
                BITS == 512
                    ? q1.lanewise(VectorOperators.LSHR, FOURS)
                    : q1.lanewise(VectorOperators.LSHR, shift);
            q2 =
                BITS == 512
                    ? q2.lanewise(VectorOperators.LSHR, FOURS)
                    : q2.lanewise(VectorOperators.LSHR, shift);
            q3 =
                BITS == 512
                    ? q3.lanewise(VectorOperators.LSHR, FOURS)
                    : q3.lanewise(VectorOperators.LSHR, shift);
            p0 =
                BITS == 512
                    ? p0.lanewise(VectorOperators.LSHR, FOURS)
                    : p0.lanewise(VectorOperators.LSHR, shift);
            p1 =
                BITS == 512
                    ? p1.lanewise(VectorOperators.LSHR, FOURS)
                    : p1.lanewise(VectorOperators.LSHR, shift);
            p2 =
                BITS == 512
                    ? p2.lanewise(VectorOperators.LSHR, FOURS)
                    : p2.lanewise(VectorOperators.LSHR, shift);
            p3 =
                BITS == 512
                    ? p3.lanewise(VectorOperators.LSHR, FOURS)
                    : p3.lanewise(VectorOperators.LSHR, shift);
          }
        }
        l00.reinterpretAsFloats().intoMemorySegment(ALL, to & ADDRESS, ORDER);
        l10.reinterpretAsFloats().intoMemorySegment(ALL, (to + STEP) & ADDRESS, ORDER);
        l20.reinterpretAsFloats().intoMemorySegment(ALL, (to + 2 * STEP) & ADDRESS, ORDER);
        l30.reinterpretAsFloats().intoMemorySegment(ALL, (to + 3 * STEP) & ADDRESS, ORDER);
        h00.reinterpretAsFloats().intoMemorySegment(ALL, (to + 4 * STEP) & ADDRESS, ORDER);
        h10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 5 * STEP) & ADDRESS, ORDER);
        h20.reinterpretAsFloats().intoMemorySegment(ALL, (to + 6 * STEP) & ADDRESS, ORDER);
        h30.reinterpretAsFloats().intoMemorySegment(ALL, (to + 7 * STEP) & ADDRESS, ORDER);
        to += DOTS_STEP;
      }
    }
  }

  /**
   * Products of 2 registers of rows of Q6_K, with one token: 2 and 2 accumulators. For few
   * registers, where 4 of rows do not fit.
   */
  private static void sixDots2x1(
      int[] x, int first, long w0, long w1, int count, int shift, long sums) {
    long to = sums + DOTS;
    for (int block = 0; block < count; block++) {
      long at = block * Packed.SIX_BLOCK_BYTES;
      int token = first + block * ACTIVATION;
      for (int half = 0; half < 2; half++) {
        ShortVector l00 = ShortVector.zero(SHORTS);
        ShortVector l10 = l00;
        ShortVector h00 =
            IntVector.broadcast(INTS, x[token + half + SIX_START]).reinterpretAsShorts();
        ShortVector h10 = h00;
        for (int quad = 4 * half; quad < 4 * half + 4; quad++) {
          long from = at + (1 + quad + (quad >>> 1)) * Packed.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Packed.LINE;
          int odd = 2 * (quad & 1);
          int factor = token + 4 * quad;
          ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
          ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
          ShortVector p0 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          ShortVector p1 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          for (int i = 1; i <= 4; i++) {
            ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
            l00 = q0.mul(x0).add(l00);
            h00 = p0.mul(x0).add(h00);
            l10 = q1.mul(x0).add(l10);
            h10 = p1.mul(x0).add(h10);
            q0 = q0.lanewise(VectorOperators.LSHR, shift);
            q1 = q1.lanewise(VectorOperators.LSHR, shift);
            p0 = p0.lanewise(VectorOperators.LSHR, shift);
            p1 = p1.lanewise(VectorOperators.LSHR, shift);
          }
        }
        l00.reinterpretAsFloats().intoMemorySegment(ALL, to & ADDRESS, ORDER);
        l10.reinterpretAsFloats().intoMemorySegment(ALL, (to + STEP) & ADDRESS, ORDER);
        h00.reinterpretAsFloats().intoMemorySegment(ALL, (to + 2 * STEP) & ADDRESS, ORDER);
        h10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 3 * STEP) & ADDRESS, ORDER);
        to += DOTS_STEP;
      }
    }
  }

  /** Products of 2 registers of rows of Q6_K, with 2 tokens: 4 and 4 accumulators. */
  private static void sixDots2x2(
      int[] x, int first, int stride, long w0, long w1, int count, int shift, long sums) {
    long to = sums + DOTS;
    for (int block = 0; block < count; block++) {
      long at = block * Packed.SIX_BLOCK_BYTES;
      int token = first + block * stride;
      for (int half = 0; half < 2; half++) {
        ShortVector l00 = ShortVector.zero(SHORTS);
        ShortVector l01 = l00;
        ShortVector l10 = l00;
        ShortVector l11 = l00;
        ShortVector h00 =
            IntVector.broadcast(INTS, x[token + half + SIX_START]).reinterpretAsShorts();
        ShortVector h10 = h00;
        ShortVector h01 =
            IntVector.broadcast(INTS, x[token + half + (ACTIVATION + SIX_START)])
                .reinterpretAsShorts();
        ShortVector h11 = h01;
        for (int quad = 4 * half; quad < 4 * half + 4; quad++) {
          long from = at + (1 + quad + (quad >>> 1)) * Packed.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Packed.LINE;
          int odd = 2 * (quad & 1);
          int factor = token + 4 * quad;
          ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
          ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
          ShortVector p0 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          ShortVector p1 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, odd)
                  .and(PAIRS);
          for (int i = 1; i <= 4; i++) {
            ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
            l00 = q0.mul(x0).add(l00);
            h00 = p0.mul(x0).add(h00);
            l10 = q1.mul(x0).add(l10);
            h10 = p1.mul(x0).add(h10);
            ShortVector x1 =
                IntVector.broadcast(INTS, x[factor + i + ACTIVATION]).reinterpretAsShorts();
            l01 = q0.mul(x1).add(l01);
            h01 = p0.mul(x1).add(h01);
            l11 = q1.mul(x1).add(l11);
            h11 = p1.mul(x1).add(h11);
            q0 =
                BITS == 512
                    ? q0.lanewise(VectorOperators.LSHR, FOURS)
                    : q0.lanewise(VectorOperators.LSHR, shift);
            q1 =
                BITS == 512
                    ? q1.lanewise(VectorOperators.LSHR, FOURS)
                    : q1.lanewise(VectorOperators.LSHR, shift);
            p0 =
                BITS == 512
                    ? p0.lanewise(VectorOperators.LSHR, FOURS)
                    : p0.lanewise(VectorOperators.LSHR, shift);
            p1 =
                BITS == 512
                    ? p1.lanewise(VectorOperators.LSHR, FOURS)
                    : p1.lanewise(VectorOperators.LSHR, shift);
          }
        }
        l00.reinterpretAsFloats().intoMemorySegment(ALL, to & ADDRESS, ORDER);
        l01.reinterpretAsFloats().intoMemorySegment(ALL, (to + STEP) & ADDRESS, ORDER);
        l10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 2 * STEP) & ADDRESS, ORDER);
        l11.reinterpretAsFloats().intoMemorySegment(ALL, (to + 3 * STEP) & ADDRESS, ORDER);
        h00.reinterpretAsFloats().intoMemorySegment(ALL, (to + 4 * STEP) & ADDRESS, ORDER);
        h01.reinterpretAsFloats().intoMemorySegment(ALL, (to + 5 * STEP) & ADDRESS, ORDER);
        h10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 6 * STEP) & ADDRESS, ORDER);
        h11.reinterpretAsFloats().intoMemorySegment(ALL, (to + 7 * STEP) & ADDRESS, ORDER);
        to += DOTS_STEP;
      }
    }
  }

  /**
   * Products of 2 registers of rows of Q6_K, with 4 tokens: 8 and 8 accumulators. Two columns at a
   * time, as in {@link #nibbleDots2x8}.
   */
  private static void sixDots2x4(
      int[] x, int first, int stride, long w0, long w1, int count, long sums) {
    long to = sums + DOTS;
    for (int block = 0; block < count; block++) {
      long at = block * Packed.SIX_BLOCK_BYTES;
      int token = first + block * stride;
      for (int half = 0; half < 2; half++) {
        ShortVector l00 = ShortVector.zero(SHORTS);
        ShortVector l01 = l00;
        ShortVector l02 = l00;
        ShortVector l03 = l00;
        ShortVector l10 = l00;
        ShortVector l11 = l00;
        ShortVector l12 = l00;
        ShortVector l13 = l00;
        ShortVector h00 =
            IntVector.broadcast(INTS, x[token + half + SIX_START]).reinterpretAsShorts();
        ShortVector h10 = h00;
        ShortVector h01 =
            IntVector.broadcast(INTS, x[token + half + (ACTIVATION + SIX_START)])
                .reinterpretAsShorts();
        ShortVector h11 = h01;
        ShortVector h02 =
            IntVector.broadcast(INTS, x[token + half + (2 * ACTIVATION + SIX_START)])
                .reinterpretAsShorts();
        ShortVector h12 = h02;
        ShortVector h03 =
            IntVector.broadcast(INTS, x[token + half + (3 * ACTIVATION + SIX_START)])
                .reinterpretAsShorts();
        ShortVector h13 = h03;
        for (int pair = 8 * half; pair < 8 * half + 8; pair++) {
          int quad = pair >>> 1;
          long from = at + (1 + quad + (quad >>> 1)) * Packed.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Packed.LINE;
          int column = token + 1 + 2 * pair;
          int done = 8 * (pair & 1);
          ShortVector nibbles = IntVector.broadcast(INTS, 0x0001_0001 * done).reinterpretAsShorts();
          ShortVector bits =
              IntVector.broadcast(INTS, 0x0001_0001 * (done + 2 * (quad & 1)))
                  .reinterpretAsShorts();
          ShortVector q0 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, nibbles);
          ShortVector q1 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, nibbles);
          ShortVector p0 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, bits)
                  .and(PAIRS);
          ShortVector p1 =
              ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + fromPairs) & ADDRESS, ORDER)
                  .lanewise(VectorOperators.LSHR, bits)
                  .and(PAIRS);
          ShortVector x0 = IntVector.broadcast(INTS, x[column]).reinterpretAsShorts();
          l00 = q0.mul(x0).add(l00);
          h00 = p0.mul(x0).add(h00);
          l10 = q1.mul(x0).add(l10);
          h10 = p1.mul(x0).add(h10);
          ShortVector x1 = IntVector.broadcast(INTS, x[column + ACTIVATION]).reinterpretAsShorts();
          l01 = q0.mul(x1).add(l01);
          h01 = p0.mul(x1).add(h01);
          l11 = q1.mul(x1).add(l11);
          h11 = p1.mul(x1).add(h11);
          ShortVector x2 =
              IntVector.broadcast(INTS, x[column + 2 * ACTIVATION]).reinterpretAsShorts();
          l02 = q0.mul(x2).add(l02);
          h02 = p0.mul(x2).add(h02);
          l12 = q1.mul(x2).add(l12);
          h12 = p1.mul(x2).add(h12);
          ShortVector x3 =
              IntVector.broadcast(INTS, x[column + 3 * ACTIVATION]).reinterpretAsShorts();
          l03 = q0.mul(x3).add(l03);
          h03 = p0.mul(x3).add(h03);
          l13 = q1.mul(x3).add(l13);
          h13 = p1.mul(x3).add(h13);
          q0 = q0.lanewise(VectorOperators.LSHR, FOURS);
          q1 = q1.lanewise(VectorOperators.LSHR, FOURS);
          p0 = p0.lanewise(VectorOperators.LSHR, FOURS);
          p1 = p1.lanewise(VectorOperators.LSHR, FOURS);
          x0 = IntVector.broadcast(INTS, x[column + 1]).reinterpretAsShorts();
          l00 = q0.mul(x0).add(l00);
          h00 = p0.mul(x0).add(h00);
          l10 = q1.mul(x0).add(l10);
          h10 = p1.mul(x0).add(h10);
          x1 = IntVector.broadcast(INTS, x[column + 1 + ACTIVATION]).reinterpretAsShorts();
          l01 = q0.mul(x1).add(l01);
          h01 = p0.mul(x1).add(h01);
          l11 = q1.mul(x1).add(l11);
          h11 = p1.mul(x1).add(h11);
          x2 = IntVector.broadcast(INTS, x[column + 1 + 2 * ACTIVATION]).reinterpretAsShorts();
          l02 = q0.mul(x2).add(l02);
          h02 = p0.mul(x2).add(h02);
          l12 = q1.mul(x2).add(l12);
          h12 = p1.mul(x2).add(h12);
          x3 = IntVector.broadcast(INTS, x[column + 1 + 3 * ACTIVATION]).reinterpretAsShorts();
          l03 = q0.mul(x3).add(l03);
          h03 = p0.mul(x3).add(h03);
          l13 = q1.mul(x3).add(l13);
          h13 = p1.mul(x3).add(h13);
        }
        l00.reinterpretAsFloats().intoMemorySegment(ALL, to & ADDRESS, ORDER);
        l01.reinterpretAsFloats().intoMemorySegment(ALL, (to + STEP) & ADDRESS, ORDER);
        l02.reinterpretAsFloats().intoMemorySegment(ALL, (to + 2 * STEP) & ADDRESS, ORDER);
        l03.reinterpretAsFloats().intoMemorySegment(ALL, (to + 3 * STEP) & ADDRESS, ORDER);
        l10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 4 * STEP) & ADDRESS, ORDER);
        l11.reinterpretAsFloats().intoMemorySegment(ALL, (to + 5 * STEP) & ADDRESS, ORDER);
        l12.reinterpretAsFloats().intoMemorySegment(ALL, (to + 6 * STEP) & ADDRESS, ORDER);
        l13.reinterpretAsFloats().intoMemorySegment(ALL, (to + 7 * STEP) & ADDRESS, ORDER);
        h00.reinterpretAsFloats().intoMemorySegment(ALL, (to + 8 * STEP) & ADDRESS, ORDER);
        h01.reinterpretAsFloats().intoMemorySegment(ALL, (to + 9 * STEP) & ADDRESS, ORDER);
        h02.reinterpretAsFloats().intoMemorySegment(ALL, (to + 10 * STEP) & ADDRESS, ORDER);
        h03.reinterpretAsFloats().intoMemorySegment(ALL, (to + 11 * STEP) & ADDRESS, ORDER);
        h10.reinterpretAsFloats().intoMemorySegment(ALL, (to + 12 * STEP) & ADDRESS, ORDER);
        h11.reinterpretAsFloats().intoMemorySegment(ALL, (to + 13 * STEP) & ADDRESS, ORDER);
        h12.reinterpretAsFloats().intoMemorySegment(ALL, (to + 14 * STEP) & ADDRESS, ORDER);
        h13.reinterpretAsFloats().intoMemorySegment(ALL, (to + 15 * STEP) & ADDRESS, ORDER);
        to += DOTS_STEP;
      }
    }
  }

  /**
   * The scales of both halves of blocks of a register of rows of Q6_K. One half at a time: the
   * compiler did not inline all that both need.
   */
  private static void factorsOfSixes(long header, long w, int count, long sums) {
    headerScales(header, 0, sums + HEADER);
    long head = (sums + HEADER) & ADDRESS;
    FloatVector evens = FloatVector.fromMemorySegment(FLOATS, ALL, head, ORDER);
    FloatVector odds = FloatVector.fromMemorySegment(FLOATS, ALL, head + STEP, ORDER);
    for (int half = 0; half < 2 * count; half++) {
      long to = (sums + FACTORS + half * (FACTOR_STEP / 2)) & ADDRESS;
      int above = 8 * (1 - (half & 1));
      IntVector s =
          ShortVector.fromMemorySegment(
                  SHORTS, ALL, (w + (half >>> 1) * Packed.SIX_BLOCK_BYTES) & ADDRESS, ORDER)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, above);
      floats(s.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24))
          .mul(evens)
          .intoMemorySegment(ALL, to, ORDER);
      floats(s.lanewise(VectorOperators.ASHR, 24))
          .mul(odds)
          .intoMemorySegment(ALL, to + STEP, ORDER);
    }
  }

  /**
   * Scales the integer sums that a register of rows of Q6_K and a token gave in halves of some
   * blocks, and adds them. Those of bit pairs lie {@code pairs} behind those of nibbles.
   */
  private static void addSixes(
      int[] x, int scale, int stride, int count, long dots, long pairs, long factors, long sums) {
    long from = dots & ADDRESS;
    long factorsFrom = factors & ADDRESS;
    long to = sums & ADDRESS;
    FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER);
    FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER);
    for (int half = 0; half < 2 * count; half++) {
      long f = factorsFrom + half * (FACTOR_STEP / 2);
      FloatVector y =
          IntVector.broadcast(INTS, x[scale + (half >>> 1) * stride]).reinterpretAsFloats();
      IntVector l = IntVector.fromMemorySegment(INTS, ALL, from + half * DOTS_STEP, ORDER);
      IntVector h =
          IntVector.fromMemorySegment(
              INTS, ALL, (from + half * DOTS_STEP + pairs) & ADDRESS, ORDER);
      even =
          floats(
                  l.lanewise(VectorOperators.LSHL, 16)
                      .lanewise(VectorOperators.ASHR, 16)
                      .add(h.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 12)))
              .fma(y.mul(FloatVector.fromMemorySegment(FLOATS, ALL, f, ORDER)), even);
      odd =
          floats(
                  l.lanewise(VectorOperators.ASHR, 16)
                      .add(h.lanewise(VectorOperators.ASHR, 16).lanewise(VectorOperators.LSHL, 4)))
              .fma(y.mul(FloatVector.fromMemorySegment(FLOATS, ALL, f + STEP, ORDER)), odd);
    }
    even.intoMemorySegment(ALL, to, ORDER);
    odd.intoMemorySegment(ALL, to + STEP, ORDER);
  }

  /** Stores sums, of even rows before those of odd ones, in order. */
  private static void storeRows(long from, int rows, long to) {
    if (rows >= 2 * LENGTH) {
      FloatVector even = load(from);
      FloatVector odd = load(from + STEP);
      store(even.rearrange(FIRST_ROWS, odd), to);
      store(even.rearrange(LAST_ROWS, odd), to + STEP);
      return;
    }
    for (int i = 0; i < rows; i++) {
      set(to + 4L * i, get(from + i % 2 * STEP + i / 2 * 4L));
    }
  }

  /** Many tokens, whole tiles, with rows of octets or of Q6_K, block by block. */
  private static void tileDots(
      WeightType type,
      int[] x,
      int first,
      int together,
      long w,
      int rows,
      int blocks,
      long out,
      long outStride,
      long sums) {
    int parts = Math.min(PACKED_PARTS, 4);
    int groups = (rows + Packed.ROWS - 1) / Packed.ROWS;
    int each = (groups * parts + 3) / 4;
    long size = 8 * STEP * together;
    long groupBytes = Packed.groupBytes(type, blocks * Packed.COLUMNS);
    long header = Packed.headerBytes(type);
    long blockBytes = Packed.blockBytes(type);
    long g1 = first(1 / parts, groups, each) * groupBytes;
    long g2 = first(2 / parts, groups, each) * groupBytes;
    long g3 = first(3 / parts, groups, each) * groupBytes;
    for (int group = 0; group < each; group++) {
      long g0 = w + group * groupBytes;
      for (int part = 0; part < PACKED_PARTS; part += parts) {
        Memory.zero(sums, size);
        for (int block = 0; block < blocks; block++) {
          long head = g0 + (block >>> 3) * (header + 8 * blockBytes);
          long at = head + header + (block & 7) * blockBytes;
          int p1 = part + 1 % parts;
          int p2 = part + 2 % parts;
          int p3 = part + 3 % parts;
          long panel = sums + size;
          long scales = panel + 8 * STEP * Packed.COLUMNS;
          if (type == WeightType.Q8_0) {
            long q = at + Packed.LINE;
            unpackOctets(
                q + part * BYTE_STEP,
                q + g1 + p1 * BYTE_STEP,
                q + g2 + p2 * BYTE_STEP,
                q + g3 + p3 * BYTE_STEP,
                panel);
            scales(at + part * STEP, scales);
            scales(at + g1 + p1 * STEP, scales + 2 * STEP);
            scales(at + g2 + p2 * STEP, scales + 4 * STEP);
            scales(at + g3 + p3 * STEP, scales + 6 * STEP);
            tiles(x, first + block * (together * FINE), together, panel, 1, sums);
          } else {
            unpackSixes(head + part * STEP, at + part * STEP, panel, scales);
            unpackSixes(
                head + g1 + p1 * STEP, at + g1 + p1 * STEP, panel + OCTET_PANEL, scales + 4 * STEP);
            unpackSixes(
                head + g2 + p2 * STEP,
                at + g2 + p2 * STEP,
                panel + 2 * OCTET_PANEL,
                scales + 8 * STEP);
            unpackSixes(
                head + g3 + p3 * STEP,
                at + g3 + p3 * STEP,
                panel + 3 * OCTET_PANEL,
                scales + 12 * STEP);
            tiles(x, first + block * (together * FINE), together, panel, 2, sums);
          }
        }
        for (int s = 0; s < 4; s++) {
          int row =
              Packed.ROWS * (first(s / parts, groups, each) + group)
                  + 2 * LENGTH * (part + s % parts);
          for (int t = 0; t < together; t++) {
            long from = sums + (s * together + t) * (2 * STEP);
            storeRows(from, rows - row, out + t * outStride + 4L * row);
          }
        }
      }
    }
  }

  // Octets of few tokens. Each kernel converts a block's scales and adds to the sums itself: a
  // method that does so for all has to load the block's products again, a twentieth of the time;
  // one
  // that only converts scales is not inlined, so that its vectors are allocated.

  /** Products of 4 times 2 registers of rows of octets, with one token: 8 accumulators. */
  private static void octetDots4x1(
      int[] x,
      int first,
      long q0,
      long q1,
      long q2,
      long q3,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long sums) {
    for (int block = 0; block < blocks; block++) {
      long at = block * Packed.OCTET_BLOCK_BYTES;
      int token = first + block * FINE;
      long b0 = (q0 + at) & ADDRESS;
      long b1 = (q1 + at) & ADDRESS;
      long b2 = (q2 + at) & ADDRESS;
      long b3 = (q3 + at) & ADDRESS;
      FloatVector e00 = FloatVector.zero(FLOATS);
      FloatVector o00 = e00;
      FloatVector e10 = e00;
      FloatVector o10 = e00;
      FloatVector e20 = e00;
      FloatVector o20 = e00;
      FloatVector e30 = e00;
      FloatVector o30 = e00;
      for (int i = 0; i < Packed.COLUMNS; i++) {
        FloatVector x0 = IntVector.broadcast(INTS, x[token + i]).reinterpretAsFloats();
        FloatVector v0 = octets(b0 + (long) Packed.ROWS * i);
        FloatVector u0 = octets(b0 + HALF_ROWS + (long) Packed.ROWS * i);
        e00 = v0.fma(x0, e00);
        o00 = u0.fma(x0, o00);
        FloatVector v1 = octets(b1 + (long) Packed.ROWS * i);
        FloatVector u1 = octets(b1 + HALF_ROWS + (long) Packed.ROWS * i);
        e10 = v1.fma(x0, e10);
        o10 = u1.fma(x0, o10);
        FloatVector v2 = octets(b2 + (long) Packed.ROWS * i);
        FloatVector u2 = octets(b2 + HALF_ROWS + (long) Packed.ROWS * i);
        e20 = v2.fma(x0, e20);
        o20 = u2.fma(x0, o20);
        FloatVector v3 = octets(b3 + (long) Packed.ROWS * i);
        FloatVector u3 = octets(b3 + HALF_ROWS + (long) Packed.ROWS * i);
        e30 = v3.fma(x0, e30);
        o30 = u3.fma(x0, o30);
      }
      int scales = token + Packed.COLUMNS;
      long to = sums & ADDRESS;
      FloatVector s0 = IntVector.broadcast(INTS, x[scales]).reinterpretAsFloats();
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      FloatVector even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector odd =
          h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e00.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
          .intoMemorySegment(ALL, to, ORDER);
      o00.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
          .intoMemorySegment(ALL, to + STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e10.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      o10.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e20.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
      o20.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e30.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
      o30.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
    }
  }

  /**
   * Products of 2 times 2 registers of rows of octets, with 2 tokens: 8 accumulators. For few
   * registers, so the loop is one that the compiler does not unroll, as in {@link #narrowDots2x4}.
   */
  private static void octetDots2x2(
      int[] x, int first, int one, long q0, long q1, long w0, long w1, int blocks, long sums) {
    for (int block = 0; block < blocks; block++) {
      long at = block * Packed.OCTET_BLOCK_BYTES;
      int token = first + block * (2 * FINE);
      long b0 = (q0 + at) & ADDRESS;
      long b1 = (q1 + at) & ADDRESS;
      FloatVector e00 = FloatVector.zero(FLOATS);
      FloatVector o00 = e00;
      FloatVector e01 = e00;
      FloatVector o01 = e00;
      FloatVector e10 = e00;
      FloatVector o10 = e00;
      FloatVector e11 = e00;
      FloatVector o11 = e00;
      for (int i = 0; i != Packed.COLUMNS; i += one) {
        FloatVector x0 = IntVector.broadcast(INTS, x[token + i]).reinterpretAsFloats();
        FloatVector x1 = IntVector.broadcast(INTS, x[token + i + FINE]).reinterpretAsFloats();
        FloatVector v0 = octets(b0 + (long) Packed.ROWS * i);
        FloatVector u0 = octets(b0 + HALF_ROWS + (long) Packed.ROWS * i);
        e00 = v0.fma(x0, e00);
        o00 = u0.fma(x0, o00);
        e01 = v0.fma(x1, e01);
        o01 = u0.fma(x1, o01);
        FloatVector v1 = octets(b1 + (long) Packed.ROWS * i);
        FloatVector u1 = octets(b1 + HALF_ROWS + (long) Packed.ROWS * i);
        e10 = v1.fma(x0, e10);
        o10 = u1.fma(x0, o10);
        e11 = v1.fma(x1, e11);
        o11 = u1.fma(x1, o11);
      }
      int scales = token + Packed.COLUMNS;
      long to = sums & ADDRESS;
      FloatVector s0 = IntVector.broadcast(INTS, x[scales]).reinterpretAsFloats();
      FloatVector s1 = IntVector.broadcast(INTS, x[scales + FINE]).reinterpretAsFloats();
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      FloatVector even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector odd =
          h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e00.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
          .intoMemorySegment(ALL, to, ORDER);
      o00.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
          .intoMemorySegment(ALL, to + STEP, ORDER);
      e01.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      o01.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e10.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
      o10.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
      e11.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
      o11.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
    }
  }

  /** Products of 4 times 2 registers of rows of octets, with 2 tokens: 16 accumulators. */
  private static void octetDots4x2(
      int[] x,
      int first,
      long q0,
      long q1,
      long q2,
      long q3,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long sums) {
    for (int block = 0; block < blocks; block++) {
      long at = block * Packed.OCTET_BLOCK_BYTES;
      int token = first + block * (2 * FINE);
      long b0 = (q0 + at) & ADDRESS;
      long b1 = (q1 + at) & ADDRESS;
      long b2 = (q2 + at) & ADDRESS;
      long b3 = (q3 + at) & ADDRESS;
      FloatVector e00 = FloatVector.zero(FLOATS);
      FloatVector o00 = e00;
      FloatVector e01 = e00;
      FloatVector o01 = e00;
      FloatVector e10 = e00;
      FloatVector o10 = e00;
      FloatVector e11 = e00;
      FloatVector o11 = e00;
      FloatVector e20 = e00;
      FloatVector o20 = e00;
      FloatVector e21 = e00;
      FloatVector o21 = e00;
      FloatVector e30 = e00;
      FloatVector o30 = e00;
      FloatVector e31 = e00;
      FloatVector o31 = e00;
      for (int i = 0; i < Packed.COLUMNS; i++) {
        FloatVector x0 = IntVector.broadcast(INTS, x[token + i]).reinterpretAsFloats();
        FloatVector x1 = IntVector.broadcast(INTS, x[token + i + FINE]).reinterpretAsFloats();
        FloatVector v0 = octets(b0 + (long) Packed.ROWS * i);
        FloatVector u0 = octets(b0 + HALF_ROWS + (long) Packed.ROWS * i);
        e00 = v0.fma(x0, e00);
        o00 = u0.fma(x0, o00);
        e01 = v0.fma(x1, e01);
        o01 = u0.fma(x1, o01);
        FloatVector v1 = octets(b1 + (long) Packed.ROWS * i);
        FloatVector u1 = octets(b1 + HALF_ROWS + (long) Packed.ROWS * i);
        e10 = v1.fma(x0, e10);
        o10 = u1.fma(x0, o10);
        e11 = v1.fma(x1, e11);
        o11 = u1.fma(x1, o11);
        FloatVector v2 = octets(b2 + (long) Packed.ROWS * i);
        FloatVector u2 = octets(b2 + HALF_ROWS + (long) Packed.ROWS * i);
        e20 = v2.fma(x0, e20);
        o20 = u2.fma(x0, o20);
        e21 = v2.fma(x1, e21);
        o21 = u2.fma(x1, o21);
        FloatVector v3 = octets(b3 + (long) Packed.ROWS * i);
        FloatVector u3 = octets(b3 + HALF_ROWS + (long) Packed.ROWS * i);
        e30 = v3.fma(x0, e30);
        o30 = u3.fma(x0, o30);
        e31 = v3.fma(x1, e31);
        o31 = u3.fma(x1, o31);
      }
      int scales = token + Packed.COLUMNS;
      long to = sums & ADDRESS;
      FloatVector s0 = IntVector.broadcast(INTS, x[scales]).reinterpretAsFloats();
      FloatVector s1 = IntVector.broadcast(INTS, x[scales + FINE]).reinterpretAsFloats();
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      FloatVector even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector odd =
          h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e00.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
          .intoMemorySegment(ALL, to, ORDER);
      o00.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
          .intoMemorySegment(ALL, to + STEP, ORDER);
      e01.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      o01.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e10.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
      o10.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
      e11.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
      o11.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e20.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 8 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 8 * STEP, ORDER);
      o20.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 9 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 9 * STEP, ORDER);
      e21.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 10 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 10 * STEP, ORDER);
      o21.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 11 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 11 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e30.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 12 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 12 * STEP, ORDER);
      o30.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 13 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 13 * STEP, ORDER);
      e31.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 14 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 14 * STEP, ORDER);
      o31.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 15 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 15 * STEP, ORDER);
    }
  }

  /** Products of 2 registers of rows of octets, with 4 tokens: 8 accumulators. */
  private static void octetDots1x4(int[] x, int first, long q0, long w0, int blocks, long sums) {
    for (int block = 0; block < blocks; block++) {
      long at = block * Packed.OCTET_BLOCK_BYTES;
      int token = first + block * (4 * FINE);
      long b0 = (q0 + at) & ADDRESS;
      FloatVector e00 = FloatVector.zero(FLOATS);
      FloatVector o00 = e00;
      FloatVector e01 = e00;
      FloatVector o01 = e00;
      FloatVector e02 = e00;
      FloatVector o02 = e00;
      FloatVector e03 = e00;
      FloatVector o03 = e00;
      for (int i = 0; i < Packed.COLUMNS; i++) {
        FloatVector x0 = IntVector.broadcast(INTS, x[token + i]).reinterpretAsFloats();
        FloatVector x1 = IntVector.broadcast(INTS, x[token + i + FINE]).reinterpretAsFloats();
        FloatVector x2 = IntVector.broadcast(INTS, x[token + i + 2 * FINE]).reinterpretAsFloats();
        FloatVector x3 = IntVector.broadcast(INTS, x[token + i + 3 * FINE]).reinterpretAsFloats();
        FloatVector v0 = octets(b0 + (long) Packed.ROWS * i);
        FloatVector u0 = octets(b0 + HALF_ROWS + (long) Packed.ROWS * i);
        e00 = v0.fma(x0, e00);
        o00 = u0.fma(x0, o00);
        e01 = v0.fma(x1, e01);
        o01 = u0.fma(x1, o01);
        e02 = v0.fma(x2, e02);
        o02 = u0.fma(x2, o02);
        e03 = v0.fma(x3, e03);
        o03 = u0.fma(x3, o03);
      }
      int scales = token + Packed.COLUMNS;
      long to = sums & ADDRESS;
      FloatVector s0 = IntVector.broadcast(INTS, x[scales]).reinterpretAsFloats();
      FloatVector s1 = IntVector.broadcast(INTS, x[scales + FINE]).reinterpretAsFloats();
      FloatVector s2 = IntVector.broadcast(INTS, x[scales + 2 * FINE]).reinterpretAsFloats();
      FloatVector s3 = IntVector.broadcast(INTS, x[scales + 3 * FINE]).reinterpretAsFloats();
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      FloatVector even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector odd =
          h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e00.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
          .intoMemorySegment(ALL, to, ORDER);
      o00.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
          .intoMemorySegment(ALL, to + STEP, ORDER);
      e01.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      o01.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
      e02.fma(even.mul(s2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
      o02.fma(odd.mul(s2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
      e03.fma(even.mul(s3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
      o03.fma(odd.mul(s3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
    }
  }

  /** Products of 2 times 2 registers of rows of octets, with 4 tokens: 16 accumulators. */
  private static void octetDots2x4(
      int[] x, int first, long q0, long q1, long w0, long w1, int blocks, long sums) {
    for (int block = 0; block < blocks; block++) {
      long at = block * Packed.OCTET_BLOCK_BYTES;
      int token = first + block * (4 * FINE);
      long b0 = (q0 + at) & ADDRESS;
      long b1 = (q1 + at) & ADDRESS;
      FloatVector e00 = FloatVector.zero(FLOATS);
      FloatVector o00 = e00;
      FloatVector e01 = e00;
      FloatVector o01 = e00;
      FloatVector e02 = e00;
      FloatVector o02 = e00;
      FloatVector e03 = e00;
      FloatVector o03 = e00;
      FloatVector e10 = e00;
      FloatVector o10 = e00;
      FloatVector e11 = e00;
      FloatVector o11 = e00;
      FloatVector e12 = e00;
      FloatVector o12 = e00;
      FloatVector e13 = e00;
      FloatVector o13 = e00;
      for (int i = 0; i < Packed.COLUMNS; i++) {
        FloatVector x0 = IntVector.broadcast(INTS, x[token + i]).reinterpretAsFloats();
        FloatVector x1 = IntVector.broadcast(INTS, x[token + i + FINE]).reinterpretAsFloats();
        FloatVector x2 = IntVector.broadcast(INTS, x[token + i + 2 * FINE]).reinterpretAsFloats();
        FloatVector x3 = IntVector.broadcast(INTS, x[token + i + 3 * FINE]).reinterpretAsFloats();
        FloatVector v0 = octets(b0 + (long) Packed.ROWS * i);
        FloatVector u0 = octets(b0 + HALF_ROWS + (long) Packed.ROWS * i);
        e00 = v0.fma(x0, e00);
        o00 = u0.fma(x0, o00);
        e01 = v0.fma(x1, e01);
        o01 = u0.fma(x1, o01);
        e02 = v0.fma(x2, e02);
        o02 = u0.fma(x2, o02);
        e03 = v0.fma(x3, e03);
        o03 = u0.fma(x3, o03);
        FloatVector v1 = octets(b1 + (long) Packed.ROWS * i);
        FloatVector u1 = octets(b1 + HALF_ROWS + (long) Packed.ROWS * i);
        e10 = v1.fma(x0, e10);
        o10 = u1.fma(x0, o10);
        e11 = v1.fma(x1, e11);
        o11 = u1.fma(x1, o11);
        e12 = v1.fma(x2, e12);
        o12 = u1.fma(x2, o12);
        e13 = v1.fma(x3, e13);
        o13 = u1.fma(x3, o13);
      }
      int scales = token + Packed.COLUMNS;
      long to = sums & ADDRESS;
      FloatVector s0 = IntVector.broadcast(INTS, x[scales]).reinterpretAsFloats();
      FloatVector s1 = IntVector.broadcast(INTS, x[scales + FINE]).reinterpretAsFloats();
      FloatVector s2 = IntVector.broadcast(INTS, x[scales + 2 * FINE]).reinterpretAsFloats();
      FloatVector s3 = IntVector.broadcast(INTS, x[scales + 3 * FINE]).reinterpretAsFloats();
      IntVector h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      FloatVector even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector odd =
          h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e00.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
          .intoMemorySegment(ALL, to, ORDER);
      o00.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
          .intoMemorySegment(ALL, to + STEP, ORDER);
      e01.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      o01.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
      e02.fma(even.mul(s2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
      o02.fma(odd.mul(s2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
      e03.fma(even.mul(s3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
      o03.fma(odd.mul(s3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
      h =
          ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + at) & ADDRESS, ORDER)
              .reinterpretAsInts();
      even =
          h.lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(HALF_BITS)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      odd = h.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
      e10.fma(even.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 8 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 8 * STEP, ORDER);
      o10.fma(odd.mul(s0), FloatVector.fromMemorySegment(FLOATS, ALL, to + 9 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 9 * STEP, ORDER);
      e11.fma(even.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 10 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 10 * STEP, ORDER);
      o11.fma(odd.mul(s1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 11 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 11 * STEP, ORDER);
      e12.fma(even.mul(s2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 12 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 12 * STEP, ORDER);
      o12.fma(odd.mul(s2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 13 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 13 * STEP, ORDER);
      e13.fma(even.mul(s3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 14 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 14 * STEP, ORDER);
      o13.fma(odd.mul(s3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 15 * STEP, ORDER))
          .intoMemorySegment(ALL, to + 15 * STEP, ORDER);
    }
  }

  /**
   * As many octets as a register has floats, from an address that is known not to be negative. No
   * vector has 4 bytes, so registers of 4 floats read 4 bytes more, which lie behind packed weights
   * too: {@link WeightMemory} is longer than it was asked to be.
   */
  private static FloatVector octets(long address) {
    return (FloatVector)
        ByteVector.fromMemorySegment(BYTES, ALL, address, ORDER)
            .convertShape(VectorOperators.B2F, FLOATS, 0);
  }

  /**
   * A block of columns with 4 times 2 registers of rows of octets: the weights become floats once
   * for all tokens. That comes before the arithmetic, not between it, so that many loads from
   * memory are under way at a time.
   */
  private static void tiles(int[] x, int first, int tokens, long panel, int parts, long sums) {
    long scales = panel + 8 * STEP * Packed.COLUMNS;
    int columns = Packed.COLUMNS / parts;
    for (int t = 0; t < tokens; t += OCTET_TOKENS) {
      int token = first + t * FINE;
      for (int s = 0; s < 4; s++) {
        long to = sums + (t + s * tokens) * (2 * STEP);
        for (int part = 0; part < parts; part++) {
          long from = panel + s * OCTET_PANEL + part * (2 * STEP * columns);
          long factors = scales + (s * parts + part) * (2 * STEP);
          int scale = token + Packed.COLUMNS;
          if (MANY_REGISTERS) {
            tile8(x, token + part * columns, columns, scale, from, factors, to);
          } else {
            tile4(x, token + part * columns, columns, scale, from, factors, to);
          }
        }
      }
    }
  }

  private static void unpackOctets(long q0, long q1, long q2, long q3, long panel) {
    long b0 = q0 & ADDRESS;
    long b1 = q1 & ADDRESS;
    long b2 = q2 & ADDRESS;
    long b3 = q3 & ADDRESS;
    long to = panel & ADDRESS;
    for (int i = 0; i < Packed.COLUMNS; i++) {
      long from = (long) Packed.ROWS * i;
      octets(b0 + from).intoMemorySegment(ALL, to, ORDER);
      octets(b0 + HALF_ROWS + from).intoMemorySegment(ALL, to + STEP, ORDER);
      octets(b1 + from).intoMemorySegment(ALL, to + OCTET_PANEL, ORDER);
      octets(b1 + HALF_ROWS + from).intoMemorySegment(ALL, to + (OCTET_PANEL + STEP), ORDER);
      octets(b2 + from).intoMemorySegment(ALL, to + 2 * OCTET_PANEL, ORDER);
      octets(b2 + HALF_ROWS + from).intoMemorySegment(ALL, to + (2 * OCTET_PANEL + STEP), ORDER);
      octets(b3 + from).intoMemorySegment(ALL, to + 3 * OCTET_PANEL, ORDER);
      octets(b3 + HALF_ROWS + from).intoMemorySegment(ALL, to + (3 * OCTET_PANEL + STEP), ORDER);
      to += 2 * STEP;
    }
  }

  /** Turns a register of rows of a block of Q6_K into floats, and the scales of both halves. */
  private static void unpackSixes(long head, long block, long panel, long scales) {
    long from = block & ADDRESS;
    long to = panel & ADDRESS;
    for (int i = 0; i < Packed.COLUMNS; i++) {
      int eight = i >>> 3;
      int four = (i >>> 2) & 1;
      int shift = 4 * (i & 3);
      IntVector q =
          ShortVector.fromMemorySegment(
                  SHORTS, ALL, from + (1 + 3 * eight + four) * Packed.LINE, ORDER)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHR, shift);
      IntVector p =
          ShortVector.fromMemorySegment(SHORTS, ALL, from + (3 + 3 * eight) * Packed.LINE, ORDER)
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHR, shift + 2 * four);
      // In the lower half of a lane is an even row, in the upper one the odd row after it.
      IntVector both = q.and(0x000f_000f).or(p.and(0x0003_0003).lanewise(VectorOperators.LSHL, 4));
      floats(both.and(0xffff)).sub(32).intoMemorySegment(ALL, to, ORDER);
      floats(both.lanewise(VectorOperators.LSHR, 16))
          .sub(32)
          .intoMemorySegment(ALL, to + STEP, ORDER);
      to += 2 * STEP;
    }
    scales(head, scales);
    long at = scales & ADDRESS;
    FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER);
    FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, at + STEP, ORDER);
    IntVector a = ShortVector.fromMemorySegment(SHORTS, ALL, from, ORDER).reinterpretAsInts();
    floats(a.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24))
        .mul(even)
        .intoMemorySegment(ALL, at, ORDER);
    floats(a.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24))
        .mul(odd)
        .intoMemorySegment(ALL, at + STEP, ORDER);
    floats(a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24))
        .mul(even)
        .intoMemorySegment(ALL, at + 2 * STEP, ORDER);
    floats(a.lanewise(VectorOperators.ASHR, 24))
        .mul(odd)
        .intoMemorySegment(ALL, at + 3 * STEP, ORDER);
  }

  /** The scales of a block: of even rows before those of odd ones. */
  private static void scales(long w, long to) {
    IntVector h =
        ShortVector.fromMemorySegment(SHORTS, ALL, w & ADDRESS, ORDER).reinterpretAsInts();
    h.lanewise(VectorOperators.LSHL, 16)
        .lanewise(VectorOperators.ASHR, 3)
        .and(HALF_BITS)
        .reinterpretAsFloats()
        .mul(0x1p112f)
        .intoMemorySegment(ALL, to & ADDRESS, ORDER);
    h.lanewise(VectorOperators.ASHR, 3)
        .and(HALF_BITS)
        .reinterpretAsFloats()
        .mul(0x1p112f)
        .intoMemorySegment(ALL, (to & ADDRESS) + STEP, ORDER);
  }

  /** Products of a block of columns with 2 registers of rows, and 4 tokens: 8 accumulators. */
  private static void tile4(
      int[] x, int token, int columns, int scale, long panel, long scales, long sums) {
    FloatVector e0 = FloatVector.zero(FLOATS);
    FloatVector o0 = e0;
    FloatVector e1 = e0;
    FloatVector o1 = e0;
    FloatVector e2 = e0;
    FloatVector o2 = e0;
    FloatVector e3 = e0;
    FloatVector o3 = e0;
    long at = panel & ADDRESS;
    for (int i = token; i < token + columns; i += 2) {
      FloatVector even0 = FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER);
      FloatVector odd0 = FloatVector.fromMemorySegment(FLOATS, ALL, at + STEP, ORDER);
      FloatVector x00 = IntVector.broadcast(INTS, x[i]).reinterpretAsFloats();
      e0 = even0.fma(x00, e0);
      o0 = odd0.fma(x00, o0);
      FloatVector x10 = IntVector.broadcast(INTS, x[i + FINE]).reinterpretAsFloats();
      e1 = even0.fma(x10, e1);
      o1 = odd0.fma(x10, o1);
      FloatVector x20 = IntVector.broadcast(INTS, x[i + 2 * FINE]).reinterpretAsFloats();
      e2 = even0.fma(x20, e2);
      o2 = odd0.fma(x20, o2);
      FloatVector x30 = IntVector.broadcast(INTS, x[i + 3 * FINE]).reinterpretAsFloats();
      e3 = even0.fma(x30, e3);
      o3 = odd0.fma(x30, o3);
      FloatVector even1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 2 * STEP, ORDER);
      FloatVector odd1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 3 * STEP, ORDER);
      FloatVector x01 = IntVector.broadcast(INTS, x[i + 1]).reinterpretAsFloats();
      e0 = even1.fma(x01, e0);
      o0 = odd1.fma(x01, o0);
      FloatVector x11 = IntVector.broadcast(INTS, x[i + 1 + FINE]).reinterpretAsFloats();
      e1 = even1.fma(x11, e1);
      o1 = odd1.fma(x11, o1);
      FloatVector x21 = IntVector.broadcast(INTS, x[i + 1 + 2 * FINE]).reinterpretAsFloats();
      e2 = even1.fma(x21, e2);
      o2 = odd1.fma(x21, o2);
      FloatVector x31 = IntVector.broadcast(INTS, x[i + 1 + 3 * FINE]).reinterpretAsFloats();
      e3 = even1.fma(x31, e3);
      o3 = odd1.fma(x31, o3);
      at = (at + 4 * STEP) & ADDRESS;
    }
    FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, scales & ADDRESS, ORDER);
    FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, (scales & ADDRESS) + STEP, ORDER);
    long to = sums & ADDRESS;
    FloatVector scale0 = IntVector.broadcast(INTS, x[scale]).reinterpretAsFloats();
    e0.fma(even.mul(scale0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
        .intoMemorySegment(ALL, to, ORDER);
    o0.fma(odd.mul(scale0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
        .intoMemorySegment(ALL, to + STEP, ORDER);
    FloatVector scale1 = IntVector.broadcast(INTS, x[scale + FINE]).reinterpretAsFloats();
    e1.fma(even.mul(scale1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
    o1.fma(odd.mul(scale1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
    FloatVector scale2 = IntVector.broadcast(INTS, x[scale + 2 * FINE]).reinterpretAsFloats();
    e2.fma(even.mul(scale2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
    o2.fma(odd.mul(scale2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
    FloatVector scale3 = IntVector.broadcast(INTS, x[scale + 3 * FINE]).reinterpretAsFloats();
    e3.fma(even.mul(scale3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
    o3.fma(odd.mul(scale3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
  }

  /** Products of a block of columns with 2 registers of rows, and 8 tokens: 16 accumulators. */
  private static void tile8(
      int[] x, int token, int columns, int scale, long panel, long scales, long sums) {
    FloatVector e0 = FloatVector.zero(FLOATS);
    FloatVector o0 = e0;
    FloatVector e1 = e0;
    FloatVector o1 = e0;
    FloatVector e2 = e0;
    FloatVector o2 = e0;
    FloatVector e3 = e0;
    FloatVector o3 = e0;
    FloatVector e4 = e0;
    FloatVector o4 = e0;
    FloatVector e5 = e0;
    FloatVector o5 = e0;
    FloatVector e6 = e0;
    FloatVector o6 = e0;
    FloatVector e7 = e0;
    FloatVector o7 = e0;
    long at = panel & ADDRESS;
    for (int i = token; i < token + columns; i += 2) {
      FloatVector even0 = FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER);
      FloatVector odd0 = FloatVector.fromMemorySegment(FLOATS, ALL, at + STEP, ORDER);
      FloatVector x00 = IntVector.broadcast(INTS, x[i]).reinterpretAsFloats();
      e0 = even0.fma(x00, e0);
      o0 = odd0.fma(x00, o0);
      FloatVector x10 = IntVector.broadcast(INTS, x[i + FINE]).reinterpretAsFloats();
      e1 = even0.fma(x10, e1);
      o1 = odd0.fma(x10, o1);
      FloatVector x20 = IntVector.broadcast(INTS, x[i + 2 * FINE]).reinterpretAsFloats();
      e2 = even0.fma(x20, e2);
      o2 = odd0.fma(x20, o2);
      FloatVector x30 = IntVector.broadcast(INTS, x[i + 3 * FINE]).reinterpretAsFloats();
      e3 = even0.fma(x30, e3);
      o3 = odd0.fma(x30, o3);
      FloatVector x40 = IntVector.broadcast(INTS, x[i + 4 * FINE]).reinterpretAsFloats();
      e4 = even0.fma(x40, e4);
      o4 = odd0.fma(x40, o4);
      FloatVector x50 = IntVector.broadcast(INTS, x[i + 5 * FINE]).reinterpretAsFloats();
      e5 = even0.fma(x50, e5);
      o5 = odd0.fma(x50, o5);
      FloatVector x60 = IntVector.broadcast(INTS, x[i + 6 * FINE]).reinterpretAsFloats();
      e6 = even0.fma(x60, e6);
      o6 = odd0.fma(x60, o6);
      FloatVector x70 = IntVector.broadcast(INTS, x[i + 7 * FINE]).reinterpretAsFloats();
      e7 = even0.fma(x70, e7);
      o7 = odd0.fma(x70, o7);
      FloatVector even1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 2 * STEP, ORDER);
      FloatVector odd1 = FloatVector.fromMemorySegment(FLOATS, ALL, at + 3 * STEP, ORDER);
      FloatVector x01 = IntVector.broadcast(INTS, x[i + 1]).reinterpretAsFloats();
      e0 = even1.fma(x01, e0);
      o0 = odd1.fma(x01, o0);
      FloatVector x11 = IntVector.broadcast(INTS, x[i + 1 + FINE]).reinterpretAsFloats();
      e1 = even1.fma(x11, e1);
      o1 = odd1.fma(x11, o1);
      FloatVector x21 = IntVector.broadcast(INTS, x[i + 1 + 2 * FINE]).reinterpretAsFloats();
      e2 = even1.fma(x21, e2);
      o2 = odd1.fma(x21, o2);
      FloatVector x31 = IntVector.broadcast(INTS, x[i + 1 + 3 * FINE]).reinterpretAsFloats();
      e3 = even1.fma(x31, e3);
      o3 = odd1.fma(x31, o3);
      FloatVector x41 = IntVector.broadcast(INTS, x[i + 1 + 4 * FINE]).reinterpretAsFloats();
      e4 = even1.fma(x41, e4);
      o4 = odd1.fma(x41, o4);
      FloatVector x51 = IntVector.broadcast(INTS, x[i + 1 + 5 * FINE]).reinterpretAsFloats();
      e5 = even1.fma(x51, e5);
      o5 = odd1.fma(x51, o5);
      FloatVector x61 = IntVector.broadcast(INTS, x[i + 1 + 6 * FINE]).reinterpretAsFloats();
      e6 = even1.fma(x61, e6);
      o6 = odd1.fma(x61, o6);
      FloatVector x71 = IntVector.broadcast(INTS, x[i + 1 + 7 * FINE]).reinterpretAsFloats();
      e7 = even1.fma(x71, e7);
      o7 = odd1.fma(x71, o7);
      at = (at + 4 * STEP) & ADDRESS;
    }
    FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, scales & ADDRESS, ORDER);
    FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, (scales & ADDRESS) + STEP, ORDER);
    long to = sums & ADDRESS;
    FloatVector scale0 = IntVector.broadcast(INTS, x[scale]).reinterpretAsFloats();
    e0.fma(even.mul(scale0), FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER))
        .intoMemorySegment(ALL, to, ORDER);
    o0.fma(odd.mul(scale0), FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER))
        .intoMemorySegment(ALL, to + STEP, ORDER);
    FloatVector scale1 = IntVector.broadcast(INTS, x[scale + FINE]).reinterpretAsFloats();
    e1.fma(even.mul(scale1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 2 * STEP, ORDER);
    o1.fma(odd.mul(scale1), FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 3 * STEP, ORDER);
    FloatVector scale2 = IntVector.broadcast(INTS, x[scale + 2 * FINE]).reinterpretAsFloats();
    e2.fma(even.mul(scale2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 4 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 4 * STEP, ORDER);
    o2.fma(odd.mul(scale2), FloatVector.fromMemorySegment(FLOATS, ALL, to + 5 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 5 * STEP, ORDER);
    FloatVector scale3 = IntVector.broadcast(INTS, x[scale + 3 * FINE]).reinterpretAsFloats();
    e3.fma(even.mul(scale3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 6 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 6 * STEP, ORDER);
    o3.fma(odd.mul(scale3), FloatVector.fromMemorySegment(FLOATS, ALL, to + 7 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 7 * STEP, ORDER);
    FloatVector scale4 = IntVector.broadcast(INTS, x[scale + 4 * FINE]).reinterpretAsFloats();
    e4.fma(even.mul(scale4), FloatVector.fromMemorySegment(FLOATS, ALL, to + 8 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 8 * STEP, ORDER);
    o4.fma(odd.mul(scale4), FloatVector.fromMemorySegment(FLOATS, ALL, to + 9 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 9 * STEP, ORDER);
    FloatVector scale5 = IntVector.broadcast(INTS, x[scale + 5 * FINE]).reinterpretAsFloats();
    e5.fma(even.mul(scale5), FloatVector.fromMemorySegment(FLOATS, ALL, to + 10 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 10 * STEP, ORDER);
    o5.fma(odd.mul(scale5), FloatVector.fromMemorySegment(FLOATS, ALL, to + 11 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 11 * STEP, ORDER);
    FloatVector scale6 = IntVector.broadcast(INTS, x[scale + 6 * FINE]).reinterpretAsFloats();
    e6.fma(even.mul(scale6), FloatVector.fromMemorySegment(FLOATS, ALL, to + 12 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 12 * STEP, ORDER);
    o6.fma(odd.mul(scale6), FloatVector.fromMemorySegment(FLOATS, ALL, to + 13 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 13 * STEP, ORDER);
    FloatVector scale7 = IntVector.broadcast(INTS, x[scale + 7 * FINE]).reinterpretAsFloats();
    e7.fma(even.mul(scale7), FloatVector.fromMemorySegment(FLOATS, ALL, to + 14 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 14 * STEP, ORDER);
    o7.fma(odd.mul(scale7), FloatVector.fromMemorySegment(FLOATS, ALL, to + 15 * STEP, ORDER))
        .intoMemorySegment(ALL, to + 15 * STEP, ORDER);
  }

  @Override
  public void rmsNorm(long x, long weight, int n, float epsilon, long out, long scratch) {
    float factor = 1 / (float) Math.sqrt(squares(x, 0, n, scratch) / n + epsilon);
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      store(load(x + 4L * i).mul(factor).mul(load(weight + 4L * i)), out + 4L * i);
    }
    for (int i = whole; i < n; i++) {
      set(out + 4L * i, get(x + 4L * i) * factor * get(weight + 4L * i));
    }
  }

  @Override
  public void layerNorm(
      long x, long weight, long bias, int n, float epsilon, long out, long scratch) {
    float mean = sum(x, n, scratch) / n;
    float factor = 1 / (float) Math.sqrt(squares(x, mean, n, scratch) / n + epsilon);
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      FloatVector v = load(x + 4L * i).sub(mean).mul(factor);
      store(v.fma(load(weight + 4L * i), load(bias + 4L * i)), out + 4L * i);
    }
    for (int i = whole; i < n; i++) {
      float v = (get(x + 4L * i) - mean) * factor;
      set(out + 4L * i, Math.fma(v, get(weight + 4L * i), get(bias + 4L * i)));
    }
  }

  private static float sum(long x, int n, long sums) {
    int whole = n - n % SUMS;
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a = FloatVector.zero(FLOATS);
      for (int i = 0; i < whole; i += SUMS) {
        a = a.add(load(x + at + 4L * i));
      }
      store(a, sums + at);
    }
    for (int i = whole; i < n; i++) {
      long sum = sums + 4L * (i - whole);
      set(sum, get(sum) + get(x + 4L * i));
    }
    return Memory.tree(sums);
  }

  private static float squares(long x, float mean, int n, long sums) {
    int whole = n - n % SUMS;
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a = FloatVector.zero(FLOATS);
      for (int i = 0; i < whole; i += SUMS) {
        FloatVector d = load(x + at + 4L * i).sub(mean);
        a = d.fma(d, a);
      }
      store(a, sums + at);
    }
    for (int i = whole; i < n; i++) {
      long sum = sums + 4L * (i - whole);
      float d = get(x + 4L * i) - mean;
      set(sum, Math.fma(d, d, get(sum)));
    }
    return Memory.tree(sums);
  }

  // ---------------------------------------------------------------------------------------------
  // Number by number

  /** {@link FloatMath#exp}. */
  private static FloatVector exp(FloatVector v) {
    FloatVector x = v.max(FloatMath.EXP_LEAST).min(FloatMath.EXP_GREATEST);
    FloatVector shifted = x.fma(all(FloatMath.LOG2_E), all(FloatMath.ROUNDER));
    FloatVector n = shifted.sub(FloatMath.ROUNDER);
    FloatVector r = n.fma(all(-FloatMath.LN_2_HIGH), x);
    r = n.fma(all(-FloatMath.LN_2_LOW), r);
    FloatVector p = r.fma(all(FloatMath.EXP_6), all(FloatMath.EXP_5));
    p = p.fma(r, all(FloatMath.EXP_4));
    p = p.fma(r, all(FloatMath.EXP_3));
    p = p.fma(r, all(FloatMath.EXP_2));
    p = p.fma(r, all(1));
    p = p.fma(r, all(1));
    IntVector power = shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(FloatMath.ROUNDER));
    IntVector half = power.lanewise(VectorOperators.ASHR, 1);
    // Two powers of two, since one cannot be small enough for the smallest numbers.
    return p.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
        .mul(power.sub(half).add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
  }

  /** {@link FloatMath#erf}. */
  private static FloatVector erf(FloatVector z) {
    FloatVector t = z.abs().min(FloatMath.ERF_GREATEST);
    FloatVector far = t.fma(all(FloatMath.ERFC_6), all(FloatMath.ERFC_5));
    far = far.fma(t, all(FloatMath.ERFC_4));
    far = far.fma(t, all(FloatMath.ERFC_3));
    far = far.fma(t, all(FloatMath.ERFC_2));
    far = far.fma(t, all(FloatMath.ERFC_1));
    far = far.fma(t, all(FloatMath.ERFC_0));
    far = all(1).sub(exp(far.mul(t).neg()));
    IntVector sign = z.reinterpretAsInts().and(0x8000_0000);
    far = far.reinterpretAsInts().or(sign).reinterpretAsFloats();
    VectorMask<Float> isNear = t.lt(FloatMath.ERF_SPLIT);
    return far.blend(erfNear(z), isNear);
  }

  private static FloatVector erfNear(FloatVector z) {
    FloatVector u = z.mul(z);
    FloatVector near = u.fma(all(FloatMath.ERF_6), all(FloatMath.ERF_5));
    near = near.fma(u, all(FloatMath.ERF_4));
    near = near.fma(u, all(FloatMath.ERF_3));
    near = near.fma(u, all(FloatMath.ERF_2));
    near = near.fma(u, all(FloatMath.ERF_1));
    near = near.fma(u, all(FloatMath.ERF_0));
    return near.fma(z, z);
  }

  @Override
  public void siluGate(long gate, long up, int n, long out) {
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      FloatVector g = load(gate + 4L * i);
      FloatVector silu = g.div(exp(g.neg()).add(1));
      store(silu.mul(load(up + 4L * i)), out + 4L * i);
    }
    for (int i = whole; i < n; i++) {
      set(out + 4L * i, FloatMath.siluGate(get(gate + 4L * i), get(up + 4L * i)));
    }
  }

  @Override
  public void gelu(long x, int n, long out) {
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      FloatVector v = load(x + 4L * i);
      FloatVector e = erf(v.mul(FloatMath.SQRT_HALF)).add(1);
      store(v.mul(0.5f).mul(e), out + 4L * i);
    }
    for (int i = whole; i < n; i++) {
      set(out + 4L * i, FloatMath.gelu(get(x + 4L * i)));
    }
  }

  @Override
  public void add(long a, long b, int n, long out) {
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      store(load(a + 4L * i).add(load(b + 4L * i)), out + 4L * i);
    }
    for (int i = whole; i < n; i++) {
      set(out + 4L * i, get(a + 4L * i) + get(b + 4L * i));
    }
  }

  @Override
  public void rotateHalves(long x, long cos, long sin, int n) {
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      long a = x + 4L * i;
      long b = a + 4L * n;
      FloatVector p = load(a);
      FloatVector q = load(b);
      FloatVector c = load(cos + 4L * i);
      FloatVector s = load(sin + 4L * i);
      store(p.fma(c, q.mul(s).neg()), a);
      store(q.fma(c, p.mul(s)), b);
    }
    long done = 4L * whole;
    ScalarKernels.rotate(x + done, x + 4L * n + done, 4, cos + done, sin + done, n - whole);
  }

  @Override
  public void rotatePairs(long x, long cos, long sin, int n) {
    int whole = n - n % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      FloatVector c = load(cos + 4L * i);
      FloatVector s = load(sin + 4L * i);
      long a = x + 8L * i;
      FloatVector p = load(a);
      FloatVector q = load(a + STEP);
      FloatVector pSin = s.rearrange(FIRST_TWICE).mul(MINUS_PLUS).mul(p.rearrange(NEIGHBOUR));
      FloatVector qSin = s.rearrange(LAST_TWICE).mul(MINUS_PLUS).mul(q.rearrange(NEIGHBOUR));
      store(p.fma(c.rearrange(FIRST_TWICE), pSin), a);
      store(q.fma(c.rearrange(LAST_TWICE), qSin), a + STEP);
    }
    long done = 4L * whole;
    ScalarKernels.rotate(x + 2 * done, x + 2 * done + 4, 8, cos + done, sin + done, n - whole);
  }

  // ---------------------------------------------------------------------------------------------
  // Attention

  @Override
  public float attend(
      long query,
      long keys,
      long values,
      int positions,
      int headSize,
      int stride,
      long biases,
      float scale,
      float greatest,
      long sums,
      long out,
      long scratch) {
    int groups = (positions + LANES - 1) / LANES;
    scores(query, keys, headSize, groups, scratch);
    float most = Math.max(greatest, scale(scratch, positions, groups * LANES, biases, scale));
    if (most > greatest) {
      float factor = FloatMath.exp(greatest - most);
      multiply(sums, SUMS, factor);
      multiply(out, stride, factor);
    }
    weigh(scratch, groups, most, sums);
    addValues(scratch, values, stride, positions, out);
    return most;
  }

  // A sum has to wait for itself, so there are four at a time. These methods are long enough for C2
  // to compile them by themselves: it inlines only some of a long chain, and then allocates
  // vectors.

  /** The products of a query with the keys of groups of {@link #LANES} positions, one a lane. */
  private static void scores(long query, long keys, int headSize, int groups, long scores) {
    long group = ROUND * headSize;
    for (int part = 0; part < PARTS; part++) {
      long from = (keys + part * STEP) & ADDRESS;
      long to = (scores + part * STEP) & ADDRESS;
      int g = 0;
      for (; g + 4 <= groups; g += 4) {
        FloatVector a = FloatVector.zero(FLOATS);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        long at = from;
        for (int i = 0; i < headSize; i++) {
          FloatVector q = FloatVector.broadcast(FLOATS, get((query & ADDRESS) + 4L * i));
          a = q.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER), a);
          b = q.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at + group, ORDER), b);
          c = q.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at + 2 * group, ORDER), c);
          d = q.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at + 3 * group, ORDER), d);
          at = (at + ROUND) & ADDRESS;
        }
        a.intoMemorySegment(ALL, to, ORDER);
        b.intoMemorySegment(ALL, to + ROUND, ORDER);
        c.intoMemorySegment(ALL, to + 2 * ROUND, ORDER);
        d.intoMemorySegment(ALL, to + 3 * ROUND, ORDER);
        from = (from + 4 * group) & ADDRESS;
        to = (to + 4 * ROUND) & ADDRESS;
      }
      for (; g < groups; g++) {
        FloatVector a = FloatVector.zero(FLOATS);
        long at = from;
        for (int i = 0; i < headSize; i++) {
          FloatVector q = FloatVector.broadcast(FLOATS, get((query & ADDRESS) + 4L * i));
          a = q.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER), a);
          at = (at + ROUND) & ADDRESS;
        }
        a.intoMemorySegment(ALL, to, ORDER);
        from = (from + group) & ADDRESS;
        to = (to + ROUND) & ADDRESS;
      }
    }
  }

  /** Adds biases, scales, puts −∞ behind the last position, and returns the greatest. */
  private static float scale(long scores, int positions, int padded, long biases, float scale) {
    FloatVector least = all(Float.NEGATIVE_INFINITY);
    FloatVector most = least;
    for (int i = 0; i < padded; i += LENGTH) {
      FloatVector s = load(scores + 4L * i);
      if (biases != 0) {
        s = s.add(load(biases + 4L * i));
      }
      s = least.blend(s.mul(scale), FLOATS.indexInRange(i, positions));
      store(s, scores + 4L * i);
      most = most.max(s);
    }
    return most.reduceLanes(VectorOperators.MAX);
  }

  private static void multiply(long x, int n, float factor) {
    for (int i = 0; i < n; i += LENGTH) {
      store(load(x + 4L * i).mul(factor), x + 4L * i);
    }
  }

  /**
   * Turns scores into exp(score − most) and adds those to the partial sums. {@link #exp} is written
   * out: C2 has inlined so much into {@link #attend} by now that it would call some of it, and
   * every vector that crosses a call is allocated. A method of this size it compiles by itself.
   */
  private static void weigh(long scores, int groups, float most, long sums) {
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector sum = FloatVector.fromMemorySegment(FLOATS, ALL, sums + at, ORDER);
      for (int g = 0; g < groups; g++) {
        long scoresAt = scores + at + ROUND * g;
        FloatVector x =
            FloatVector.fromMemorySegment(FLOATS, ALL, scoresAt, ORDER)
                .sub(most)
                .max(FloatMath.EXP_LEAST)
                .min(FloatMath.EXP_GREATEST);
        FloatVector shifted =
            x.fma(
                FloatVector.broadcast(FLOATS, FloatMath.LOG2_E),
                FloatVector.broadcast(FLOATS, FloatMath.ROUNDER));
        FloatVector n = shifted.sub(FloatMath.ROUNDER);
        FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -FloatMath.LN_2_HIGH), x);
        r = n.fma(FloatVector.broadcast(FLOATS, -FloatMath.LN_2_LOW), r);
        FloatVector p =
            r.fma(
                FloatVector.broadcast(FLOATS, FloatMath.EXP_6),
                FloatVector.broadcast(FLOATS, FloatMath.EXP_5));
        p = p.fma(r, FloatVector.broadcast(FLOATS, FloatMath.EXP_4));
        p = p.fma(r, FloatVector.broadcast(FLOATS, FloatMath.EXP_3));
        p = p.fma(r, FloatVector.broadcast(FLOATS, FloatMath.EXP_2));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1));
        p = p.fma(r, FloatVector.broadcast(FLOATS, 1));
        IntVector power =
            shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(FloatMath.ROUNDER));
        IntVector half = power.lanewise(VectorOperators.ASHR, 1);
        p = p.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
        half = power.sub(half);
        p = p.mul(half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
        p.intoMemorySegment(ALL, scoresAt, ORDER);
        sum = sum.add(p);
      }
      sum.intoMemorySegment(ALL, sums + at, ORDER);
    }
  }

  /** Adds weighted values to the result. */
  private static void addValues(long weights, long values, int stride, int positions, long out) {
    long step = 4L * stride;
    int d = 0;
    for (; d + 4 * LENGTH <= stride; d += 4 * LENGTH) {
      long to = (out + 4L * d) & ADDRESS;
      long at = (values + 4L * d) & ADDRESS;
      FloatVector r0 = FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER);
      FloatVector r1 = FloatVector.fromMemorySegment(FLOATS, ALL, to + STEP, ORDER);
      FloatVector r2 = FloatVector.fromMemorySegment(FLOATS, ALL, to + 2 * STEP, ORDER);
      FloatVector r3 = FloatVector.fromMemorySegment(FLOATS, ALL, to + 3 * STEP, ORDER);
      for (int i = 0; i < positions; i++) {
        FloatVector w = FloatVector.broadcast(FLOATS, get((weights & ADDRESS) + 4L * i));
        r0 = w.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER), r0);
        r1 = w.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at + STEP, ORDER), r1);
        r2 = w.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at + 2 * STEP, ORDER), r2);
        r3 = w.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at + 3 * STEP, ORDER), r3);
        at = (at + step) & ADDRESS;
      }
      r0.intoMemorySegment(ALL, to, ORDER);
      r1.intoMemorySegment(ALL, to + STEP, ORDER);
      r2.intoMemorySegment(ALL, to + 2 * STEP, ORDER);
      r3.intoMemorySegment(ALL, to + 3 * STEP, ORDER);
    }
    for (; d < stride; d += LENGTH) {
      long to = (out + 4L * d) & ADDRESS;
      long at = (values + 4L * d) & ADDRESS;
      FloatVector r0 = FloatVector.fromMemorySegment(FLOATS, ALL, to, ORDER);
      for (int i = 0; i < positions; i++) {
        FloatVector w = FloatVector.broadcast(FLOATS, get((weights & ADDRESS) + 4L * i));
        r0 = w.fma(FloatVector.fromMemorySegment(FLOATS, ALL, at, ORDER), r0);
        at = (at + step) & ADDRESS;
      }
      r0.intoMemorySegment(ALL, to, ORDER);
    }
  }

  @Override
  public void finishAttention(long sums, int stride, long out) {
    float sum = Memory.tree(sums);
    for (int d = 0; d < stride; d += LENGTH) {
      store(load(out + 4L * d).div(sum), out + 4L * d);
    }
  }
}
