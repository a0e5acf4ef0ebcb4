package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Holds the vector kernels of every width against the scalar ones, bit for bit. */
class KernelsTest {
  private static final Kernels SCALAR = KernelProvider.of(0);
  private static final List<Kernels> VECTOR = new ArrayList<>();

  static {
    for (int bits : KernelProvider.supported()) {
      if (bits > 0) {
        VECTOR.add(KernelProvider.of(bits));
      }
    }
  }

  /** The memory last made. Kernels get addresses, which do not keep it from being freed. */
  private static final Deque<MemorySegment> KEPT = new ArrayDeque<>();

  private static final Floats MEMORY = Floats.of(Kernels.packedMemory());

  /** A floats array in native memory. */
  private record Floats(MemorySegment memory) {
    static Floats of(int n) {
      return new Floats(kept(Arena.ofAuto().allocate(4L * n + 64, 64)));
    }

    static Floats random(int n, SplittableRandom random) {
      Floats floats = of(n);
      for (int i = 0; i < n; i++) {
        floats.memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, number(random));
      }
      return floats;
    }

    long address() {
      return memory.address();
    }

    Floats copy() {
      return new Floats(kept(Arena.ofAuto().allocate(memory.byteSize(), 64).copyFrom(memory)));
    }

    /** All bits, but one NaN for all NaNs. */
    int[] bits() {
      float[] numbers = memory.toArray(ValueLayout.JAVA_FLOAT);
      int[] bits = new int[numbers.length];
      for (int i = 0; i < bits.length; i++) {
        bits[i] = Float.floatToIntBits(numbers[i]);
      }
      return bits;
    }
  }

  private static MemorySegment kept(MemorySegment memory) {
    KEPT.addLast(memory);
    if (KEPT.size() > 100) {
      KEPT.removeFirst();
    }
    return memory;
  }

  private static float number(SplittableRandom random) {
    return switch (random.nextInt(40)) {
      case 0 -> 0f;
      case 1 -> -0f;
      case 2 -> 1e-41f;
      case 3 -> -1e-38f;
      case 4 -> (float) (random.nextGaussian() * 1e18);
      case 5 -> (float) (random.nextGaussian() * 1e-20);
      case 6 -> (float) (random.nextGaussian() * 100);
      default -> (float) random.nextGaussian();
    };
  }

  private interface Operation {
    /** Runs on kernels and returns all that they wrote. */
    List<Floats> run(Kernels kernels, long scratch);
  }

  private static List<Floats> assertSameBits(Operation operation) {
    Floats scratch = Floats.of(Kernels.SCRATCH_BYTES / 4);
    List<Floats> expected = operation.run(SCALAR, scratch.address());
    for (Kernels kernels : VECTOR) {
      List<Floats> actual = operation.run(kernels, scratch.address());
      for (int i = 0; i < expected.size(); i++) {
        assertThat(actual.get(i).bits())
            .as("%d bits", kernels.vectorBits())
            .isEqualTo(expected.get(i).bits());
      }
    }
    return expected;
  }

  @Property(tries = 300)
  void dequantize(
      @ForAll WeightType type,
      @ForAll @IntRange(min = 1, max = 70) int blocks,
      @ForAll @IntRange(min = 1, max = 3) int rows,
      @ForAll @IntRange(min = 0, max = 2) int spacing,
      @ForAll long seed) {
    int n = blocks * type.blockSize();
    int together = rows + spacing;
    SplittableRandom random = new SplittableRandom(seed);
    StoredTensor weights = Weights.random(type, rows, n, true, random);
    float[] expected = new float[n];
    float[] actual = new float[n];
    List<Floats> outs =
        assertSameBits(
            (kernels, scratch) -> {
              Floats out = Floats.of(together * (n + Kernels.SUMS));
              kernels.dequantize(
                  type,
                  weights.data().address(),
                  type.bytes(n),
                  rows,
                  n,
                  out.address(),
                  64,
                  64L * together);
              return List.of(out);
            });
    for (int r = 0; r < rows; r++) {
      Dequantize.row(weights, r, expected);
      for (int i = 0; i < n; i++) {
        int at = (i / Kernels.SUMS * together + r) * Kernels.SUMS + i % Kernels.SUMS;
        actual[i] = Memory.get(outs.get(0).address() + 4L * at);
      }
      assertThat(actual).isEqualTo(expected);
    }
  }

  @Property(tries = 300)
  void dots(
      @ForAll WeightType type,
      @ForAll @IntRange(min = 1, max = 9) int tokens,
      @ForAll @IntRange(min = 1, max = 150) int rows,
      @ForAll @IntRange(min = 1, max = 5) int blocks,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int columns = blocks * Math.max(Kernels.SUMS, type.blockSize());
    Floats x = Floats.random(tokens * columns, random);
    MemorySegment weights = kept(Weights.random(type, rows, columns, true, random).data());
    Floats floats = Floats.of(rows * columns);
    Dequantize.toFloats(type, weights, floats.memory().asSlice(0, 4L * rows * columns));
    float[] memory = new float[Kernels.dotsMemory()];
    Floats expected = Floats.of(tokens * rows);
    for (int t = 0; t < tokens; t++) {
      SCALAR.dots(
          WeightType.F32,
          x.address() + 4L * t * columns,
          1,
          floats.address(),
          rows,
          columns,
          expected.address() + 4L * t * rows,
          0,
          memory);
    }
    for (Kernels kernels : VECTOR) {
      if (kernels.dotsRead(type, tokens)) {
        Floats out = Floats.of(tokens * rows);
        kernels.dots(
            type,
            x.address(),
            tokens,
            weights.address(),
            rows,
            columns,
            out.address(),
            4L * rows,
            memory);
        assertThat(out.bits()).as("%d bits", kernels.vectorBits()).isEqualTo(expected.bits());
      }
    }
  }

  @Property(tries = 300)
  void packedDots(
      @ForAll("packedTypes") WeightType type,
      @ForAll @IntRange(min = 1, max = 60) int tokens,
      @ForAll @IntRange(min = 1, max = 300) int rows,
      @ForAll @IntRange(min = 1, max = 5) int blocks,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int columns = blocks * type.blockSize();
    int blockInts = Packed.activationInts(type);
    Floats x = Floats.random(tokens * columns, random);
    MemorySegment weights = kept(Weights.random(type, rows, columns, true, random).data());
    Floats packed = Floats.of((int) (Packed.bytes(type, rows, columns) / 4));
    for (int row = 0; row < rows; row += Packed.ROWS) {
      int count = Math.min(Packed.ROWS, rows - row);
      long rowBytes = type.bytes(columns);
      Packed.pack(
          type,
          weights.asSlice(row * rowBytes, count * rowBytes),
          count,
          columns,
          packed.address() + row / Packed.ROWS * Packed.groupBytes(type, columns));
    }
    assertSameBits(
        (kernels, scratch) -> {
          Floats out = Floats.of(tokens * rows);
          int tokenInts = columns / Packed.COLUMNS * blockInts;
          int[] rounded = new int[tokenInts * (tokens + Kernels.SUMS)];
          int together;
          for (int t = 0; t < tokens; t += together) {
            together = kernels.packedTokens(type, t, tokens);
            for (int i = 0; i < Math.min(together, tokens - t); i++) {
              kernels.quantize(
                  type,
                  x.address() + 4L * (t + i) * columns,
                  columns,
                  rounded,
                  t * tokenInts + i * kernels.tokenInts(type, together),
                  together);
            }
          }
          int t = 0;
          while (t < tokens) {
            t +=
                kernels.packedDots(
                    type,
                    rounded,
                    t,
                    tokens,
                    packed.address(),
                    rows,
                    columns,
                    out.address(),
                    4L * rows,
                    MEMORY.address());
          }
          return List.of(out);
        });
  }

  @Provide
  Arbitrary<WeightType> packedTypes() {
    return Arbitraries.of(WeightType.class).filter(Packed::packs);
  }

  /** The greatest sums that 16 bits must hold, of either sign. */
  @Test
  void nibbleDotsOfExtremesAreExact() {
    for (int q = 0; q <= 15; q++) {
      for (float sign : new float[] {1, -1}) {
        float[] values = new float[Packed.COLUMNS];
        Arrays.fill(values, sign * Packed.LARGEST);
        byte[] block = new byte[WeightType.Q4_0.blockBytes()];
        Arrays.fill(block, (byte) (q * 17));
        block[0] = 0;
        block[1] = 0x3c; // 1 in half precision
        for (Kernels kernels : VECTOR) {
          assertThat(product(WeightType.Q4_0, kernels, block, values))
              .isEqualTo((q - 8) * sign * Packed.LARGEST * Packed.COLUMNS);
        }
        assertThat(product(WeightType.Q4_0, SCALAR, block, values))
            .isEqualTo((q - 8) * sign * Packed.LARGEST * Packed.COLUMNS);
      }
    }
  }

  /** The same of fives, whose integers are from -16 to 15. */
  @Test
  void fiveDotsOfExtremesAreExact() {
    for (int q = 0; q <= 31; q++) {
      for (float sign : new float[] {1, -1}) {
        float[] values = new float[Packed.COLUMNS];
        Arrays.fill(values, sign * Packed.LARGEST);
        byte[] block = new byte[WeightType.Q5_0.blockBytes()];
        Arrays.fill(block, 2, 6, (byte) -(q >> 4));
        Arrays.fill(block, 6, 22, (byte) ((q & 15) * 17));
        block[1] = 0x3c; // 1 in half precision
        float expected = (q - 16) * sign * Packed.LARGEST * Packed.COLUMNS;
        for (Kernels kernels : VECTOR) {
          assertThat(product(WeightType.Q5_0, kernels, block, values)).isEqualTo(expected);
        }
        assertThat(product(WeightType.Q5_0, SCALAR, block, values)).isEqualTo(expected);
      }
    }
  }

  /** The same of Q6_K, whose integers are from -32 to 31. */
  @Test
  void sixDotsOfExtremesAreExact() {
    for (int nibble = 0; nibble <= 15; nibble += 5) {
      for (int pair = 0; pair <= 3; pair++) {
        for (float sign : new float[] {1, -1}) {
          float[] values = new float[256];
          Arrays.fill(values, sign * Packed.LARGEST);
          byte[] block = new byte[WeightType.Q6_K.blockBytes()];
          Arrays.fill(block, 0, 128, (byte) (nibble * 17));
          Arrays.fill(block, 128, 192, (byte) (pair * 85));
          Arrays.fill(block, 192, 208, (byte) -128);
          block[209] = 0x3c; // 1 in half precision
          float expected = (nibble + 16 * pair - 32) * -128 * sign * Packed.LARGEST * 256;
          for (Kernels kernels : VECTOR) {
            assertThat(product(WeightType.Q6_K, kernels, block, values)).isEqualTo(expected);
          }
          assertThat(product(WeightType.Q6_K, SCALAR, block, values)).isEqualTo(expected);
        }
      }
    }
  }

  /** The greatest sums that 24 bits must hold, in either sign. */
  @Test
  void octetDotsOfExtremesAreExact() {
    for (int q : new int[] {-128, -127, 127}) {
      for (float sign : new float[] {1, -1}) {
        float[] values = new float[Packed.COLUMNS];
        Arrays.fill(values, sign * Packed.FINE_LARGEST);
        byte[] block = new byte[WeightType.Q8_0.blockBytes()];
        Arrays.fill(block, (byte) q);
        block[0] = 0;
        block[1] = 0x3c; // 1 in half precision
        float expected = q * sign * Packed.FINE_LARGEST * Packed.COLUMNS;
        for (Kernels kernels : VECTOR) {
          assertThat(product(WeightType.Q8_0, kernels, block, values)).isEqualTo(expected);
        }
        assertThat(product(WeightType.Q8_0, SCALAR, block, values)).isEqualTo(expected);
      }
    }
  }

  private static float product(WeightType type, Kernels kernels, byte[] block, float[] values) {
    int columns = values.length;
    Floats x = Floats.of(columns);
    x.memory().copyFrom(MemorySegment.ofArray(values));
    Floats packed = Floats.of((int) (Packed.groupBytes(type, columns) / 4));
    Packed.pack(type, MemorySegment.ofArray(block), 1, columns, packed.address());
    int blockInts = Packed.activationInts(type);
    int[] rounded = new int[columns / Packed.COLUMNS * blockInts];
    kernels.quantize(type, x.address(), columns, rounded, 0, 1);
    Floats out = Floats.of(1);
    kernels.packedDots(
        type, rounded, 0, 1, packed.address(), 1, columns, out.address(), 0, MEMORY.address());
    return Memory.get(out.address());
  }

  @Property(tries = 200)
  void norms(@ForAll @IntRange(min = 1, max = 100) int n, @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Floats x = Floats.random(n, random);
    Floats weight = Floats.random(n, random);
    Floats bias = Floats.random(n, random);
    assertSameBits(
        (kernels, scratch) -> {
          Floats rms = Floats.of(n);
          Floats layer = x.copy();
          kernels.rmsNorm(x.address(), weight.address(), n, 1e-5f, rms.address(), scratch);
          kernels.layerNorm(
              layer.address(),
              weight.address(),
              bias.address(),
              n,
              1e-5f,
              layer.address(),
              scratch);
          return List.of(rms, layer);
        });
  }

  @Property(tries = 200)
  void numberByNumber(@ForAll @IntRange(min = 1, max = 100) int n, @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Floats a = Floats.random(n, random);
    Floats b = Floats.random(n, random);
    assertSameBits(
        (kernels, scratch) -> {
          Floats gate = Floats.of(n);
          Floats gelu = Floats.of(n);
          Floats sum = Floats.of(n);
          kernels.siluGate(a.address(), b.address(), n, gate.address());
          kernels.gelu(a.address(), n, gelu.address());
          kernels.add(a.address(), b.address(), n, sum.address());
          return List.of(gate, gelu, sum);
        });
  }

  @Property(tries = 100)
  void rotations(@ForAll @IntRange(min = 1, max = 70) int n, @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    Floats x = Floats.random(2 * n, random);
    Floats cos = Floats.random(n, random);
    Floats sin = Floats.random(n, random);
    assertSameBits(
        (kernels, scratch) -> {
          Floats halves = x.copy();
          Floats pairs = x.copy();
          kernels.rotateHalves(halves.address(), cos.address(), sin.address(), n);
          kernels.rotatePairs(pairs.address(), cos.address(), sin.address(), n);
          for (int i = 0; i < n; i++) {
            Floats pair = Floats.of(2);
            Memory.set(pair.address(), Memory.get(x.address() + 8L * i));
            Memory.set(pair.address() + 4, Memory.get(x.address() + 8L * i + 4));
            kernels.rotateHalves(pair.address(), cos.address() + 4L * i, sin.address() + 4L * i, 1);
            assertThat(Memory.get(pairs.address() + 8L * i)).isEqualTo(Memory.get(pair.address()));
            assertThat(Memory.get(pairs.address() + 8L * i + 4))
                .isEqualTo(Memory.get(pair.address() + 4));
          }
          return List.of(halves, pairs);
        });
  }

  @Property(tries = 200)
  void attention(
      @ForAll @IntRange(min = 1, max = 200) int length,
      @ForAll @IntRange(min = 1, max = 140) int headSize,
      @ForAll boolean biased,
      @ForAll long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int stride = (headSize + Kernels.LANES - 1) / Kernels.LANES * Kernels.LANES;
    int pages = (length + Kernels.PAGE - 1) / Kernels.PAGE;
    Floats query = Floats.random(headSize, random);
    Floats keys = Floats.random(pages * Kernels.PAGE * headSize, random);
    Floats values = Floats.random(pages * Kernels.PAGE * stride, random);
    Floats biases = Floats.random(pages * Kernels.PAGE, random);
    float scale = (float) random.nextDouble();
    assertSameBits(
        (kernels, scratch) -> {
          Floats sums = Floats.of(Kernels.SUMS);
          Floats out = Floats.of(stride);
          float greatest = Float.NEGATIVE_INFINITY;
          for (int p = 0; p < pages; p++) {
            greatest =
                kernels.attend(
                    query.address(),
                    keys.address() + 4L * p * Kernels.PAGE * headSize,
                    values.address() + 4L * p * Kernels.PAGE * stride,
                    Math.min(Kernels.PAGE, length - p * Kernels.PAGE),
                    headSize,
                    stride,
                    biased ? biases.address() + 4L * p * Kernels.PAGE : 0,
                    scale,
                    greatest,
                    sums.address(),
                    out.address(),
                    scratch);
          }
          kernels.finishAttention(sums.address(), stride, out.address());
          return List.of(out);
        });
  }

  @Property(tries = 5000)
  void exponential(@ForAll float x) {
    Assume.that(!Float.isNaN(x));
    double expected = Math.exp(x);
    // Two units in the last place of a normal result; a subnormal one to its own precision.
    double tolerance = Math.max(expected * 0x1p-22, Float.MIN_VALUE);
    if (expected > Float.MAX_VALUE) {
      assertThat(FloatMath.exp(x)).isInfinite();
    } else {
      assertThat(Math.abs(FloatMath.exp(x) - expected)).isLessThanOrEqualTo(tolerance);
    }
  }

  @Property(tries = 5000)
  void errorFunction(@ForAll @FloatRange(min = -6, max = 6) float z) {
    // What a float32 evaluation of an odd function below 1 can be expected to reach.
    assertThat((double) FloatMath.erf(z)).isCloseTo(erf(z), within(1e-7));
    assertThat(FloatMath.erf(-z)).isEqualTo(-FloatMath.erf(z));
  }

  /** The Taylor series 2/√π Σ (−1)ⁿ z²ⁿ⁺¹ / (n! (2n + 1)); its terms stay below e³⁶ here. */
  private static double erf(double z) {
    if (Math.abs(z) > 4.5) {
      return Math.signum(z); // within 2e-10
    }
    double term = z;
    double sum = z;
    for (int n = 1; n < 120; n++) {
      term *= -z * z / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  @Property(tries = 50)
  void subnormalAndLargestHalves(@ForAll short half) {
    Assume.that((half & 0x7c00) != 0x7c00); // infinities and NaNs are no weights
    MemorySegment weights = Arena.ofAuto().allocate(64);
    for (int i = 0; i < 32; i++) {
      weights.setAtIndex(ValueLayout.JAVA_SHORT, i, half);
    }
    for (Kernels kernels : VECTOR) {
      Floats out = Floats.of(32);
      kernels.dequantize(WeightType.F16, weights.address(), 32, out.address(), 64);
      assertThat(out.memory.getAtIndex(ValueLayout.JAVA_FLOAT, 5))
          .isEqualTo(Float.float16ToFloat(half));
    }
  }
}
