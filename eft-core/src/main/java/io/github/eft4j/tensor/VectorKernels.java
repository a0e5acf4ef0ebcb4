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
 * C2 gives up inlining helpers in large methods, and then allocates every vector.
 */
final class VectorKernels implements Kernels {
  private static final int BITS = bits();
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Short> HALVES =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS / 2));

  /**
   * As many bytes as a register has floats; unused where those are 4, of which no vector exists.
   */
  private static final VectorSpecies<Byte> BYTES =
      BITS == 512 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS));

  /**
   * Sign, exponent and fraction of a half-precision number, moved to where they are in single
   * precision; as such it is smaller by a factor of 2¹¹².
   */
  private static final int HALF_BITS = 0x8fff_e000;

  /**
   * By how much nibbles are shifted. AVX-512 shifts 16 bits by a vector in one operation, AVX2 only
   * by a count in a register. Kernels get that count as a parameter: a constant would be moved to
   * its register again at each use.
   */
  private static final ShortVector FOURS = ShortVector.broadcast(SHORTS, 4);

  private static final VectorMask<Integer> NOT_FIRST_OF_FOUR = VectorMask.fromLong(INTS, 0xeeee);

  /** A bit pair in each nibble. */
  private static final ShortVector PAIRS = ShortVector.broadcast(SHORTS, 0x3333);

  private static final FloatVector EIGHTS = FloatVector.broadcast(FLOATS, 8);

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
  private static final int TILE_ROWS = MANY_REGISTERS ? 6 : 4;

  /** Rows side by side for one or two tokens, and for more, or with fewer registers. */
  private static final int STREAMS = 8;

  private static final int FEW_STREAMS = 4;

  /** Bytes of weights that certainly stay in the cache of one core while they are used. */
  private static final long CACHED_BYTES = 128 << 10;

  /** Where the integer sums of a block of packed nibbles lie, behind the sums. */
  private static final int DOTS = DOTS_SUMS * SUMS;

  /** Where the scales of a header of packed nibbles lie, behind those. */
  private static final int FACTORS = DOTS + DOTS_SUMS / 2 * SUMS;

  /** Registers for the rows that lie together in packed nibbles. */
  private static final int NIBBLE_PARTS = Nibbles.ROWS / (2 * LENGTH);

  /** Ints from one token to the next in rounded activations. */
  private static final int ACTIVATION = Nibbles.ACTIVATION_INTS;

  private static final int SIX_START = Nibbles.ACTIVATION_SIX_START;

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

  // Rows are read side by side, so that loads of several of them are under way at any time.
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
    for (int i = 0; i < rounds; i++) {
      for (int r = 0; r < rows; r++) {
        long from = weights + r * rowBytes + i * ROUND;
        long to = out + r * rowStride + i * stride;
        for (int part = 0; part < PARTS; part++) {
          store(load(from + part * STEP), to + part * STEP);
        }
      }
    }
  }

  private static void brainFloats(
      long weights, long rowBytes, int rows, int rounds, long out, long rowStride, long stride) {
    for (int i = 0; i < rounds; i++) {
      for (int r = 0; r < rows; r++) {
        long from = weights + r * rowBytes + i * (ROUND / 2);
        long to = out + r * rowStride + i * stride;
        for (int part = 0; part < PARTS; part++) {
          store(brainFloat(from + part * STEP / 2), to + part * STEP);
        }
      }
    }
  }

  private static void halves(
      long weights, long rowBytes, int rows, int rounds, long out, long rowStride, long stride) {
    for (int i = 0; i < rounds; i++) {
      for (int r = 0; r < rows; r++) {
        long from = weights + r * rowBytes + i * (ROUND / 2);
        long to = out + r * rowStride + i * stride;
        for (int part = 0; part < PARTS; part++) {
          store(half(from + part * STEP / 2), to + part * STEP);
        }
      }
    }
  }

  private static FloatVector brainFloat(long weights) {
    ShortVector s = ShortVector.fromMemorySegment(HALVES, ALL, weights & ADDRESS, ORDER);
    IntVector bits = (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
    return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /**
   * Half to single precision: exponent and fraction 13 bits lower, the exponent greater by 112.
   * That makes 2⁻¹⁵ · (1 + f) of a subnormal number 2⁻¹⁴ · f; twice that, less 2⁻¹⁴, is the number
   * again. Arithmetic with subnormal numbers themselves is very slow on some processors. Infinities
   * and NaNs are no weights.
   */
  private static FloatVector half(long weights) {
    ShortVector s = ShortVector.fromMemorySegment(HALVES, ALL, weights & ADDRESS, ORDER);
    IntVector bits = (IntVector) s.convertShape(VectorOperators.S2I, INTS, 0);
    IntVector magnitude = bits.and(0x7fff);
    return magnitude
        .lanewise(VectorOperators.LSHL, 13)
        .add(112 << 23)
        .reinterpretAsFloats()
        .lanewise(
            VectorOperators.FMA,
            all(2),
            all(-0x1p-14f),
            magnitude.compare(VectorOperators.LT, 0x400).cast(FLOATS))
        .reinterpretAsInts()
        .or(bits.and(0x8000_0000))
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
    for (int b = 0; b < blocks; b++) {
      for (int r = 0; r < rows; r++) {
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
      tile3x4(x, w, rounds, sums, at);
    } else {
      tile1x4(x, w, rounds, sums, at);
    }
  }

  /** 4 tokens × 6 rows: 24 accumulators, 4 and 1 operands. */
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
      for (int i = 0; i < rounds; i++) {
        long xAt = (x + part * STEP + i * (TILE_TOKENS * ROUND)) & ADDRESS;
        long wAt = (w + part * STEP + i * (TILE_ROWS * ROUND)) & ADDRESS;
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
      for (int i = 0; i < rounds; i++) {
        long xAt = (x + part * STEP + i * (TILE_TOKENS * ROUND)) & ADDRESS;
        long wAt = (w + part * STEP + i * (TILE_ROWS * ROUND)) & ADDRESS;
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

  /** 3 tokens × 4 rows: 12 accumulators, 3 and 1 operands. */
  private static void tile3x4(long x, long w, int rounds, float[] sums, int at) {
    for (int part = 0; part < PARTS; part++) {
      int from = at + part * LENGTH;
      FloatVector a00 = FloatVector.fromArray(FLOATS, sums, from);
      FloatVector a01 = FloatVector.fromArray(FLOATS, sums, from + SUMS);
      FloatVector a02 = FloatVector.fromArray(FLOATS, sums, from + 2 * SUMS);
      FloatVector a03 = FloatVector.fromArray(FLOATS, sums, from + 3 * SUMS);
      FloatVector a10 = FloatVector.fromArray(FLOATS, sums, from + 4 * SUMS);
      FloatVector a11 = FloatVector.fromArray(FLOATS, sums, from + 5 * SUMS);
      FloatVector a12 = FloatVector.fromArray(FLOATS, sums, from + 6 * SUMS);
      FloatVector a13 = FloatVector.fromArray(FLOATS, sums, from + 7 * SUMS);
      FloatVector a20 = FloatVector.fromArray(FLOATS, sums, from + 8 * SUMS);
      FloatVector a21 = FloatVector.fromArray(FLOATS, sums, from + 9 * SUMS);
      FloatVector a22 = FloatVector.fromArray(FLOATS, sums, from + 10 * SUMS);
      FloatVector a23 = FloatVector.fromArray(FLOATS, sums, from + 11 * SUMS);
      for (int i = 0; i < rounds; i++) {
        long xAt = (x + part * STEP + i * (TILE_TOKENS * ROUND)) & ADDRESS;
        long wAt = (w + part * STEP + i * (TILE_ROWS * ROUND)) & ADDRESS;
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
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 3 * ROUND, ORDER);
        a03 = v0.fma(q, a03);
        a13 = v1.fma(q, a13);
        a23 = v2.fma(q, a23);
      }
      a00.intoArray(sums, from);
      a01.intoArray(sums, from + SUMS);
      a02.intoArray(sums, from + 2 * SUMS);
      a03.intoArray(sums, from + 3 * SUMS);
      a10.intoArray(sums, from + 4 * SUMS);
      a11.intoArray(sums, from + 5 * SUMS);
      a12.intoArray(sums, from + 6 * SUMS);
      a13.intoArray(sums, from + 7 * SUMS);
      a20.intoArray(sums, from + 8 * SUMS);
      a21.intoArray(sums, from + 9 * SUMS);
      a22.intoArray(sums, from + 10 * SUMS);
      a23.intoArray(sums, from + 11 * SUMS);
    }
  }

  /** 1 token × 4 rows: 4 accumulators, 1 and 1 operands. */
  private static void tile1x4(long x, long w, int rounds, float[] sums, int at) {
    for (int part = 0; part < PARTS; part++) {
      int from = at + part * LENGTH;
      FloatVector a00 = FloatVector.fromArray(FLOATS, sums, from);
      FloatVector a01 = FloatVector.fromArray(FLOATS, sums, from + SUMS);
      FloatVector a02 = FloatVector.fromArray(FLOATS, sums, from + 2 * SUMS);
      FloatVector a03 = FloatVector.fromArray(FLOATS, sums, from + 3 * SUMS);
      for (int i = 0; i < rounds; i++) {
        long xAt = (x + part * STEP + i * (TILE_TOKENS * ROUND)) & ADDRESS;
        long wAt = (w + part * STEP + i * (TILE_ROWS * ROUND)) & ADDRESS;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt, ORDER);
        a00 = v0.fma(q, a00);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + ROUND, ORDER);
        a01 = v0.fma(q, a01);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 2 * ROUND, ORDER);
        a02 = v0.fma(q, a02);
        q = FloatVector.fromMemorySegment(FLOATS, ALL, wAt + 3 * ROUND, ORDER);
        a03 = v0.fma(q, a03);
      }
      a00.intoArray(sums, from);
      a01.intoArray(sums, from + SUMS);
      a02.intoArray(sums, from + 2 * SUMS);
      a03.intoArray(sums, from + 3 * SUMS);
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
  public int dotsTokens(WeightType type) {
    return switch (type) {
      case F32, F16, BF16 -> 1;
      case Q8_0 -> LENGTH > 4 ? 32 : 0;
      default -> 0;
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
    int streams = tokens == 1 || (tokens == 2 && MANY_REGISTERS) ? STREAMS : FEW_STREAMS;
    int each = (rows + streams - 1) / streams;
    long rowBytes = type.bytes(columns);
    int together = DOTS_SUMS / (streams * (tokens > 2 ? DOTS_GROUP : tokens));
    if (PARTS > 1 || tokens > DOTS_GROUP) {
      // They are read more than once, so they must stay in the cache.
      together = Math.clamp(CACHED_BYTES / (streams * rowBytes), 1, together);
    }
    for (int from = 0; from < each; from += together) {
      int count = Math.min(together, each - from);
      int width;
      for (int t = 0; t < tokens; t += width) {
        width = tokens == 1 ? 1 : MANY_REGISTERS && tokens - t > 2 ? 4 : 2;
        long at = x + 4L * columns * (t - t % DOTS_GROUP) + t % DOTS_GROUP * ROUND;
        if (streams == STREAMS) {
          dots(type, tokens, at, w, rowBytes, rows, each, from, count, columns, sums);
        } else {
          fewDots(width, at, w, rowBytes, rows, each, from, count, columns, sums);
        }
        for (int i = 0; i < Math.min(width, tokens - t); i++) {
          for (int s = 0; s < streams; s++) {
            long to = out + (t + i) * outStride + 4L * (first(s, rows, each) + from);
            for (int r = 0; r < count; r++) {
              set(to + 4L * r, tree(sums, ((r * streams + s) * width + i) * SUMS));
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

  /**
   * One or two tokens with some rows of each stream; writes {@code [count][STREAMS][tokens][SUMS]}
   * sums.
   */
  private static void dots(
      WeightType type,
      int tokens,
      long x,
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
    long w4 = w0 + rowBytes * first(4, rows, each);
    long w5 = w0 + rowBytes * first(5, rows, each);
    long w6 = w0 + rowBytes * first(6, rows, each);
    long w7 = w0 + rowBytes * first(7, rows, each);
    if (tokens == 2) {
      q8Dots8x2(x, w0, w1, w2, w3, w4, w5, w6, w7, count, columns, sums);
      return;
    }
    switch (type) {
      case F32 -> floatDots(x, w0, w1, w2, w3, w4, w5, w6, w7, count, columns, sums);
      case F16 -> halfDots(x, w0, w1, w2, w3, w4, w5, w6, w7, count, columns, sums);
      case BF16 -> brainFloatDots(x, w0, w1, w2, w3, w4, w5, w6, w7, count, columns, sums);
      case Q8_0 -> q8Dots(x, w0, w1, w2, w3, w4, w5, w6, w7, count, columns, sums);
      default -> throw new IllegalArgumentException("no dot products with " + type);
    }
  }

  /**
   * A few tokens, with some rows of each stream: weights are converted once for as many of them as
   * there are registers for the sums, 4 or 2. Writes {@code [count][FEW_STREAMS][width][SUMS]}.
   */
  private static void fewDots(
      int width,
      long x,
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
    if (width == 2) {
      q8Dots4x2(x, w0, w1, w2, w3, count, columns, sums);
    } else {
      q8Dots4x4(x, w0, w1, w2, w3, count, columns, sums);
    }
  }

  private static void floatDots(
      long x,
      long w0,
      long w1,
      long w2,
      long w3,
      long w4,
      long w5,
      long w6,
      long w7,
      int count,
      int columns,
      float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      FloatVector a4 = a0;
      FloatVector a5 = a0;
      FloatVector a6 = a0;
      FloatVector a7 = a0;
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
        a4 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w4 + at, ORDER), a4);
        a5 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w5 + at, ORDER), a5);
        a6 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w6 + at, ORDER), a6);
        a7 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w7 + at, ORDER), a7);
        next += ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a4.intoArray(sums, to + 4 * SUMS);
          a5.intoArray(sums, to + 5 * SUMS);
          a6.intoArray(sums, to + 6 * SUMS);
          a7.intoArray(sums, to + 7 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          a4 = a0;
          a5 = a0;
          a6 = a0;
          a7 = a0;
          next = start;
          to += 8 * SUMS;
        }
      }
    }
  }

  /** {@link #half}, written out. */
  private static void halfDots(
      long x,
      long w0,
      long w1,
      long w2,
      long w3,
      long w4,
      long w5,
      long w6,
      long w7,
      int count,
      int columns,
      float[] sums) {
    int length = columns / SUMS;
    FloatVector two = FloatVector.broadcast(FLOATS, 2);
    FloatVector offset = FloatVector.broadcast(FLOATS, -0x1p-14f);
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      FloatVector a4 = a0;
      FloatVector a5 = a0;
      FloatVector a6 = a0;
      FloatVector a7 = a0;
      long start = x + part * STEP;
      long end = start + ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long at = ROUND / 2 * i + part * STEP / 2;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        IntVector h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w0 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        IntVector m = h.and(0x7fff);
        FloatVector p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a0 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a0);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w1 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a1 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a1);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w2 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a2 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a2);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w3 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a3 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a3);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w4 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a4 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a4);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w5 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a5 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a5);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w6 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a6 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a6);
        h =
            (IntVector)
                ShortVector.fromMemorySegment(HALVES, ALL, w7 + at, ORDER)
                    .convertShape(VectorOperators.S2I, INTS, 0);
        m = h.and(0x7fff);
        p = m.lanewise(VectorOperators.LSHL, 13).add(112 << 23).reinterpretAsFloats();
        p =
            p.lanewise(
                VectorOperators.FMA,
                two,
                offset,
                m.compare(VectorOperators.LT, 0x400).cast(FLOATS));
        a7 = p.reinterpretAsInts().or(h.and(0x8000_0000)).reinterpretAsFloats().fma(v, a7);
        next += ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a4.intoArray(sums, to + 4 * SUMS);
          a5.intoArray(sums, to + 5 * SUMS);
          a6.intoArray(sums, to + 6 * SUMS);
          a7.intoArray(sums, to + 7 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          a4 = a0;
          a5 = a0;
          a6 = a0;
          a7 = a0;
          next = start;
          to += 8 * SUMS;
        }
      }
    }
  }

  private static void brainFloatDots(
      long x,
      long w0,
      long w1,
      long w2,
      long w3,
      long w4,
      long w5,
      long w6,
      long w7,
      int count,
      int columns,
      float[] sums) {
    int length = columns / SUMS;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      FloatVector a4 = a0;
      FloatVector a5 = a0;
      FloatVector a6 = a0;
      FloatVector a7 = a0;
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
                        ShortVector.fromMemorySegment(HALVES, ALL, w0 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a0);
        a1 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w1 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a1);
        a2 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w2 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a2);
        a3 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w3 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a3);
        a4 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w4 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a4);
        a5 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w5 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a5);
        a6 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w6 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a6);
        a7 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w7 + at, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a7);
        next += ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a4.intoArray(sums, to + 4 * SUMS);
          a5.intoArray(sums, to + 5 * SUMS);
          a6.intoArray(sums, to + 6 * SUMS);
          a7.intoArray(sums, to + 7 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          a4 = a0;
          a5 = a0;
          a6 = a0;
          a7 = a0;
          next = start;
          to += 8 * SUMS;
        }
      }
    }
  }

  // Weights as they are stored. The conversions are written out: C2 gives up inlining a helper that
  // is called so often, and every vector that crosses a call is allocated.

  private static void q8Dots(
      long x,
      long w0,
      long w1,
      long w2,
      long w3,
      long w4,
      long w5,
      long w6,
      long w7,
      int count,
      int columns,
      float[] sums) {
    int length = columns / 32;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      FloatVector a4 = a0;
      FloatVector a5 = a0;
      FloatVector a6 = a0;
      FloatVector a7 = a0;
      long start = x + part * STEP;
      long end = start + 2 * ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long block = 34L * i;
        long bytes = block + 2 + part * BYTE_STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        float d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff];
        FloatVector p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a0 = p.fma(v0, a0);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a0 = p.fma(u0, a0);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a1 = p.fma(v0, a1);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a1 = p.fma(u0, a1);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a2 = p.fma(v0, a2);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a2 = p.fma(u0, a2);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a3 = p.fma(v0, a3);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a3 = p.fma(u0, a3);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w4 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w4 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a4 = p.fma(v0, a4);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w4 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a4 = p.fma(u0, a4);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w5 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w5 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a5 = p.fma(v0, a5);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w5 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a5 = p.fma(u0, a5);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w6 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w6 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a6 = p.fma(v0, a6);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w6 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a6 = p.fma(u0, a6);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w7 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w7 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a7 = p.fma(v0, a7);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w7 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a7 = p.fma(u0, a7);
        next += 2 * ROUND;
        if (next == end) {
          a0.intoArray(sums, to);
          a1.intoArray(sums, to + SUMS);
          a2.intoArray(sums, to + 2 * SUMS);
          a3.intoArray(sums, to + 3 * SUMS);
          a4.intoArray(sums, to + 4 * SUMS);
          a5.intoArray(sums, to + 5 * SUMS);
          a6.intoArray(sums, to + 6 * SUMS);
          a7.intoArray(sums, to + 7 * SUMS);
          a0 = FloatVector.zero(FLOATS);
          a1 = a0;
          a2 = a0;
          a3 = a0;
          a4 = a0;
          a5 = a0;
          a6 = a0;
          a7 = a0;
          next = start;
          to += 8 * SUMS;
        }
      }
    }
  }

  /** Products of 8 rows × 2 tokens of Q8_0: 16 accumulators. */
  private static void q8Dots8x2(
      long x,
      long w0,
      long w1,
      long w2,
      long w3,
      long w4,
      long w5,
      long w6,
      long w7,
      int count,
      int columns,
      float[] sums) {
    int length = columns / 32;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a00 = FloatVector.zero(FLOATS);
      FloatVector a01 = a00;
      FloatVector a10 = a00;
      FloatVector a11 = a00;
      FloatVector a20 = a00;
      FloatVector a21 = a00;
      FloatVector a30 = a00;
      FloatVector a31 = a00;
      FloatVector a40 = a00;
      FloatVector a41 = a00;
      FloatVector a50 = a00;
      FloatVector a51 = a00;
      FloatVector a60 = a00;
      FloatVector a61 = a00;
      FloatVector a70 = a00;
      FloatVector a71 = a00;
      long start = x + part * STEP;
      long end = start + 8 * ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long block = 34L * i;
        long bytes = block + 2 + part * BYTE_STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
        float d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff];
        FloatVector p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a00 = p.fma(v0, a00);
        a01 = p.fma(v1, a01);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a00 = p.fma(u0, a00);
        a01 = p.fma(u1, a01);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a10 = p.fma(v0, a10);
        a11 = p.fma(v1, a11);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a10 = p.fma(u0, a10);
        a11 = p.fma(u1, a11);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a20 = p.fma(v0, a20);
        a21 = p.fma(v1, a21);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a20 = p.fma(u0, a20);
        a21 = p.fma(u1, a21);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a30 = p.fma(v0, a30);
        a31 = p.fma(v1, a31);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a30 = p.fma(u0, a30);
        a31 = p.fma(u1, a31);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w4 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w4 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a40 = p.fma(v0, a40);
        a41 = p.fma(v1, a41);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w4 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a40 = p.fma(u0, a40);
        a41 = p.fma(u1, a41);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w5 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w5 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a50 = p.fma(v0, a50);
        a51 = p.fma(v1, a51);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w5 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a50 = p.fma(u0, a50);
        a51 = p.fma(u1, a51);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w6 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w6 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a60 = p.fma(v0, a60);
        a61 = p.fma(v1, a61);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w6 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a60 = p.fma(u0, a60);
        a61 = p.fma(u1, a61);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w7 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w7 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a70 = p.fma(v0, a70);
        a71 = p.fma(v1, a71);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w7 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a70 = p.fma(u0, a70);
        a71 = p.fma(u1, a71);
        next += 8 * ROUND;
        if (next == end) {
          a00.intoArray(sums, to);
          a01.intoArray(sums, to + SUMS);
          a10.intoArray(sums, to + 2 * SUMS);
          a11.intoArray(sums, to + 3 * SUMS);
          a20.intoArray(sums, to + 4 * SUMS);
          a21.intoArray(sums, to + 5 * SUMS);
          a30.intoArray(sums, to + 6 * SUMS);
          a31.intoArray(sums, to + 7 * SUMS);
          a40.intoArray(sums, to + 8 * SUMS);
          a41.intoArray(sums, to + 9 * SUMS);
          a50.intoArray(sums, to + 10 * SUMS);
          a51.intoArray(sums, to + 11 * SUMS);
          a60.intoArray(sums, to + 12 * SUMS);
          a61.intoArray(sums, to + 13 * SUMS);
          a70.intoArray(sums, to + 14 * SUMS);
          a71.intoArray(sums, to + 15 * SUMS);
          a00 = FloatVector.zero(FLOATS);
          a01 = a00;
          a10 = a00;
          a11 = a00;
          a20 = a00;
          a21 = a00;
          a30 = a00;
          a31 = a00;
          a40 = a00;
          a41 = a00;
          a50 = a00;
          a51 = a00;
          a60 = a00;
          a61 = a00;
          a70 = a00;
          a71 = a00;
          next = start;
          to += 16 * SUMS;
        }
      }
    }
  }

  /** Products of 4 rows × 2 tokens of Q8_0: 8 accumulators. */
  private static void q8Dots4x2(
      long x, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / 32;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a00 = FloatVector.zero(FLOATS);
      FloatVector a01 = a00;
      FloatVector a10 = a00;
      FloatVector a11 = a00;
      FloatVector a20 = a00;
      FloatVector a21 = a00;
      FloatVector a30 = a00;
      FloatVector a31 = a00;
      long start = x + part * STEP;
      long end = start + 8 * ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long block = 34L * i;
        long bytes = block + 2 + part * BYTE_STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
        float d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff];
        FloatVector p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a00 = p.fma(v0, a00);
        a01 = p.fma(v1, a01);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a00 = p.fma(u0, a00);
        a01 = p.fma(u1, a01);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a10 = p.fma(v0, a10);
        a11 = p.fma(v1, a11);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a10 = p.fma(u0, a10);
        a11 = p.fma(u1, a11);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a20 = p.fma(v0, a20);
        a21 = p.fma(v1, a21);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a20 = p.fma(u0, a20);
        a21 = p.fma(u1, a21);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a30 = p.fma(v0, a30);
        a31 = p.fma(v1, a31);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a30 = p.fma(u0, a30);
        a31 = p.fma(u1, a31);
        next += 8 * ROUND;
        if (next == end) {
          a00.intoArray(sums, to);
          a01.intoArray(sums, to + SUMS);
          a10.intoArray(sums, to + 2 * SUMS);
          a11.intoArray(sums, to + 3 * SUMS);
          a20.intoArray(sums, to + 4 * SUMS);
          a21.intoArray(sums, to + 5 * SUMS);
          a30.intoArray(sums, to + 6 * SUMS);
          a31.intoArray(sums, to + 7 * SUMS);
          a00 = FloatVector.zero(FLOATS);
          a01 = a00;
          a10 = a00;
          a11 = a00;
          a20 = a00;
          a21 = a00;
          a30 = a00;
          a31 = a00;
          next = start;
          to += 8 * SUMS;
        }
      }
    }
  }

  /** Products of 4 rows × 4 tokens of Q8_0: 16 accumulators. */
  private static void q8Dots4x4(
      long x, long w0, long w1, long w2, long w3, int count, int columns, float[] sums) {
    int length = columns / 32;
    for (int part = 0; part < PARTS; part++) {
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
      long start = x + part * STEP;
      long end = start + 8 * ROUND * length;
      long next = start;
      int to = part * LENGTH;
      for (int i = 0; i < count * length; i++) {
        long k = next & ADDRESS;
        long block = 34L * i;
        long bytes = block + 2 + part * BYTE_STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 2 * ROUND, ORDER);
        FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 3 * ROUND, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
        FloatVector u2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 6 * ROUND, ORDER);
        FloatVector u3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 7 * ROUND, ORDER);
        float d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff];
        FloatVector p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a00 = p.fma(v0, a00);
        a01 = p.fma(v1, a01);
        a02 = p.fma(v2, a02);
        a03 = p.fma(v3, a03);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a00 = p.fma(u0, a00);
        a01 = p.fma(u1, a01);
        a02 = p.fma(u2, a02);
        a03 = p.fma(u3, a03);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a10 = p.fma(v0, a10);
        a11 = p.fma(v1, a11);
        a12 = p.fma(v2, a12);
        a13 = p.fma(v3, a13);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a10 = p.fma(u0, a10);
        a11 = p.fma(u1, a11);
        a12 = p.fma(u2, a12);
        a13 = p.fma(u3, a13);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a20 = p.fma(v0, a20);
        a21 = p.fma(v1, a21);
        a22 = p.fma(v2, a22);
        a23 = p.fma(v3, a23);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a20 = p.fma(u0, a20);
        a21 = p.fma(u1, a21);
        a22 = p.fma(u2, a22);
        a23 = p.fma(u3, a23);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff];
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a30 = p.fma(v0, a30);
        a31 = p.fma(v1, a31);
        a32 = p.fma(v2, a32);
        a33 = p.fma(v3, a33);
        p =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d);
        a30 = p.fma(u0, a30);
        a31 = p.fma(u1, a31);
        a32 = p.fma(u2, a32);
        a33 = p.fma(u3, a33);
        next += 8 * ROUND;
        if (next == end) {
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
          a00 = FloatVector.zero(FLOATS);
          a01 = a00;
          a02 = a00;
          a03 = a00;
          a10 = a00;
          a11 = a00;
          a12 = a00;
          a13 = a00;
          a20 = a00;
          a21 = a00;
          a22 = a00;
          a23 = a00;
          a30 = a00;
          a31 = a00;
          a32 = a00;
          a33 = a00;
          next = start;
          to += 16 * SUMS;
        }
      }
    }
  }

  @Override
  public void quantize(long x, int columns, int[] out, int at, int stride) {
    for (int block = 0; block < columns / Nibbles.COLUMNS; block++) {
      quantize(x + 4L * Nibbles.COLUMNS * block, out, at + block * stride);
    }
  }

  /** One block of activations. */
  private static void quantize(long x, int[] out, int at) {
    IntVector most = IntVector.zero(INTS);
    for (int i = 0; i < Nibbles.COLUMNS; i += LENGTH) {
      most = most.max(load(x + 4L * i).reinterpretAsInts().and(Integer.MAX_VALUE));
    }
    float largest = Float.intBitsToFloat(most.reduceLanes(VectorOperators.MAX));
    float factor = largest < Nibbles.SMALLEST ? 0 : Nibbles.LARGEST / largest;
    IntVector sum = IntVector.zero(INTS);
    IntVector half = sum;
    for (int i = 0; i < Nibbles.COLUMNS; i += LENGTH) {
      if (i == Nibbles.COLUMNS / 2) {
        half = sum;
      }
      IntVector q =
          load(x + 4L * i)
              .mul(factor)
              .add(Nibbles.ROUNDER)
              .reinterpretAsInts()
              .sub(Float.floatToRawIntBits(Nibbles.ROUNDER));
      q.intoArray(out, at + 1 + i);
      sum = sum.add(q);
    }
    // From the last to the first, since each factor needs the integer before it.
    for (int i = Nibbles.COLUMNS - LENGTH; i >= 0; i -= LENGTH) {
      IntVector before = IntVector.fromArray(INTS, out, at + i);
      IntVector factors =
          IntVector.fromArray(INTS, out, at + 1 + i)
              .sub(before.lanewise(VectorOperators.LSHL, 4), NOT_FIRST_OF_FOUR);
      factors.and(0xffff).or(factors.lanewise(VectorOperators.LSHL, 16)).intoArray(out, at + 1 + i);
    }
    Nibbles.finish(
        out,
        at,
        largest,
        half.reduceLanes(VectorOperators.ADD),
        sum.reduceLanes(VectorOperators.ADD));
  }

  @Override
  public int nibbleTokens(int left) {
    if (left == 1) {
      return 1;
    }
    if (left == 2 || !MANY_REGISTERS) {
      return 2;
    }
    return left <= 4 ? 4 : 8;
  }

  @Override
  public void nibbleDots(
      WeightType type,
      int[] x,
      int at,
      int together,
      int tokens,
      long w,
      int rows,
      int columns,
      long out,
      long outStride,
      float[] sums) {
    // As in dots, some streams of weights that lie apart, here of groups of rows; a group may need
    // several registers.
    int streams = together > 4 ? 2 : 4;
    int parts = Math.min(NIBBLE_PARTS, streams);
    int groups = (rows + Nibbles.ROWS - 1) / Nibbles.ROWS;
    int groupsTogether = streams / parts;
    int each = (groups + groupsTogether - 1) / groupsTogether;
    for (int group = 0; group < each; group++) {
      for (int part = 0; part < NIBBLE_PARTS; part += parts) {
        Arrays.fill(sums, 0, streams * together * 2 * LENGTH, 0);
        nibbleDots(
            type,
            x,
            at,
            together,
            w + part * STEP,
            group,
            groups,
            each,
            parts,
            columns / Nibbles.COLUMNS,
            sums);
        for (int s = 0; s < streams; s++) {
          int row =
              Nibbles.ROWS * (first(s / parts, groups, each) + group)
                  + 2 * LENGTH * (part + s % parts);
          for (int t = 0; t < tokens; t++) {
            int from = (s * together + t) * 2 * LENGTH;
            for (int i = 0; i < Math.min(2 * LENGTH, rows - row); i++) {
              set(out + t * outStride + 4L * (row + i), sums[from + i % 2 * LENGTH + i / 2]);
            }
          }
        }
      }
    }
  }

  private static void nibbleDots(
      WeightType type,
      int[] x,
      int at,
      int together,
      long w,
      int group,
      int groups,
      int each,
      int parts,
      int blocks,
      float[] sums) {
    long groupBytes = Nibbles.groupBytes(type, blocks * Nibbles.COLUMNS);
    long header = Nibbles.headerBytes(type);
    long w0 = w + group * groupBytes;
    long w1 = w0 + first(1 / parts, groups, each) * groupBytes + 1 % parts * STEP;
    long w2 = w0 + first(2 / parts, groups, each) * groupBytes + 2 % parts * STEP;
    long w3 = w0 + first(3 / parts, groups, each) * groupBytes + 3 % parts * STEP;
    if (type == WeightType.Q6_K) {
      int stride = together * ACTIVATION;
      switch (together) {
        case 1 -> sixDots4x1(x, at, w0, w1, w2, w3, blocks, 4, sums);
        case 2 -> {
          sixDots2x2(x, at, stride, w0, w1, blocks, 4, 0, 4 * LENGTH, sums);
          sixDots2x2(x, at, stride, w2, w3, blocks, 4, 8 * LENGTH, 12 * LENGTH, sums);
        }
        case 4 -> {
          sixDots2x4(x, at, stride, w0, w1, blocks, 4, 0, 8 * LENGTH, sums);
          sixDots2x4(x, at, stride, w2, w3, blocks, 4, 16 * LENGTH, 24 * LENGTH, sums);
        }
        default -> {
          int next = at + 4 * ACTIVATION;
          sixDots2x4(x, at, stride, w0, w1, blocks, 4, 0, 16 * LENGTH, sums);
          sixDots2x4(x, next, stride, w0, w1, blocks, 4, 8 * LENGTH, 24 * LENGTH, sums);
        }
      }
      return;
    }
    switch (together) {
      case 1 -> nibbleDots4x1(x, at, w0, w1, w2, w3, blocks, header, 4, sums);
      case 2 -> nibbleDots4x2(x, at, w0, w1, w2, w3, blocks, header, 4, sums);
      case 4 -> nibbleDots4x4(x, at, w0, w1, w2, w3, blocks, header, 4, sums);
      default -> nibbleDots2x8(x, at, w0, w1, blocks, header, 4, sums);
    }
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
      float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Nibbles.BLOCK_BYTES);
      long at = head + header + (block & 7) * Nibbles.BLOCK_BYTES;
      int token = first + block * ACTIVATION;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      for (int quad = 0; quad < Nibbles.COLUMNS / 4; quad++) {
        long from = at + (quad + 1) * Nibbles.LINE;
        int factor = token + 4 * quad;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        for (int i = 1; i <= 4; i++) {
          ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
          s00 = s00.add(q0.mul(x0));
          s10 = s10.add(q1.mul(x0));
          s20 = s20.add(q2.mul(x0));
          s30 = s30.add(q3.mul(x0));
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
      s00.reinterpretAsFloats().intoArray(sums, DOTS);
      s10.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
      s20.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
      s30.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
      if (header == 0) {
        addBlock(w0 + at, w1 + at, x, token, 1, 0, sums);
        addBlock(w2 + at, w3 + at, x, token, 1, 2, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * LENGTH, sums);
          addHeader(w2 + head, FACTORS + 8 * LENGTH, sums);
          addHeader(w3 + head, FACTORS + 12 * LENGTH, sums);
        }
        addBlockWithMinima(w0 + at, w1 + at, x, token, 1, 0, FACTORS, sums);
        addBlockWithMinima(w2 + at, w3 + at, x, token, 1, 2, FACTORS + 8 * LENGTH, sums);
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
      float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Nibbles.BLOCK_BYTES);
      long at = head + header + (block & 7) * Nibbles.BLOCK_BYTES;
      int token = first + block * 2 * ACTIVATION;
      ShortVector s00 = IntVector.broadcast(INTS, x[token]).reinterpretAsShorts();
      ShortVector s10 = s00;
      ShortVector s20 = s00;
      ShortVector s30 = s00;
      ShortVector s01 = IntVector.broadcast(INTS, x[token + ACTIVATION]).reinterpretAsShorts();
      ShortVector s11 = s01;
      ShortVector s21 = s01;
      ShortVector s31 = s01;
      for (int quad = 0; quad < Nibbles.COLUMNS / 4; quad++) {
        long from = at + (quad + 1) * Nibbles.LINE;
        int factor = token + 4 * quad;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        ShortVector x00 = IntVector.broadcast(INTS, x[factor + 1]).reinterpretAsShorts();
        s00 = s00.add(q0.mul(x00));
        s10 = s10.add(q1.mul(x00));
        s20 = s20.add(q2.mul(x00));
        s30 = s30.add(q3.mul(x00));
        ShortVector x10 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 1)]).reinterpretAsShorts();
        s01 = s01.add(q0.mul(x10));
        s11 = s11.add(q1.mul(x10));
        s21 = s21.add(q2.mul(x10));
        s31 = s31.add(q3.mul(x10));
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
        s00 = s00.add(q0.mul(x01));
        s10 = s10.add(q1.mul(x01));
        s20 = s20.add(q2.mul(x01));
        s30 = s30.add(q3.mul(x01));
        ShortVector x11 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 2)]).reinterpretAsShorts();
        s01 = s01.add(q0.mul(x11));
        s11 = s11.add(q1.mul(x11));
        s21 = s21.add(q2.mul(x11));
        s31 = s31.add(q3.mul(x11));
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
        s00 = s00.add(q0.mul(x02));
        s10 = s10.add(q1.mul(x02));
        s20 = s20.add(q2.mul(x02));
        s30 = s30.add(q3.mul(x02));
        ShortVector x12 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 3)]).reinterpretAsShorts();
        s01 = s01.add(q0.mul(x12));
        s11 = s11.add(q1.mul(x12));
        s21 = s21.add(q2.mul(x12));
        s31 = s31.add(q3.mul(x12));
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
        s00 = s00.add(q0.mul(x03));
        s10 = s10.add(q1.mul(x03));
        s20 = s20.add(q2.mul(x03));
        s30 = s30.add(q3.mul(x03));
        ShortVector x13 =
            IntVector.broadcast(INTS, x[factor + (ACTIVATION + 4)]).reinterpretAsShorts();
        s01 = s01.add(q0.mul(x13));
        s11 = s11.add(q1.mul(x13));
        s21 = s21.add(q2.mul(x13));
        s31 = s31.add(q3.mul(x13));
      }
      s00.reinterpretAsFloats().intoArray(sums, DOTS);
      s01.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
      s10.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
      s11.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
      s20.reinterpretAsFloats().intoArray(sums, DOTS + 4 * LENGTH);
      s21.reinterpretAsFloats().intoArray(sums, DOTS + 5 * LENGTH);
      s30.reinterpretAsFloats().intoArray(sums, DOTS + 6 * LENGTH);
      s31.reinterpretAsFloats().intoArray(sums, DOTS + 7 * LENGTH);
      if (header == 0) {
        addBlock(w0 + at, w1 + at, x, token, 2, 0, sums);
        addBlock(w2 + at, w3 + at, x, token, 2, 4, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * LENGTH, sums);
          addHeader(w2 + head, FACTORS + 8 * LENGTH, sums);
          addHeader(w3 + head, FACTORS + 12 * LENGTH, sums);
        }
        addBlockWithMinima(w0 + at, w1 + at, x, token, 2, 0, FACTORS, sums);
        addBlockWithMinima(w2 + at, w3 + at, x, token, 2, 4, FACTORS + 8 * LENGTH, sums);
      }
    }
  }

  /** Products of 4 registers of rows, with 4 tokens: 16 accumulators. */
  private static void nibbleDots4x4(
      int[] x,
      int first,
      long w0,
      long w1,
      long w2,
      long w3,
      int blocks,
      long header,
      int shift,
      float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Nibbles.BLOCK_BYTES);
      long at = head + header + (block & 7) * Nibbles.BLOCK_BYTES;
      int token = first + block * 4 * ACTIVATION;
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
      for (int quad = 0; quad < Nibbles.COLUMNS / 4; quad++) {
        long from = at + (quad + 1) * Nibbles.LINE;
        int factor = token + 4 * quad;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        ShortVector q2 = ShortVector.fromMemorySegment(SHORTS, ALL, (w2 + from) & ADDRESS, ORDER);
        ShortVector q3 = ShortVector.fromMemorySegment(SHORTS, ALL, (w3 + from) & ADDRESS, ORDER);
        for (int i = 1; i <= 4; i++) {
          ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
          s00 = s00.add(q0.mul(x0));
          s10 = s10.add(q1.mul(x0));
          s20 = s20.add(q2.mul(x0));
          s30 = s30.add(q3.mul(x0));
          ShortVector x1 =
              IntVector.broadcast(INTS, x[factor + i + ACTIVATION]).reinterpretAsShorts();
          s01 = s01.add(q0.mul(x1));
          s11 = s11.add(q1.mul(x1));
          s21 = s21.add(q2.mul(x1));
          s31 = s31.add(q3.mul(x1));
          ShortVector x2 =
              IntVector.broadcast(INTS, x[factor + i + 2 * ACTIVATION]).reinterpretAsShorts();
          s02 = s02.add(q0.mul(x2));
          s12 = s12.add(q1.mul(x2));
          s22 = s22.add(q2.mul(x2));
          s32 = s32.add(q3.mul(x2));
          ShortVector x3 =
              IntVector.broadcast(INTS, x[factor + i + 3 * ACTIVATION]).reinterpretAsShorts();
          s03 = s03.add(q0.mul(x3));
          s13 = s13.add(q1.mul(x3));
          s23 = s23.add(q2.mul(x3));
          s33 = s33.add(q3.mul(x3));
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
      s00.reinterpretAsFloats().intoArray(sums, DOTS);
      s01.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
      s02.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
      s03.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
      s10.reinterpretAsFloats().intoArray(sums, DOTS + 4 * LENGTH);
      s11.reinterpretAsFloats().intoArray(sums, DOTS + 5 * LENGTH);
      s12.reinterpretAsFloats().intoArray(sums, DOTS + 6 * LENGTH);
      s13.reinterpretAsFloats().intoArray(sums, DOTS + 7 * LENGTH);
      s20.reinterpretAsFloats().intoArray(sums, DOTS + 8 * LENGTH);
      s21.reinterpretAsFloats().intoArray(sums, DOTS + 9 * LENGTH);
      s22.reinterpretAsFloats().intoArray(sums, DOTS + 10 * LENGTH);
      s23.reinterpretAsFloats().intoArray(sums, DOTS + 11 * LENGTH);
      s30.reinterpretAsFloats().intoArray(sums, DOTS + 12 * LENGTH);
      s31.reinterpretAsFloats().intoArray(sums, DOTS + 13 * LENGTH);
      s32.reinterpretAsFloats().intoArray(sums, DOTS + 14 * LENGTH);
      s33.reinterpretAsFloats().intoArray(sums, DOTS + 15 * LENGTH);
      if (header == 0) {
        addBlock(w0 + at, w1 + at, x, token, 4, 0, sums);
        addBlock(w2 + at, w3 + at, x, token, 4, 8, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * LENGTH, sums);
          addHeader(w2 + head, FACTORS + 8 * LENGTH, sums);
          addHeader(w3 + head, FACTORS + 12 * LENGTH, sums);
        }
        addBlockWithMinima(w0 + at, w1 + at, x, token, 4, 0, FACTORS, sums);
        addBlockWithMinima(w2 + at, w3 + at, x, token, 4, 8, FACTORS + 8 * LENGTH, sums);
      }
    }
  }

  /** Products of 2 registers of rows, with 8 tokens: 16 accumulators. */
  private static void nibbleDots2x8(
      int[] x, int first, long w0, long w1, int blocks, long header, int shift, float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (header + 8 * Nibbles.BLOCK_BYTES);
      long at = head + header + (block & 7) * Nibbles.BLOCK_BYTES;
      int token = first + block * 8 * ACTIVATION;
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
      for (int quad = 0; quad < Nibbles.COLUMNS / 4; quad++) {
        long from = at + (quad + 1) * Nibbles.LINE;
        int factor = token + 4 * quad;
        ShortVector q0 = ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + from) & ADDRESS, ORDER);
        ShortVector q1 = ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + from) & ADDRESS, ORDER);
        for (int i = 1; i <= 4; i++) {
          ShortVector x0 = IntVector.broadcast(INTS, x[factor + i]).reinterpretAsShorts();
          s00 = s00.add(q0.mul(x0));
          s10 = s10.add(q1.mul(x0));
          ShortVector x1 =
              IntVector.broadcast(INTS, x[factor + i + ACTIVATION]).reinterpretAsShorts();
          s01 = s01.add(q0.mul(x1));
          s11 = s11.add(q1.mul(x1));
          ShortVector x2 =
              IntVector.broadcast(INTS, x[factor + i + 2 * ACTIVATION]).reinterpretAsShorts();
          s02 = s02.add(q0.mul(x2));
          s12 = s12.add(q1.mul(x2));
          ShortVector x3 =
              IntVector.broadcast(INTS, x[factor + i + 3 * ACTIVATION]).reinterpretAsShorts();
          s03 = s03.add(q0.mul(x3));
          s13 = s13.add(q1.mul(x3));
          ShortVector x4 =
              IntVector.broadcast(INTS, x[factor + i + 4 * ACTIVATION]).reinterpretAsShorts();
          s04 = s04.add(q0.mul(x4));
          s14 = s14.add(q1.mul(x4));
          ShortVector x5 =
              IntVector.broadcast(INTS, x[factor + i + 5 * ACTIVATION]).reinterpretAsShorts();
          s05 = s05.add(q0.mul(x5));
          s15 = s15.add(q1.mul(x5));
          ShortVector x6 =
              IntVector.broadcast(INTS, x[factor + i + 6 * ACTIVATION]).reinterpretAsShorts();
          s06 = s06.add(q0.mul(x6));
          s16 = s16.add(q1.mul(x6));
          ShortVector x7 =
              IntVector.broadcast(INTS, x[factor + i + 7 * ACTIVATION]).reinterpretAsShorts();
          s07 = s07.add(q0.mul(x7));
          s17 = s17.add(q1.mul(x7));
          q0 =
              BITS == 512
                  ? q0.lanewise(VectorOperators.LSHR, FOURS)
                  : q0.lanewise(VectorOperators.LSHR, shift);
          q1 =
              BITS == 512
                  ? q1.lanewise(VectorOperators.LSHR, FOURS)
                  : q1.lanewise(VectorOperators.LSHR, shift);
        }
      }
      s00.reinterpretAsFloats().intoArray(sums, DOTS);
      s01.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
      s02.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
      s03.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
      s04.reinterpretAsFloats().intoArray(sums, DOTS + 4 * LENGTH);
      s05.reinterpretAsFloats().intoArray(sums, DOTS + 5 * LENGTH);
      s06.reinterpretAsFloats().intoArray(sums, DOTS + 6 * LENGTH);
      s07.reinterpretAsFloats().intoArray(sums, DOTS + 7 * LENGTH);
      s10.reinterpretAsFloats().intoArray(sums, DOTS + 8 * LENGTH);
      s11.reinterpretAsFloats().intoArray(sums, DOTS + 9 * LENGTH);
      s12.reinterpretAsFloats().intoArray(sums, DOTS + 10 * LENGTH);
      s13.reinterpretAsFloats().intoArray(sums, DOTS + 11 * LENGTH);
      s14.reinterpretAsFloats().intoArray(sums, DOTS + 12 * LENGTH);
      s15.reinterpretAsFloats().intoArray(sums, DOTS + 13 * LENGTH);
      s16.reinterpretAsFloats().intoArray(sums, DOTS + 14 * LENGTH);
      s17.reinterpretAsFloats().intoArray(sums, DOTS + 15 * LENGTH);
      if (header == 0) {
        addBlock(w0 + at, w1 + at, x, token, 8, 0, sums);
      } else {
        if ((block & 7) == 0) {
          addHeader(w0 + head, FACTORS, sums);
          addHeader(w1 + head, FACTORS + 4 * LENGTH, sums);
        }
        addBlockWithMinima(w0 + at, w1 + at, x, token, 8, 0, FACTORS, sums);
      }
    }
  }

  /**
   * Adds what two registers of rows gave in a block to their sums, those of even rows before those
   * of odd ones. A method of its own, and long enough to stay one: with the sums of the block in
   * one method C2 runs out of what it may inline.
   */
  private static void addBlock(
      long w0, long w1, int[] x, int token, int tokens, int first, float[] sums) {
    IntVector h0 =
        ShortVector.fromMemorySegment(SHORTS, ALL, w0 & ADDRESS, ORDER).reinterpretAsInts();
    FloatVector even0 =
        h0.lanewise(VectorOperators.LSHL, 16)
            .lanewise(VectorOperators.ASHR, 3)
            .and(HALF_BITS)
            .reinterpretAsFloats()
            .mul(0x1p112f);
    FloatVector odd0 =
        h0.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
    IntVector h1 =
        ShortVector.fromMemorySegment(SHORTS, ALL, w1 & ADDRESS, ORDER).reinterpretAsInts();
    FloatVector even1 =
        h1.lanewise(VectorOperators.LSHL, 16)
            .lanewise(VectorOperators.ASHR, 3)
            .and(HALF_BITS)
            .reinterpretAsFloats()
            .mul(0x1p112f);
    FloatVector odd1 =
        h1.lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(0x1p112f);
    for (int t = 0; t < tokens; t++) {
      float scale = Float.intBitsToFloat(x[token + t * ACTIVATION + Nibbles.ACTIVATION_SCALE]);
      int at = (first + t) * LENGTH;
      int next = at + tokens * LENGTH;
      IntVector dots0 = FloatVector.fromArray(FLOATS, sums, DOTS + at).reinterpretAsInts();
      ((FloatVector)
              dots0
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(even0.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * at))
          .intoArray(sums, 2 * at);
      ((FloatVector)
              dots0.lanewise(VectorOperators.ASHR, 16).convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(odd0.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * at + LENGTH))
          .intoArray(sums, 2 * at + LENGTH);
      IntVector dots1 = FloatVector.fromArray(FLOATS, sums, DOTS + next).reinterpretAsInts();
      ((FloatVector)
              dots1
                  .lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(even1.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * next))
          .intoArray(sums, 2 * next);
      ((FloatVector)
              dots1.lanewise(VectorOperators.ASHR, 16).convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(odd1.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * next + LENGTH))
          .intoArray(sums, 2 * next + LENGTH);
    }
  }

  /** Scales of weights, and those of minima, negated: of even rows before those of odd ones. */
  private static void addHeader(long w, int to, float[] sums) {
    IntVector d =
        ShortVector.fromMemorySegment(SHORTS, ALL, w & ADDRESS, ORDER).reinterpretAsInts();
    IntVector e =
        ShortVector.fromMemorySegment(SHORTS, ALL, (w + Nibbles.LINE) & ADDRESS, ORDER)
            .reinterpretAsInts();
    d.lanewise(VectorOperators.LSHL, 16)
        .lanewise(VectorOperators.ASHR, 3)
        .and(HALF_BITS)
        .reinterpretAsFloats()
        .mul(0x1p112f)
        .intoArray(sums, to);
    d.lanewise(VectorOperators.ASHR, 3)
        .and(HALF_BITS)
        .reinterpretAsFloats()
        .mul(0x1p112f)
        .intoArray(sums, to + LENGTH);
    e.lanewise(VectorOperators.LSHL, 16)
        .lanewise(VectorOperators.ASHR, 3)
        .and(HALF_BITS)
        .reinterpretAsFloats()
        .mul(-0x1p112f)
        .intoArray(sums, to + 2 * LENGTH);
    e.lanewise(VectorOperators.ASHR, 3)
        .and(HALF_BITS)
        .reinterpretAsFloats()
        .mul(-0x1p112f)
        .intoArray(sums, to + 3 * LENGTH);
  }

  /** The same as {@link #addBlock} where weights have minima. */
  private static void addBlockWithMinima(
      long w0, long w1, int[] x, int token, int tokens, int first, int factors, float[] sums) {
    IntVector h0 =
        ShortVector.fromMemorySegment(SHORTS, ALL, w0 & ADDRESS, ORDER).reinterpretAsInts();
    FloatVector even0 =
        ((FloatVector) h0.and(0xff).convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, sums, factors));
    FloatVector evenRest0 =
        even0.fma(
            EIGHTS,
            ((FloatVector)
                    h0.lanewise(VectorOperators.LSHR, 8)
                        .and(0xff)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .mul(FloatVector.fromArray(FLOATS, sums, factors + 2 * LENGTH)));
    FloatVector odd0 =
        ((FloatVector)
                h0.lanewise(VectorOperators.LSHR, 16)
                    .and(0xff)
                    .convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, sums, factors + LENGTH));
    FloatVector oddRest0 =
        odd0.fma(
            EIGHTS,
            ((FloatVector)
                    h0.lanewise(VectorOperators.LSHR, 24)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .mul(FloatVector.fromArray(FLOATS, sums, factors + 3 * LENGTH)));
    IntVector h1 =
        ShortVector.fromMemorySegment(SHORTS, ALL, w1 & ADDRESS, ORDER).reinterpretAsInts();
    FloatVector even1 =
        ((FloatVector) h1.and(0xff).convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, sums, factors + 4 * LENGTH));
    FloatVector evenRest1 =
        even1.fma(
            EIGHTS,
            ((FloatVector)
                    h1.lanewise(VectorOperators.LSHR, 8)
                        .and(0xff)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .mul(FloatVector.fromArray(FLOATS, sums, factors + 6 * LENGTH)));
    FloatVector odd1 =
        ((FloatVector)
                h1.lanewise(VectorOperators.LSHR, 16)
                    .and(0xff)
                    .convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(FloatVector.fromArray(FLOATS, sums, factors + 5 * LENGTH));
    FloatVector oddRest1 =
        odd1.fma(
            EIGHTS,
            ((FloatVector)
                    h1.lanewise(VectorOperators.LSHR, 24)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .mul(FloatVector.fromArray(FLOATS, sums, factors + 7 * LENGTH)));
    for (int t = 0; t < tokens; t++) {
      float scale = Float.intBitsToFloat(x[token + t * ACTIVATION + Nibbles.ACTIVATION_SCALE]);
      FloatVector sum =
          FloatVector.broadcast(
              FLOATS, Float.intBitsToFloat(x[token + t * ACTIVATION + Nibbles.ACTIVATION_SUM]));
      int at = (first + t) * LENGTH;
      int next = at + tokens * LENGTH;
      IntVector dots0 = FloatVector.fromArray(FLOATS, sums, DOTS + at).reinterpretAsInts();
      evenRest0
          .fma(
              sum,
              ((FloatVector)
                      dots0
                          .lanewise(VectorOperators.LSHL, 16)
                          .lanewise(VectorOperators.ASHR, 16)
                          .convertShape(VectorOperators.I2F, FLOATS, 0))
                  .fma(even0.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * at)))
          .intoArray(sums, 2 * at);
      oddRest0
          .fma(
              sum,
              ((FloatVector)
                      dots0
                          .lanewise(VectorOperators.ASHR, 16)
                          .convertShape(VectorOperators.I2F, FLOATS, 0))
                  .fma(odd0.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * at + LENGTH)))
          .intoArray(sums, 2 * at + LENGTH);
      IntVector dots1 = FloatVector.fromArray(FLOATS, sums, DOTS + next).reinterpretAsInts();
      evenRest1
          .fma(
              sum,
              ((FloatVector)
                      dots1
                          .lanewise(VectorOperators.LSHL, 16)
                          .lanewise(VectorOperators.ASHR, 16)
                          .convertShape(VectorOperators.I2F, FLOATS, 0))
                  .fma(even1.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * next)))
          .intoArray(sums, 2 * next);
      oddRest1
          .fma(
              sum,
              ((FloatVector)
                      dots1
                          .lanewise(VectorOperators.ASHR, 16)
                          .convertShape(VectorOperators.I2F, FLOATS, 0))
                  .fma(odd1.mul(scale), FloatVector.fromArray(FLOATS, sums, 2 * next + LENGTH)))
          .intoArray(sums, 2 * next + LENGTH);
    }
  }

  /**
   * Products of 4 registers of rows of Q6_K, with one token: 4 accumulators for nibbles, 4 for bit
   * pairs.
   */
  private static void sixDots4x1(
      int[] x, int first, long w0, long w1, long w2, long w3, int blocks, int shift, float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (Nibbles.LINE + 8 * Nibbles.SIX_BLOCK_BYTES);
      long at = head + Nibbles.LINE + (block & 7) * Nibbles.SIX_BLOCK_BYTES;
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
          long from = at + (1 + quad + (quad >>> 1)) * Nibbles.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Nibbles.LINE;
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
            l00 = l00.add(q0.mul(x0));
            h00 = h00.add(p0.mul(x0));
            l10 = l10.add(q1.mul(x0));
            h10 = h10.add(p1.mul(x0));
            l20 = l20.add(q2.mul(x0));
            h20 = h20.add(p2.mul(x0));
            l30 = l30.add(q3.mul(x0));
            h30 = h30.add(p3.mul(x0));
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
        l00.reinterpretAsFloats().intoArray(sums, DOTS);
        l10.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
        l20.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
        l30.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
        h00.reinterpretAsFloats().intoArray(sums, DOTS + 4 * LENGTH);
        h10.reinterpretAsFloats().intoArray(sums, DOTS + 5 * LENGTH);
        h20.reinterpretAsFloats().intoArray(sums, DOTS + 6 * LENGTH);
        h30.reinterpretAsFloats().intoArray(sums, DOTS + 7 * LENGTH);
        addHalfBlock(
            w0 + head,
            w1 + head,
            at - head,
            half,
            x,
            token,
            1,
            DOTS,
            4 * LENGTH,
            0,
            2 * LENGTH,
            sums);
        addHalfBlock(
            w2 + head,
            w3 + head,
            at - head,
            half,
            x,
            token,
            1,
            DOTS + 2 * LENGTH,
            4 * LENGTH,
            4 * LENGTH,
            6 * LENGTH,
            sums);
      }
    }
  }

  /** Products of 2 registers of rows of Q6_K, with 2 tokens: 4 and 4 accumulators. */
  private static void sixDots2x2(
      int[] x,
      int first,
      int stride,
      long w0,
      long w1,
      int blocks,
      int shift,
      int to0,
      int to1,
      float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (Nibbles.LINE + 8 * Nibbles.SIX_BLOCK_BYTES);
      long at = head + Nibbles.LINE + (block & 7) * Nibbles.SIX_BLOCK_BYTES;
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
          long from = at + (1 + quad + (quad >>> 1)) * Nibbles.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Nibbles.LINE;
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
            l00 = l00.add(q0.mul(x0));
            h00 = h00.add(p0.mul(x0));
            l10 = l10.add(q1.mul(x0));
            h10 = h10.add(p1.mul(x0));
            ShortVector x1 =
                IntVector.broadcast(INTS, x[factor + i + ACTIVATION]).reinterpretAsShorts();
            l01 = l01.add(q0.mul(x1));
            h01 = h01.add(p0.mul(x1));
            l11 = l11.add(q1.mul(x1));
            h11 = h11.add(p1.mul(x1));
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
        l00.reinterpretAsFloats().intoArray(sums, DOTS);
        l01.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
        l10.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
        l11.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
        h00.reinterpretAsFloats().intoArray(sums, DOTS + 4 * LENGTH);
        h01.reinterpretAsFloats().intoArray(sums, DOTS + 5 * LENGTH);
        h10.reinterpretAsFloats().intoArray(sums, DOTS + 6 * LENGTH);
        h11.reinterpretAsFloats().intoArray(sums, DOTS + 7 * LENGTH);
        addHalfBlock(
            w0 + head, w1 + head, at - head, half, x, token, 2, DOTS, 4 * LENGTH, to0, to1, sums);
      }
    }
  }

  /** Products of 2 registers of rows of Q6_K, with 4 tokens: 8 and 8 accumulators. */
  private static void sixDots2x4(
      int[] x,
      int first,
      int stride,
      long w0,
      long w1,
      int blocks,
      int shift,
      int to0,
      int to1,
      float[] sums) {
    for (int block = 0; block < blocks; block++) {
      long head = (block >>> 3) * (Nibbles.LINE + 8 * Nibbles.SIX_BLOCK_BYTES);
      long at = head + Nibbles.LINE + (block & 7) * Nibbles.SIX_BLOCK_BYTES;
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
        for (int quad = 4 * half; quad < 4 * half + 4; quad++) {
          long from = at + (1 + quad + (quad >>> 1)) * Nibbles.LINE;
          long fromPairs = at + (3 + 3 * (quad >>> 1)) * Nibbles.LINE;
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
            l00 = l00.add(q0.mul(x0));
            h00 = h00.add(p0.mul(x0));
            l10 = l10.add(q1.mul(x0));
            h10 = h10.add(p1.mul(x0));
            ShortVector x1 =
                IntVector.broadcast(INTS, x[factor + i + ACTIVATION]).reinterpretAsShorts();
            l01 = l01.add(q0.mul(x1));
            h01 = h01.add(p0.mul(x1));
            l11 = l11.add(q1.mul(x1));
            h11 = h11.add(p1.mul(x1));
            ShortVector x2 =
                IntVector.broadcast(INTS, x[factor + i + 2 * ACTIVATION]).reinterpretAsShorts();
            l02 = l02.add(q0.mul(x2));
            h02 = h02.add(p0.mul(x2));
            l12 = l12.add(q1.mul(x2));
            h12 = h12.add(p1.mul(x2));
            ShortVector x3 =
                IntVector.broadcast(INTS, x[factor + i + 3 * ACTIVATION]).reinterpretAsShorts();
            l03 = l03.add(q0.mul(x3));
            h03 = h03.add(p0.mul(x3));
            l13 = l13.add(q1.mul(x3));
            h13 = h13.add(p1.mul(x3));
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
        l00.reinterpretAsFloats().intoArray(sums, DOTS);
        l01.reinterpretAsFloats().intoArray(sums, DOTS + LENGTH);
        l02.reinterpretAsFloats().intoArray(sums, DOTS + 2 * LENGTH);
        l03.reinterpretAsFloats().intoArray(sums, DOTS + 3 * LENGTH);
        l10.reinterpretAsFloats().intoArray(sums, DOTS + 4 * LENGTH);
        l11.reinterpretAsFloats().intoArray(sums, DOTS + 5 * LENGTH);
        l12.reinterpretAsFloats().intoArray(sums, DOTS + 6 * LENGTH);
        l13.reinterpretAsFloats().intoArray(sums, DOTS + 7 * LENGTH);
        h00.reinterpretAsFloats().intoArray(sums, DOTS + 8 * LENGTH);
        h01.reinterpretAsFloats().intoArray(sums, DOTS + 9 * LENGTH);
        h02.reinterpretAsFloats().intoArray(sums, DOTS + 10 * LENGTH);
        h03.reinterpretAsFloats().intoArray(sums, DOTS + 11 * LENGTH);
        h10.reinterpretAsFloats().intoArray(sums, DOTS + 12 * LENGTH);
        h11.reinterpretAsFloats().intoArray(sums, DOTS + 13 * LENGTH);
        h12.reinterpretAsFloats().intoArray(sums, DOTS + 14 * LENGTH);
        h13.reinterpretAsFloats().intoArray(sums, DOTS + 15 * LENGTH);
        addHalfBlock(
            w0 + head, w1 + head, at - head, half, x, token, 4, DOTS, 8 * LENGTH, to0, to1, sums);
      }
    }
  }

  /**
   * Adds what two registers of rows of Q6_K, the block so far behind their header, gave in half a
   * block to their sums. The integers of bit pairs lie {@code pairs} behind those of nibbles, the
   * sums at {@code to0} and {@code to1}.
   */
  private static void addHalfBlock(
      long w0,
      long w1,
      long block,
      int half,
      int[] x,
      int token,
      int tokens,
      int dots,
      int pairs,
      int to0,
      int to1,
      float[] sums) {
    int even = 24 - 8 * half;
    int odd = 8 - 8 * half;
    IntVector d0 =
        ShortVector.fromMemorySegment(SHORTS, ALL, w0 & ADDRESS, ORDER).reinterpretAsInts();
    IntVector d1 =
        ShortVector.fromMemorySegment(SHORTS, ALL, w1 & ADDRESS, ORDER).reinterpretAsInts();
    IntVector s0 =
        ShortVector.fromMemorySegment(SHORTS, ALL, (w0 + block) & ADDRESS, ORDER)
            .reinterpretAsInts();
    IntVector s1 =
        ShortVector.fromMemorySegment(SHORTS, ALL, (w1 + block) & ADDRESS, ORDER)
            .reinterpretAsInts();
    FloatVector even0 =
        ((FloatVector)
                s0.lanewise(VectorOperators.LSHL, even)
                    .lanewise(VectorOperators.ASHR, 24)
                    .convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(
                d0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 3)
                    .and(HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(0x1p112f));
    FloatVector odd0 =
        ((FloatVector)
                s0.lanewise(VectorOperators.LSHL, odd)
                    .lanewise(VectorOperators.ASHR, 24)
                    .convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(
                d0.lanewise(VectorOperators.ASHR, 3)
                    .and(HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(0x1p112f));
    FloatVector even1 =
        ((FloatVector)
                s1.lanewise(VectorOperators.LSHL, even)
                    .lanewise(VectorOperators.ASHR, 24)
                    .convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(
                d1.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 3)
                    .and(HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(0x1p112f));
    FloatVector odd1 =
        ((FloatVector)
                s1.lanewise(VectorOperators.LSHL, odd)
                    .lanewise(VectorOperators.ASHR, 24)
                    .convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(
                d1.lanewise(VectorOperators.ASHR, 3)
                    .and(HALF_BITS)
                    .reinterpretAsFloats()
                    .mul(0x1p112f));
    for (int t = 0; t < tokens; t++) {
      float scale = Float.intBitsToFloat(x[token + t * ACTIVATION + Nibbles.ACTIVATION_SCALE]);
      int at = dots + t * LENGTH;
      int to = to0 + 2 * t * LENGTH;
      IntVector l = FloatVector.fromArray(FLOATS, sums, at).reinterpretAsInts();
      IntVector h = FloatVector.fromArray(FLOATS, sums, at + pairs).reinterpretAsInts();
      ((FloatVector)
              l.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(h.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 12))
                  .convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(even0.mul(scale), FloatVector.fromArray(FLOATS, sums, to))
          .intoArray(sums, to);
      ((FloatVector)
              l.lanewise(VectorOperators.ASHR, 16)
                  .add(h.lanewise(VectorOperators.ASHR, 16).lanewise(VectorOperators.LSHL, 4))
                  .convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(odd0.mul(scale), FloatVector.fromArray(FLOATS, sums, to + LENGTH))
          .intoArray(sums, to + LENGTH);
      at += tokens * LENGTH;
      to = to1 + 2 * t * LENGTH;
      l = FloatVector.fromArray(FLOATS, sums, at).reinterpretAsInts();
      h = FloatVector.fromArray(FLOATS, sums, at + pairs).reinterpretAsInts();
      ((FloatVector)
              l.lanewise(VectorOperators.LSHL, 16)
                  .lanewise(VectorOperators.ASHR, 16)
                  .add(h.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 12))
                  .convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(even1.mul(scale), FloatVector.fromArray(FLOATS, sums, to))
          .intoArray(sums, to);
      ((FloatVector)
              l.lanewise(VectorOperators.ASHR, 16)
                  .add(h.lanewise(VectorOperators.ASHR, 16).lanewise(VectorOperators.LSHL, 4))
                  .convertShape(VectorOperators.I2F, FLOATS, 0))
          .fma(odd1.mul(scale), FloatVector.fromArray(FLOATS, sums, to + LENGTH))
          .intoArray(sums, to + LENGTH);
    }
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
    for (int g = 0; g < groups; g++) {
      scores(query, keys + ROUND * g * headSize, headSize, scratch + ROUND * g);
    }
    float most = Math.max(greatest, scale(scratch, positions, groups * LANES, biases, scale));
    if (most > greatest) {
      float factor = FloatMath.exp(greatest - most);
      multiply(sums, SUMS, factor);
      multiply(out, stride, factor);
    }
    weigh(scratch, groups, most, sums);
    for (int d = 0; d < stride; d += LENGTH) {
      addValues(scratch, values + 4L * d, 4L * stride, positions, out + 4L * d);
    }
    return most;
  }

  /** The products of a query with the keys of {@link #LANES} positions, one a lane. */
  private static void scores(long query, long keys, int headSize, long scores) {
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a = FloatVector.zero(FLOATS);
      for (int d = 0; d < headSize; d++) {
        a = all(get(query + 4L * d)).fma(load(keys + at + ROUND * d), a);
      }
      store(a, scores + at);
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

  /** Adds weighted values to one register of the result. */
  private static void addValues(long weights, long values, long stride, int positions, long out) {
    FloatVector a = load(out);
    for (int i = 0; i < positions; i++) {
      a = all(get(weights + 4L * i)).fma(load(values + stride * i), a);
    }
    store(a, out);
  }

  @Override
  public void finishAttention(long sums, int stride, long out) {
    float sum = Memory.tree(sums);
    for (int d = 0; d < stride; d += LENGTH) {
      store(load(out + 4L * d).div(sum), out + 4L * d);
    }
  }
}
