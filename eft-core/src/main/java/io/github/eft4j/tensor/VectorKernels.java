package io.github.eft4j.tensor;

import static io.github.eft4j.tensor.Memory.ALL;
import static io.github.eft4j.tensor.Memory.get;
import static io.github.eft4j.tensor.Memory.set;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
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
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;

  /** Floats of a register. */
  private static final int LENGTH = BITS / Float.SIZE;

  /** Bytes of a register. */
  private static final long STEP = BITS / Byte.SIZE;

  /** Registers for {@link #SUMS} floats. */
  private static final int PARTS = SUMS / LENGTH;

  /** Bytes from a number of a row to the next one that goes to the same partial sum. */
  private static final long ROUND = SUMS * Float.BYTES;

  /** Whether 24 accumulators fit: AVX-512 and NEON have 32 registers, AVX2 has 16. */
  private static final boolean MANY_REGISTERS = BITS == 512 || !isX86();

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  VectorKernels() {}

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
  // Stored weights to float32

  @Override
  public void dequantize(WeightType type, long weights, int count, long out) {
    switch (type) {
      case F32 -> Memory.copy(weights, out, 4L * count);
      case F16 -> halves(weights, count, out);
      case BF16 -> brainFloats(weights, count, out);
      case Q8_0 -> {
        for (int b = 0; b < count / 32; b++) {
          q8(weights + 34L * b, out + 128L * b);
        }
      }
      case Q4_0 -> {
        for (int b = 0; b < count / 32; b++) {
          q4(weights + 18L * b, out + 128L * b);
        }
      }
      default ->
          Dequantize.toFloats(
              type, Memory.slice(weights, type.bytes(count)), Memory.slice(out, 4L * count));
    }
  }

  private static void brainFloats(long weights, int count, long out) {
    int whole = count - count % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      ShortVector s = ShortVector.fromMemorySegment(HALVES, ALL, weights + 2L * i, ORDER);
      IntVector bits = (IntVector) s.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0);
      store(bits.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats(), out + 4L * i);
    }
    for (int i = whole; i < count; i++) {
      set(out + 4L * i, Float.intBitsToFloat(shortAt(weights + 2L * i) << 16));
    }
  }

  /**
   * Half to single precision: sign and, 13 bits lower, exponent and fraction; 2¹¹² makes up for the
   * exponents' different zero, also for subnormal numbers, exactly. Infinities and NaNs are no
   * weights.
   */
  private static void halves(long weights, int count, long out) {
    int whole = count - count % LENGTH;
    for (int i = 0; i < whole; i += LENGTH) {
      ShortVector s = ShortVector.fromMemorySegment(HALVES, ALL, weights + 2L * i, ORDER);
      IntVector bits = (IntVector) s.convertShape(VectorOperators.S2I, INTS, 0);
      store(single(bits), out + 4L * i);
    }
    for (int i = whole; i < count; i++) {
      set(out + 4L * i, Float.float16ToFloat(shortAt(weights + 2L * i)));
    }
  }

  private static FloatVector single(IntVector signExtended) {
    return signExtended
        .lanewise(VectorOperators.LSHL, 13)
        .and(0x8fff_e000)
        .reinterpretAsFloats()
        .mul(0x1p112f);
  }

  private static short shortAt(long address) {
    return ALL.get(ValueLayout.JAVA_SHORT_UNALIGNED, address);
  }

  /** One block; {@link Dequantize} draws its bytes. */
  private static void q8(long block, long out) {
    float d = Float.float16ToFloat(shortAt(block));
    signed(ByteVector.fromMemorySegment(BYTES, ALL, block + 2, ORDER), d, out);
    signed(ByteVector.fromMemorySegment(BYTES, ALL, block + 18, ORDER), d, out + 64);
  }

  private static void signed(ByteVector q, float d, long out) {
    store(floats(q, 0).mul(d), out);
    if (PARTS > 1) {
      store(floats(q, 1).mul(d), out + STEP);
    }
    if (PARTS > 2) {
      store(floats(q, 2).mul(d), out + 2 * STEP);
      store(floats(q, 3).mul(d), out + 3 * STEP);
    }
  }

  private static FloatVector floats(ByteVector q, int part) {
    return (FloatVector) q.convertShape(VectorOperators.B2F, FLOATS, part);
  }

  /** One block; {@link Dequantize} draws its bytes. */
  private static void q4(long block, long out) {
    float d = Float.float16ToFloat(shortAt(block));
    ByteVector q = ByteVector.fromMemorySegment(BYTES, ALL, block + 2, ORDER);
    nibbles(unsigned(q, 0), d, out);
    if (PARTS > 1) {
      nibbles(unsigned(q, 1), d, out + STEP);
    }
    if (PARTS > 2) {
      nibbles(unsigned(q, 2), d, out + 2 * STEP);
      nibbles(unsigned(q, 3), d, out + 3 * STEP);
    }
  }

  private static void nibbles(IntVector q, float d, long out) {
    store(scaled(q.and(15).sub(8), d), out);
    store(scaled(q.lanewise(VectorOperators.LSHR, 4).sub(8), d), out + 64);
  }

  private static IntVector unsigned(ByteVector q, int part) {
    return (IntVector) q.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, part);
  }

  private static FloatVector scaled(IntVector q, float d) {
    return ((FloatVector) q.convertShape(VectorOperators.I2F, FLOATS, 0)).mul(d);
  }

  // ---------------------------------------------------------------------------------------------
  // Products

  @Override
  public void products(
      long x,
      long xStride,
      int tokens,
      long w,
      long wStride,
      int rows,
      int columns,
      long out,
      long outStride,
      long scratch) {
    int tall = MANY_REGISTERS ? 4 : 3;
    int wide = MANY_REGISTERS ? 6 : 4;
    int wholeTokens = tokens - tokens % tall;
    int wholeRows = rows - rows % wide;
    for (int t = 0; t < wholeTokens; t += tall) {
      for (int r = 0; r < wholeRows; r += wide) {
        if (MANY_REGISTERS) {
          tile4x6(x + t * xStride, xStride, w + r * wStride, wStride, columns, scratch);
        } else {
          tile3x4(x + t * xStride, xStride, w + r * wStride, wStride, columns, scratch);
        }
        trees(scratch, tall, wide, out + t * outStride + 4L * r, outStride);
      }
      if (wholeRows < rows) {
        single(
            x + t * xStride,
            xStride,
            tall,
            w + wholeRows * wStride,
            wStride,
            rows - wholeRows,
            columns,
            out + t * outStride + 4L * wholeRows,
            outStride,
            scratch);
      }
    }
    if (wholeTokens < tokens) {
      single(
          x + wholeTokens * xStride,
          xStride,
          tokens - wholeTokens,
          w,
          wStride,
          rows,
          columns,
          out + wholeTokens * outStride,
          outStride,
          scratch);
    }
  }

  /** Products where there are too few tokens or rows for a tile. */
  private static void single(
      long x,
      long xStride,
      int tokens,
      long w,
      long wStride,
      int rows,
      int columns,
      long out,
      long outStride,
      long scratch) {
    for (int t = 0; t < tokens; t++) {
      int r = 0;
      for (; r <= rows - 4; r += 4) {
        dot4(x + t * xStride, w + r * wStride, wStride, columns, scratch);
        trees(scratch, 1, 4, out + t * outStride + 4L * r, outStride);
      }
      for (; r < rows; r++) {
        dot(x + t * xStride, w + r * wStride, columns, scratch);
        trees(scratch, 1, 1, out + t * outStride + 4L * r, outStride);
      }
    }
  }

  private static void trees(long sums, int tokens, int rows, long out, long outStride) {
    for (int t = 0; t < tokens; t++) {
      for (int r = 0; r < rows; r++) {
        set(out + t * outStride + 4L * r, Memory.tree(sums + ROUND * (t * rows + r)));
      }
    }
  }

  private static void dot(long x, long w, int columns, long sums) {
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a = FloatVector.zero(FLOATS);
      for (int i = 0; i < columns; i += SUMS) {
        a = load(x + at + 4L * i).fma(load(w + at + 4L * i), a);
      }
      store(a, sums + at);
    }
  }

  private static void dot4(long x, long w, long wStride, int columns, long sums) {
    long w1 = w + wStride;
    long w2 = w1 + wStride;
    long w3 = w2 + wStride;
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a0 = FloatVector.zero(FLOATS);
      FloatVector a1 = a0;
      FloatVector a2 = a0;
      FloatVector a3 = a0;
      for (int i = 0; i < columns; i += SUMS) {
        long k = at + 4L * i;
        FloatVector v = load(x + k);
        a0 = v.fma(load(w + k), a0);
        a1 = v.fma(load(w1 + k), a1);
        a2 = v.fma(load(w2 + k), a2);
        a3 = v.fma(load(w3 + k), a3);
      }
      store(a0, sums + at);
      store(a1, sums + at + ROUND);
      store(a2, sums + at + 2 * ROUND);
      store(a3, sums + at + 3 * ROUND);
    }
  }

  /** 3 tokens × 4 rows: 12 accumulators, 3 and 1 operands. */
  private static void tile3x4(long x, long xStride, long w, long wStride, int columns, long sums) {
    long x1 = x + xStride;
    long x2 = x1 + xStride;
    long w1 = w + wStride;
    long w2 = w1 + wStride;
    long w3 = w2 + wStride;
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
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
      for (int i = 0; i < columns; i += SUMS) {
        long k = at + 4L * i;
        FloatVector v0 = load(x + k);
        FloatVector v1 = load(x1 + k);
        FloatVector v2 = load(x2 + k);
        FloatVector q = load(w + k);
        a00 = v0.fma(q, a00);
        a10 = v1.fma(q, a10);
        a20 = v2.fma(q, a20);
        q = load(w1 + k);
        a01 = v0.fma(q, a01);
        a11 = v1.fma(q, a11);
        a21 = v2.fma(q, a21);
        q = load(w2 + k);
        a02 = v0.fma(q, a02);
        a12 = v1.fma(q, a12);
        a22 = v2.fma(q, a22);
        q = load(w3 + k);
        a03 = v0.fma(q, a03);
        a13 = v1.fma(q, a13);
        a23 = v2.fma(q, a23);
      }
      store4(a00, a01, a02, a03, sums + at);
      store4(a10, a11, a12, a13, sums + at + 4 * ROUND);
      store4(a20, a21, a22, a23, sums + at + 8 * ROUND);
    }
  }

  private static void store4(
      FloatVector a, FloatVector b, FloatVector c, FloatVector d, long sums) {
    store(a, sums);
    store(b, sums + ROUND);
    store(c, sums + 2 * ROUND);
    store(d, sums + 3 * ROUND);
  }

  /** 4 tokens × 6 rows: 24 accumulators, 4 and 1 operands. */
  private static void tile4x6(long x, long xStride, long w, long wStride, int columns, long sums) {
    long x1 = x + xStride;
    long x2 = x1 + xStride;
    long x3 = x2 + xStride;
    long w1 = w + wStride;
    long w2 = w1 + wStride;
    long w3 = w2 + wStride;
    long w4 = w3 + wStride;
    long w5 = w4 + wStride;
    for (int part = 0; part < PARTS; part++) {
      long at = part * STEP;
      FloatVector a00 = FloatVector.zero(FLOATS);
      FloatVector a01 = a00;
      FloatVector a02 = a00;
      FloatVector a03 = a00;
      FloatVector a04 = a00;
      FloatVector a05 = a00;
      FloatVector a10 = a00;
      FloatVector a11 = a00;
      FloatVector a12 = a00;
      FloatVector a13 = a00;
      FloatVector a14 = a00;
      FloatVector a15 = a00;
      FloatVector a20 = a00;
      FloatVector a21 = a00;
      FloatVector a22 = a00;
      FloatVector a23 = a00;
      FloatVector a24 = a00;
      FloatVector a25 = a00;
      FloatVector a30 = a00;
      FloatVector a31 = a00;
      FloatVector a32 = a00;
      FloatVector a33 = a00;
      FloatVector a34 = a00;
      FloatVector a35 = a00;
      for (int i = 0; i < columns; i += SUMS) {
        long k = at + 4L * i;
        FloatVector v0 = load(x + k);
        FloatVector v1 = load(x1 + k);
        FloatVector v2 = load(x2 + k);
        FloatVector v3 = load(x3 + k);
        FloatVector q = load(w + k);
        a00 = v0.fma(q, a00);
        a10 = v1.fma(q, a10);
        a20 = v2.fma(q, a20);
        a30 = v3.fma(q, a30);
        q = load(w1 + k);
        a01 = v0.fma(q, a01);
        a11 = v1.fma(q, a11);
        a21 = v2.fma(q, a21);
        a31 = v3.fma(q, a31);
        q = load(w2 + k);
        a02 = v0.fma(q, a02);
        a12 = v1.fma(q, a12);
        a22 = v2.fma(q, a22);
        a32 = v3.fma(q, a32);
        q = load(w3 + k);
        a03 = v0.fma(q, a03);
        a13 = v1.fma(q, a13);
        a23 = v2.fma(q, a23);
        a33 = v3.fma(q, a33);
        q = load(w4 + k);
        a04 = v0.fma(q, a04);
        a14 = v1.fma(q, a14);
        a24 = v2.fma(q, a24);
        a34 = v3.fma(q, a34);
        q = load(w5 + k);
        a05 = v0.fma(q, a05);
        a15 = v1.fma(q, a15);
        a25 = v2.fma(q, a25);
        a35 = v3.fma(q, a35);
      }
      store6(a00, a01, a02, a03, a04, a05, sums + at);
      store6(a10, a11, a12, a13, a14, a15, sums + at + 6 * ROUND);
      store6(a20, a21, a22, a23, a24, a25, sums + at + 12 * ROUND);
      store6(a30, a31, a32, a33, a34, a35, sums + at + 18 * ROUND);
    }
  }

  private static void store6(
      FloatVector a,
      FloatVector b,
      FloatVector c,
      FloatVector d,
      FloatVector e,
      FloatVector f,
      long sums) {
    store4(a, b, c, d, sums);
    store(e, sums + 4 * ROUND);
    store(f, sums + 5 * ROUND);
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
