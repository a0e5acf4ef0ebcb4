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
 * widths. Methods stay small, one tile or one block each: C2 gives up inlining in large ones, and
 * then allocates every vector.
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

  /** Four low and four high nibbles of an int's bytes. */
  private static final IntVector NIBBLE_SHIFTS =
      IntVector.fromArray(IntVector.SPECIES_256, new int[] {0, 8, 16, 24, 4, 12, 20, 28}, 0);

  /** Which of eight scales and minima are minima. */
  private static final VectorMask<Float> MINIMA =
      VectorMask.fromLong(FloatVector.SPECIES_256, 0xf0);

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
    return FloatVector.fromMemorySegment(FLOATS, ALL, address, ORDER);
  }

  private static void store(FloatVector v, long address) {
    v.intoMemorySegment(ALL, address, ORDER);
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  // ---------------------------------------------------------------------------------------------
  // Stored weights to float32. Dequantize draws the blocks' bytes.

  @Override
  public void dequantize(WeightType type, long weights, int count, long out, long stride) {
    if (type.blockSize() == 1) {
      plain(type, weights, count, out, stride);
      return;
    }
    int blocks = count / type.blockSize();
    long chunks = type.blockSize() / SUMS * stride;
    for (int b = 0; b < blocks; b++) {
      long block = weights + (long) b * type.blockBytes();
      long to = out + b * chunks;
      switch (type) {
        case Q8_0 -> q8(block, to, stride);
        case Q4_0 -> q4(block, to, stride);
        case Q4_1 -> q4WithMinimum(block, to, stride);
        case Q5_0 -> q5(block, to, stride);
        case Q5_1 -> q5WithMinimum(block, to, stride);
        case Q4_K -> q4K(block, to, stride);
        case Q5_K -> q5K(block, to, stride);
        case Q6_K -> q6K(block, to, stride);
        default -> throw new IllegalArgumentException("no blocks: " + type);
      }
    }
  }

  private static void plain(WeightType type, long weights, int count, long out, long stride) {
    int whole = count - count % SUMS;
    switch (type) {
      case F32 -> floats(weights, whole, out, stride);
      case F16 -> halves(weights, whole, out, stride);
      case BF16 -> brainFloats(weights, whole, out, stride);
      default -> throw new IllegalArgumentException("blocks: " + type);
    }
    if (whole < count) {
      long rest = weights + type.bytes(whole);
      Dequantize.toFloats(
          type,
          Memory.slice(rest, type.bytes(count - whole)),
          Memory.slice(out + whole / SUMS * stride, 4L * (count - whole)));
    }
  }

  private static void floats(long weights, int count, long out, long stride) {
    for (int part = 0; part < PARTS; part++) {
      for (int i = 0; i < count / SUMS; i++) {
        store(load(weights + part * STEP + i * ROUND), out + part * STEP + i * stride);
      }
    }
  }

  private static void brainFloats(long weights, int count, long out, long stride) {
    for (int part = 0; part < PARTS; part++) {
      for (int i = 0; i < count / SUMS; i++) {
        store(brainFloat(weights + (part * STEP + i * ROUND) / 2), out + part * STEP + i * stride);
      }
    }
  }

  private static FloatVector brainFloat(long weights) {
    ShortVector s = ShortVector.fromMemorySegment(HALVES, ALL, weights, ORDER);
    IntVector bits = (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
    return bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static void halves(long weights, int count, long out, long stride) {
    for (int part = 0; part < PARTS; part++) {
      for (int i = 0; i < count / SUMS; i++) {
        store(half(weights + (part * STEP + i * ROUND) / 2), out + part * STEP + i * stride);
      }
    }
  }

  /**
   * Half to single precision: exponent and fraction 13 bits lower, the exponent greater by 112;
   * subnormal numbers are integers times 2⁻²⁴. Infinities and NaNs are no weights.
   */
  private static FloatVector half(long weights) {
    ShortVector s = ShortVector.fromMemorySegment(HALVES, ALL, weights, ORDER);
    IntVector bits = (IntVector) s.convertShape(VectorOperators.S2I, INTS, 0);
    IntVector magnitude = bits.and(0x7fff);
    IntVector subnormal =
        ((FloatVector) magnitude.convertShape(VectorOperators.I2F, FLOATS, 0))
            .mul(0x1p-24f)
            .reinterpretAsInts();
    return magnitude
        .lanewise(VectorOperators.LSHL, 13)
        .add(112 << 23)
        .blend(subnormal, magnitude.compare(VectorOperators.LT, 0x400))
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
        ByteVector.fromMemorySegment(BYTES, ALL, address, ORDER)
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
        ByteVector.fromMemorySegment(BYTES, ALL, address, ORDER)
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

  private static void q8(long block, long out, long stride) {
    float d = halfAt(block);
    for (int part = 0; part < PARTS; part++) {
      long q = block + 2 + part * BYTE_STEP;
      long to = out + part * STEP;
      store(floats(signed(q)).mul(d), to);
      store(floats(signed(q + 16)).mul(d), to + stride);
    }
  }

  private static void q4(long block, long out, long stride) {
    float d = halfAt(block);
    for (int part = 0; part < PARTS; part++) {
      IntVector q = unsigned(block + 2 + part * BYTE_STEP);
      long to = out + part * STEP;
      store(floats(q.and(15).sub(8)).mul(d), to);
      store(floats(high(q).sub(8)).mul(d), to + stride);
    }
  }

  private static void q4WithMinimum(long block, long out, long stride) {
    float d = halfAt(block);
    float m = halfAt(block + 2);
    for (int part = 0; part < PARTS; part++) {
      IntVector q = unsigned(block + 4 + part * BYTE_STEP);
      long to = out + part * STEP;
      store(floats(q.and(15)).mul(d).add(m), to);
      store(floats(high(q)).mul(d).add(m), to + stride);
    }
  }

  private static void q5(long block, long out, long stride) {
    float d = halfAt(block);
    int bits = intAt(block + 2);
    for (int part = 0; part < PARTS; part++) {
      IntVector q = unsigned(block + 6 + part * BYTE_STEP);
      long to = out + part * STEP;
      store(floats(q.and(15).or(fifth(bits, part, 0)).sub(16)).mul(d), to);
      store(floats(high(q).or(fifth(bits, part, 16)).sub(16)).mul(d), to + stride);
    }
  }

  private static void q5WithMinimum(long block, long out, long stride) {
    float d = halfAt(block);
    float m = halfAt(block + 2);
    int bits = intAt(block + 4);
    for (int part = 0; part < PARTS; part++) {
      IntVector q = unsigned(block + 8 + part * BYTE_STEP);
      long to = out + part * STEP;
      store(floats(q.and(15).or(fifth(bits, part, 0))).mul(d).add(m), to);
      store(floats(high(q).or(fifth(bits, part, 16))).mul(d).add(m), to + stride);
    }
  }

  private static void q4K(long block, long out, long stride) {
    float d = halfAt(block);
    float dmin = halfAt(block + 2);
    for (int j = 0; j < 8; j += 2) {
      float low = d * Dequantize.subScale(ALL, block + 4, j);
      float lowMinimum = dmin * Dequantize.subMinimum(ALL, block + 4, j);
      float high = d * Dequantize.subScale(ALL, block + 4, j + 1);
      float highMinimum = dmin * Dequantize.subMinimum(ALL, block + 4, j + 1);
      for (int i = 0; i < 2 * PARTS; i++) {
        IntVector q = unsigned(block + 16 + 16L * j + i * BYTE_STEP);
        long to = out + (2 * j + i / PARTS) * stride + i % PARTS * STEP;
        store(floats(q.and(15)).mul(low).sub(lowMinimum), to);
        store(floats(high(q)).mul(high).sub(highMinimum), to + 2 * stride);
      }
    }
  }

  private static void q5K(long block, long out, long stride) {
    float d = halfAt(block);
    float dmin = halfAt(block + 2);
    for (int j = 0; j < 8; j += 2) {
      float low = d * Dequantize.subScale(ALL, block + 4, j);
      float lowMinimum = dmin * Dequantize.subMinimum(ALL, block + 4, j);
      float high = d * Dequantize.subScale(ALL, block + 4, j + 1);
      float highMinimum = dmin * Dequantize.subMinimum(ALL, block + 4, j + 1);
      for (int i = 0; i < 2 * PARTS; i++) {
        IntVector q = unsigned(block + 48 + 16L * j + i * BYTE_STEP);
        IntVector h = unsigned(block + 16 + i * BYTE_STEP).lanewise(VectorOperators.LSHR, j);
        IntVector fifth = h.and(1).lanewise(VectorOperators.LSHL, 4);
        IntVector next = h.and(2).lanewise(VectorOperators.LSHL, 3);
        long to = out + (2 * j + i / PARTS) * stride + i % PARTS * STEP;
        store(floats(q.and(15).or(fifth)).mul(low).sub(lowMinimum), to);
        store(floats(high(q).or(next)).mul(high).sub(highMinimum), to + 2 * stride);
      }
    }
  }

  private static void q6K(long block, long out, long stride) {
    float d = halfAt(block + 208);
    for (int chunk = 0; chunk < 16; chunk++) {
      int half = chunk >> 3;
      int quarter = (chunk >> 1) & 3;
      float scale = d * byteAt(block + 192 + chunk);
      long low = block + 64L * half + 16L * (chunk & 3);
      long high = block + 128 + 32L * half + 16L * (chunk & 1);
      for (int part = 0; part < PARTS; part++) {
        IntVector l = unsigned(low + part * BYTE_STEP);
        l = l.lanewise(VectorOperators.LSHR, 4 * (quarter >> 1)).and(15);
        IntVector h = unsigned(high + part * BYTE_STEP);
        h = h.lanewise(VectorOperators.LSHR, 2 * quarter).and(3);
        IntVector q = l.or(h.lanewise(VectorOperators.LSHL, 4)).sub(32);
        store(floats(q).mul(scale), out + chunk * stride + part * STEP);
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
        long xAt = x + part * STEP + i * (TILE_TOKENS * ROUND);
        long wAt = w + part * STEP + i * (TILE_ROWS * ROUND);
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
        long xAt = x + part * STEP + i * (TILE_TOKENS * ROUND);
        long wAt = w + part * STEP + i * (TILE_ROWS * ROUND);
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
        long xAt = x + part * STEP + i * (TILE_TOKENS * ROUND);
        long wAt = w + part * STEP + i * (TILE_ROWS * ROUND);
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
        long xAt = x + part * STEP + i * (TILE_TOKENS * ROUND);
        long wAt = w + part * STEP + i * (TILE_ROWS * ROUND);
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
      case Q4_K -> LENGTH > 4 ? 1 : 0; // no vector has 4 bytes
      case Q8_0, Q4_0 -> LENGTH > 4 ? 8 : 0;
      default -> 0;
    };
  }

  @Override
  public void dots(
      WeightType type,
      long x,
      int tokens,
      long w,
      long wStride,
      int rows,
      int columns,
      long out,
      long outStride,
      float[] sums) {
    if (tokens > 1) {
      fewDots(type, x, tokens, w, wStride, rows, columns, out, outStride, sums);
      return;
    }
    // Rows of one group are far apart: each stream of weights then runs on and on through memory,
    // which the processor's prefetchers follow, where neighbouring rows would be a new start each.
    int together = type == WeightType.Q4_K ? 2 : 4;
    int streams = (rows + together - 1) / together;
    for (int r0 = 0; r0 < streams; r0++) {
      // Where fewer rows are left, the last one is computed several times.
      int r1 = Math.min(r0 + streams, rows - 1);
      int r2 = Math.min(r0 + 2 * streams, rows - 1);
      int r3 = Math.min(r0 + 3 * streams, rows - 1);
      long w0 = w + r0 * wStride;
      long w1 = w + r1 * wStride;
      long w2 = w + r2 * wStride;
      long w3 = w + r3 * wStride;
      switch (type) {
        case F32 -> floatDots(x, w0, w1, w2, w3, columns, sums);
        case F16 -> halfDots(x, w0, w1, w2, w3, columns, sums);
        case BF16 -> brainFloatDots(x, w0, w1, w2, w3, columns, sums);
        case Q8_0 -> q8Dots(x, w0, w1, w2, w3, columns, sums);
        case Q4_0 -> q4Dots(x, w0, w1, w2, w3, columns, sums);
        case Q4_K -> q4KDots(x, w0, w1, columns, sums);
        default -> throw new IllegalArgumentException("no dot products with " + type);
      }
      set(out + 4L * r0, tree(sums, 0));
      set(out + 4L * r1, tree(sums, SUMS));
      if (together == 4) {
        set(out + 4L * r2, tree(sums, 2 * SUMS));
        set(out + 4L * r3, tree(sums, 3 * SUMS));
      }
    }
  }

  /**
   * A few tokens: weights are converted once for as many of them as there are registers for the
   * sums, 4 or 2.
   */
  private static void fewDots(
      WeightType type,
      long x,
      int tokens,
      long w,
      long wStride,
      int rows,
      int columns,
      long out,
      long outStride,
      float[] sums) {
    int streams = (rows + 3) / 4;
    for (int r0 = 0; r0 < streams; r0++) {
      // Where fewer rows are left, the last one is computed several times.
      int r1 = Math.min(r0 + streams, rows - 1);
      int r2 = Math.min(r0 + 2 * streams, rows - 1);
      int r3 = Math.min(r0 + 3 * streams, rows - 1);
      long w0 = w + r0 * wStride;
      long w1 = w + r1 * wStride;
      long w2 = w + r2 * wStride;
      long w3 = w + r3 * wStride;
      int width;
      for (int t = 0; t < tokens; t += width) {
        width = MANY_REGISTERS && tokens - t > 2 ? 4 : 2;
        long at = x + 4L * columns * (t - t % DOTS_GROUP) + t % DOTS_GROUP * ROUND;
        fewDots(type, width, at, w0, w1, w2, w3, columns, sums);
        for (int i = 0; i < Math.min(width, tokens - t); i++) {
          long to = out + (t + i) * outStride;
          set(to + 4L * r0, tree(sums, i * SUMS));
          set(to + 4L * r1, tree(sums, (width + i) * SUMS));
          set(to + 4L * r2, tree(sums, (2 * width + i) * SUMS));
          set(to + 4L * r3, tree(sums, (3 * width + i) * SUMS));
        }
      }
    }
  }

  private static void fewDots(
      WeightType type,
      int width,
      long x,
      long w0,
      long w1,
      long w2,
      long w3,
      int columns,
      float[] sums) {
    if (type == WeightType.Q8_0) {
      if (width == 2) {
        q8Dots4x2(x, w0, w1, w2, w3, columns, sums);
      } else {
        q8Dots4x4(x, w0, w1, w2, w3, columns, sums);
      }
    } else if (width == 2) {
      q4Dots4x2(x, w0, w1, w2, w3, columns, sums);
    } else {
      q4Dots4x4(x, w0, w1, w2, w3, columns, sums);
    }
  }

  private static void floatDots(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      for (int i = 0; i < columns; i += SUMS) {
        long k = at + 4L * i;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, x + k, ORDER);
        a0 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w0 + k, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w1 + k, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w2 + k, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(FLOATS, ALL, w3 + k, ORDER), a3);
      }
      a0.intoArray(sums, part * LENGTH);
      a1.intoArray(sums, part * LENGTH + SUMS);
      a2.intoArray(sums, part * LENGTH + 2 * SUMS);
      a3.intoArray(sums, part * LENGTH + 3 * SUMS);
    }
  }

  /**
   * Half precision, converted some columns at a time by loops that C2 turns into the processor's
   * own conversion: the Vector API has none, and arithmetic with subnormal numbers, of which there
   * are some among weights, is very slow on some processors.
   */
  private static void halfDots(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    Arrays.fill(sums, 0, 4 * SUMS, 0);
    for (int from = 0; from < columns; from += DOTS_COLUMNS) {
      int count = Math.min(DOTS_COLUMNS, columns - from);
      halves(w0 + 2L * from, count, sums, 4 * SUMS);
      halves(w1 + 2L * from, count, sums, 4 * SUMS + DOTS_COLUMNS);
      halves(w2 + 2L * from, count, sums, 4 * SUMS + 2 * DOTS_COLUMNS);
      halves(w3 + 2L * from, count, sums, 4 * SUMS + 3 * DOTS_COLUMNS);
      for (int part = 0; part < PARTS; part++) {
        int at = part * LENGTH;
        FloatVector a0 = FloatVector.fromArray(FLOATS, sums, at);
        FloatVector a1 = FloatVector.fromArray(FLOATS, sums, at + SUMS);
        FloatVector a2 = FloatVector.fromArray(FLOATS, sums, at + 2 * SUMS);
        FloatVector a3 = FloatVector.fromArray(FLOATS, sums, at + 3 * SUMS);
        for (int i = 0; i < count; i += SUMS) {
          int w = 4 * SUMS + at + i;
          FloatVector v =
              FloatVector.fromMemorySegment(FLOATS, ALL, x + 4L * (from + at) + 4L * i, ORDER);
          a0 = v.fma(FloatVector.fromArray(FLOATS, sums, w), a0);
          a1 = v.fma(FloatVector.fromArray(FLOATS, sums, w + DOTS_COLUMNS), a1);
          a2 = v.fma(FloatVector.fromArray(FLOATS, sums, w + 2 * DOTS_COLUMNS), a2);
          a3 = v.fma(FloatVector.fromArray(FLOATS, sums, w + 3 * DOTS_COLUMNS), a3);
        }
        a0.intoArray(sums, at);
        a1.intoArray(sums, at + SUMS);
        a2.intoArray(sums, at + 2 * SUMS);
        a3.intoArray(sums, at + 3 * SUMS);
      }
    }
  }

  private static void halves(long weights, int count, float[] out, int at) {
    for (int i = 0; i < count; i++) {
      out[at + i] =
          Float.float16ToFloat(ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, weights + 2L * i));
    }
  }

  private static void brainFloatDots(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      for (int i = 0; i < columns; i += SUMS) {
        long k = at / 2 + 2L * i;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, x + at + 4L * i, ORDER);
        a0 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w0 + k, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a0);
        a1 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w1 + k, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a1);
        a2 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w2 + k, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a2);
        a3 =
            v.fma(
                ((IntVector)
                        ShortVector.fromMemorySegment(HALVES, ALL, w3 + k, ORDER)
                            .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats(),
                a3);
      }
      a0.intoArray(sums, part * LENGTH);
      a1.intoArray(sums, part * LENGTH + SUMS);
      a2.intoArray(sums, part * LENGTH + 2 * SUMS);
      a3.intoArray(sums, part * LENGTH + 3 * SUMS);
    }
  }

  // Weights as they are stored. The conversions are written out: C2 gives up inlining a helper that
  // is called so often, and every vector that crosses a call is allocated.

  private static void q8Dots(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      for (int b = 0; b < columns / 32; b++) {
        long block = 34L * b;
        long q = block + 2 + part * BYTE_STEP;
        long xAt = x + 128L * b + part * STEP;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector u = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + ROUND, ORDER);
        float d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff];
        a0 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + q, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(v, a0);
        a0 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w0 + q + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(u, a0);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff];
        a1 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + q, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(v, a1);
        a1 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w1 + q + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(u, a1);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff];
        a2 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + q, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(v, a2);
        a2 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w2 + q + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(u, a2);
        d = HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff];
        a3 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + q, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(v, a3);
        a3 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(BYTES, ALL, w3 + q + 16, ORDER)
                        .convertShape(VectorOperators.B2F, FLOATS, 0))
                .mul(d)
                .fma(u, a3);
      }
      a0.intoArray(sums, part * LENGTH);
      a1.intoArray(sums, part * LENGTH + SUMS);
      a2.intoArray(sums, part * LENGTH + 2 * SUMS);
      a3.intoArray(sums, part * LENGTH + 3 * SUMS);
    }
  }

  private static void q4Dots(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    int blocks = columns / 32;
    for (int part = 0; part < PARTS; part++) {
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      for (int b = 0; b < blocks; b++) {
        long block = 18L * b;
        long at = block + 2 + part * BYTE_STEP;
        long xAt = x + 128L * b + part * STEP;
        FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, xAt, ORDER);
        FloatVector u = FloatVector.fromMemorySegment(FLOATS, ALL, xAt + ROUND, ORDER);
        FloatVector d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff]);
        FloatVector m = d.mul(-8);
        IntVector q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w0 + at, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        a0 =
            ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(v, a0);
        a0 =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(u, a0);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w1 + at, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        a1 =
            ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(v, a1);
        a1 =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(u, a1);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w2 + at, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        a2 =
            ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(v, a2);
        a2 =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(u, a2);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w3 + at, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        a3 =
            ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(v, a3);
        a3 =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m)
                .fma(u, a3);
      }
      a0.intoArray(sums, part * LENGTH);
      a1.intoArray(sums, part * LENGTH + SUMS);
      a2.intoArray(sums, part * LENGTH + 2 * SUMS);
      a3.intoArray(sums, part * LENGTH + 3 * SUMS);
    }
  }

  /** Products of 4 rows × 2 tokens of Q8_0: 8 accumulators. */
  private static void q8Dots4x2(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    for (int part = 0; part < PARTS; part++) {
      FloatVector a00 = FloatVector.zero(FLOATS);
      FloatVector a01 = a00;
      FloatVector a10 = a00;
      FloatVector a11 = a00;
      FloatVector a20 = a00;
      FloatVector a21 = a00;
      FloatVector a30 = a00;
      FloatVector a31 = a00;
      for (int b = 0; b < columns / 32; b++) {
        long block = 34L * b;
        long bytes = block + 2 + part * BYTE_STEP;
        long k = x + 512L * b + part * STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
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
      }
      a00.intoArray(sums, part * LENGTH);
      a01.intoArray(sums, part * LENGTH + SUMS);
      a10.intoArray(sums, part * LENGTH + 2 * SUMS);
      a11.intoArray(sums, part * LENGTH + 3 * SUMS);
      a20.intoArray(sums, part * LENGTH + 4 * SUMS);
      a21.intoArray(sums, part * LENGTH + 5 * SUMS);
      a30.intoArray(sums, part * LENGTH + 6 * SUMS);
      a31.intoArray(sums, part * LENGTH + 7 * SUMS);
    }
  }

  /** Products of 4 rows × 4 tokens of Q8_0: 16 accumulators. */
  private static void q8Dots4x4(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
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
      for (int b = 0; b < columns / 32; b++) {
        long block = 34L * b;
        long bytes = block + 2 + part * BYTE_STEP;
        long k = x + 512L * b + part * STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
        FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 2 * ROUND, ORDER);
        FloatVector u2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 6 * ROUND, ORDER);
        FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 3 * ROUND, ORDER);
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
      }
      a00.intoArray(sums, part * LENGTH);
      a01.intoArray(sums, part * LENGTH + SUMS);
      a02.intoArray(sums, part * LENGTH + 2 * SUMS);
      a03.intoArray(sums, part * LENGTH + 3 * SUMS);
      a10.intoArray(sums, part * LENGTH + 4 * SUMS);
      a11.intoArray(sums, part * LENGTH + 5 * SUMS);
      a12.intoArray(sums, part * LENGTH + 6 * SUMS);
      a13.intoArray(sums, part * LENGTH + 7 * SUMS);
      a20.intoArray(sums, part * LENGTH + 8 * SUMS);
      a21.intoArray(sums, part * LENGTH + 9 * SUMS);
      a22.intoArray(sums, part * LENGTH + 10 * SUMS);
      a23.intoArray(sums, part * LENGTH + 11 * SUMS);
      a30.intoArray(sums, part * LENGTH + 12 * SUMS);
      a31.intoArray(sums, part * LENGTH + 13 * SUMS);
      a32.intoArray(sums, part * LENGTH + 14 * SUMS);
      a33.intoArray(sums, part * LENGTH + 15 * SUMS);
    }
  }

  /** Products of 4 rows × 2 tokens of Q4_0: 8 accumulators. */
  private static void q4Dots4x2(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
    for (int part = 0; part < PARTS; part++) {
      FloatVector a00 = FloatVector.zero(FLOATS);
      FloatVector a01 = a00;
      FloatVector a10 = a00;
      FloatVector a11 = a00;
      FloatVector a20 = a00;
      FloatVector a21 = a00;
      FloatVector a30 = a00;
      FloatVector a31 = a00;
      for (int b = 0; b < columns / 32; b++) {
        long block = 18L * b;
        long bytes = block + 2 + part * BYTE_STEP;
        long k = x + 512L * b + part * STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
        FloatVector d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff]);
        FloatVector m = d.mul(-8);
        IntVector q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        FloatVector p =
            ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a00 = p.fma(v0, a00);
        a01 = p.fma(v1, a01);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a00 = p.fma(u0, a00);
        a01 = p.fma(u1, a01);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        p = ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a10 = p.fma(v0, a10);
        a11 = p.fma(v1, a11);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a10 = p.fma(u0, a10);
        a11 = p.fma(u1, a11);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        p = ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a20 = p.fma(v0, a20);
        a21 = p.fma(v1, a21);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a20 = p.fma(u0, a20);
        a21 = p.fma(u1, a21);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        p = ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a30 = p.fma(v0, a30);
        a31 = p.fma(v1, a31);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a30 = p.fma(u0, a30);
        a31 = p.fma(u1, a31);
      }
      a00.intoArray(sums, part * LENGTH);
      a01.intoArray(sums, part * LENGTH + SUMS);
      a10.intoArray(sums, part * LENGTH + 2 * SUMS);
      a11.intoArray(sums, part * LENGTH + 3 * SUMS);
      a20.intoArray(sums, part * LENGTH + 4 * SUMS);
      a21.intoArray(sums, part * LENGTH + 5 * SUMS);
      a30.intoArray(sums, part * LENGTH + 6 * SUMS);
      a31.intoArray(sums, part * LENGTH + 7 * SUMS);
    }
  }

  /** Products of 4 rows × 4 tokens of Q4_0: 16 accumulators. */
  private static void q4Dots4x4(
      long x, long w0, long w1, long w2, long w3, int columns, float[] sums) {
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
      for (int b = 0; b < columns / 32; b++) {
        long block = 18L * b;
        long bytes = block + 2 + part * BYTE_STEP;
        long k = x + 512L * b + part * STEP;
        FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
        FloatVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
        FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
        FloatVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
        FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 2 * ROUND, ORDER);
        FloatVector u2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 6 * ROUND, ORDER);
        FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 3 * ROUND, ORDER);
        FloatVector u3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 7 * ROUND, ORDER);
        FloatVector d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w0 + block) & 0xffff]);
        FloatVector m = d.mul(-8);
        IntVector q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w0 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        FloatVector p =
            ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a00 = p.fma(v0, a00);
        a01 = p.fma(v1, a01);
        a02 = p.fma(v2, a02);
        a03 = p.fma(v3, a03);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a00 = p.fma(u0, a00);
        a01 = p.fma(u1, a01);
        a02 = p.fma(u2, a02);
        a03 = p.fma(u3, a03);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w1 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w1 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        p = ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a10 = p.fma(v0, a10);
        a11 = p.fma(v1, a11);
        a12 = p.fma(v2, a12);
        a13 = p.fma(v3, a13);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a10 = p.fma(u0, a10);
        a11 = p.fma(u1, a11);
        a12 = p.fma(u2, a12);
        a13 = p.fma(u3, a13);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w2 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w2 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        p = ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a20 = p.fma(v0, a20);
        a21 = p.fma(v1, a21);
        a22 = p.fma(v2, a22);
        a23 = p.fma(v3, a23);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a20 = p.fma(u0, a20);
        a21 = p.fma(u1, a21);
        a22 = p.fma(u2, a22);
        a23 = p.fma(u3, a23);
        d =
            FloatVector.broadcast(
                FLOATS,
                HALF_VALUES[ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, w3 + block) & 0xffff]);
        m = d.mul(-8);
        q =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, ALL, w3 + bytes, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
        p = ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0)).fma(d, m);
        a30 = p.fma(v0, a30);
        a31 = p.fma(v1, a31);
        a32 = p.fma(v2, a32);
        a33 = p.fma(v3, a33);
        p =
            ((FloatVector)
                    q.lanewise(VectorOperators.LSHR, 4)
                        .convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(d, m);
        a30 = p.fma(u0, a30);
        a31 = p.fma(u1, a31);
        a32 = p.fma(u2, a32);
        a33 = p.fma(u3, a33);
      }
      a00.intoArray(sums, part * LENGTH);
      a01.intoArray(sums, part * LENGTH + SUMS);
      a02.intoArray(sums, part * LENGTH + 2 * SUMS);
      a03.intoArray(sums, part * LENGTH + 3 * SUMS);
      a10.intoArray(sums, part * LENGTH + 4 * SUMS);
      a11.intoArray(sums, part * LENGTH + 5 * SUMS);
      a12.intoArray(sums, part * LENGTH + 6 * SUMS);
      a13.intoArray(sums, part * LENGTH + 7 * SUMS);
      a20.intoArray(sums, part * LENGTH + 8 * SUMS);
      a21.intoArray(sums, part * LENGTH + 9 * SUMS);
      a22.intoArray(sums, part * LENGTH + 10 * SUMS);
      a23.intoArray(sums, part * LENGTH + 11 * SUMS);
      a30.intoArray(sums, part * LENGTH + 12 * SUMS);
      a31.intoArray(sums, part * LENGTH + 13 * SUMS);
      a32.intoArray(sums, part * LENGTH + 14 * SUMS);
      a33.intoArray(sums, part * LENGTH + 15 * SUMS);
    }
  }

  private static void q4KDots(long x, long w0, long w1, int columns, float[] sums) {
    int blocks = columns / 256;
    int scales = 2 * SUMS;
    for (int b = 0; b < blocks; b++) {
      q4KScales(w0 + 144L * b, sums, scales + 32 * b);
      q4KScales(w1 + 144L * b, sums, scales + 32 * b + 16);
    }
    for (int part = 0; part < PARTS; part++) {
      q4KBlocks(x + part * STEP, w0 + part * BYTE_STEP, w1 + part * BYTE_STEP, blocks, part, sums);
    }
  }

  /** Writes a block's first four scales and minima, these negated, then the other four of each. */
  private static void q4KScales(long block, float[] scales, int at) {
    IntVector low =
        (IntVector)
            ByteVector.fromMemorySegment(ByteVector.SPECIES_64, ALL, block + 4, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, IntVector.SPECIES_256, 0);
    IntVector high =
        IntVector.broadcast(IntVector.SPECIES_256, intAt(block + 12))
            .lanewise(VectorOperators.LSHR, NIBBLE_SHIFTS)
            .and(15)
            .or(low.lanewise(VectorOperators.LSHR, 2).and(0x30));
    FloatVector d =
        FloatVector.broadcast(FloatVector.SPECIES_256, halfAt(block))
            .blend(-halfAt(block + 2), MINIMA);
    ((FloatVector) low.and(0x3f).convertShape(VectorOperators.I2F, FloatVector.SPECIES_256, 0))
        .mul(d)
        .intoArray(scales, at);
    ((FloatVector) high.convertShape(VectorOperators.I2F, FloatVector.SPECIES_256, 0))
        .mul(d)
        .intoArray(scales, at + 8);
  }

  /**
   * One part of the products with two rows, whose scales lie behind the sums. A block is 4 times 64
   * weights: the low nibbles of 32 bytes, then the high ones.
   */
  private static void q4KBlocks(long x, long w0, long w1, int blocks, int part, float[] sums) {
    FloatVector a0 = FloatVector.zero(FLOATS);
    FloatVector a1 = a0;
    for (int b = 0; b < blocks; b++) {
      long k = x + 1024L * b;
      long at = 144L * b + 16;
      int s = 2 * SUMS + 32 * b;
      FloatVector v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k, ORDER);
      FloatVector v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + ROUND, ORDER);
      FloatVector v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 2 * ROUND, ORDER);
      FloatVector v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 3 * ROUND, ORDER);
      IntVector p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      IntVector q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 16, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      FloatVector d = FloatVector.broadcast(FLOATS, sums[s]);
      FloatVector m = FloatVector.broadcast(FLOATS, sums[s + 4]);
      a0 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a0);
      a0 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a0);
      d = FloatVector.broadcast(FLOATS, sums[s + 1]);
      m = FloatVector.broadcast(FLOATS, sums[s + 5]);
      a0 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a0);
      a0 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a0);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 16, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 16]);
      m = FloatVector.broadcast(FLOATS, sums[s + 20]);
      a1 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a1);
      a1 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a1);
      d = FloatVector.broadcast(FLOATS, sums[s + 17]);
      m = FloatVector.broadcast(FLOATS, sums[s + 21]);
      a1 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a1);
      a1 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a1);
      v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 4 * ROUND, ORDER);
      v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 5 * ROUND, ORDER);
      v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 6 * ROUND, ORDER);
      v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 7 * ROUND, ORDER);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 32, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 48, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 2]);
      m = FloatVector.broadcast(FLOATS, sums[s + 6]);
      a0 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a0);
      a0 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a0);
      d = FloatVector.broadcast(FLOATS, sums[s + 3]);
      m = FloatVector.broadcast(FLOATS, sums[s + 7]);
      a0 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a0);
      a0 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a0);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 32, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 48, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 18]);
      m = FloatVector.broadcast(FLOATS, sums[s + 22]);
      a1 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a1);
      a1 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a1);
      d = FloatVector.broadcast(FLOATS, sums[s + 19]);
      m = FloatVector.broadcast(FLOATS, sums[s + 23]);
      a1 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a1);
      a1 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a1);
      v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 8 * ROUND, ORDER);
      v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 9 * ROUND, ORDER);
      v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 10 * ROUND, ORDER);
      v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 11 * ROUND, ORDER);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 64, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 80, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 8]);
      m = FloatVector.broadcast(FLOATS, sums[s + 12]);
      a0 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a0);
      a0 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a0);
      d = FloatVector.broadcast(FLOATS, sums[s + 9]);
      m = FloatVector.broadcast(FLOATS, sums[s + 13]);
      a0 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a0);
      a0 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a0);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 64, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 80, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 24]);
      m = FloatVector.broadcast(FLOATS, sums[s + 28]);
      a1 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a1);
      a1 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a1);
      d = FloatVector.broadcast(FLOATS, sums[s + 25]);
      m = FloatVector.broadcast(FLOATS, sums[s + 29]);
      a1 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a1);
      a1 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a1);
      v0 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 12 * ROUND, ORDER);
      v1 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 13 * ROUND, ORDER);
      v2 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 14 * ROUND, ORDER);
      v3 = FloatVector.fromMemorySegment(FLOATS, ALL, k + 15 * ROUND, ORDER);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 96, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w0 + at + 112, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 10]);
      m = FloatVector.broadcast(FLOATS, sums[s + 14]);
      a0 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a0);
      a0 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a0);
      d = FloatVector.broadcast(FLOATS, sums[s + 11]);
      m = FloatVector.broadcast(FLOATS, sums[s + 15]);
      a0 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a0);
      a0 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a0);
      p =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 96, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      q =
          (IntVector)
              ByteVector.fromMemorySegment(BYTES, ALL, w1 + at + 112, ORDER)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0);
      d = FloatVector.broadcast(FLOATS, sums[s + 26]);
      m = FloatVector.broadcast(FLOATS, sums[s + 30]);
      a1 =
          ((FloatVector) p.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v0, a1);
      a1 =
          ((FloatVector) q.and(15).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v1, a1);
      d = FloatVector.broadcast(FLOATS, sums[s + 27]);
      m = FloatVector.broadcast(FLOATS, sums[s + 31]);
      a1 =
          ((FloatVector)
                  p.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v2, a1);
      a1 =
          ((FloatVector)
                  q.lanewise(VectorOperators.LSHR, 4).convertShape(VectorOperators.I2F, FLOATS, 0))
              .fma(d, m)
              .fma(v3, a1);
    }
    a0.intoArray(sums, part * LENGTH);
    a1.intoArray(sums, part * LENGTH + SUMS);
  }

  // ---------------------------------------------------------------------------------------------
  // Norms

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
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(power.sub(half)));
  }

  private static FloatVector powerOfTwo(IntVector n) {
    return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
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

  /** Turns scores into exp(score − most) and adds those to the partial sums. */
  private static void weigh(long scores, int groups, float most, long sums) {
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector sum = load(sums + at);
      for (int g = 0; g < groups; g++) {
        long scoresAt = scores + at + ROUND * g;
        FloatVector p = exp(load(scoresAt).sub(most));
        store(p, scoresAt);
        sum = sum.add(p);
      }
      store(sum, sums + at);
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
