package io.github.eft4j.tensor;

import static io.github.eft4j.tensor.Memory.get;
import static io.github.eft4j.tensor.Memory.set;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link Kernels} without vectors: for JVMs without the Vector API, and the definition for tests.
 */
final class ScalarKernels implements Kernels {
  ScalarKernels() {}

  @Override
  public int vectorBits() {
    return 0;
  }

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
    for (int r = 0; r < rows; r++) {
      dequantizeRow(type, weights + r * rowBytes, count, out + r * rowStride, stride);
    }
  }

  private static void dequantizeRow(
      WeightType type, long weights, int count, long out, long stride) {
    int unit = Math.max(SUMS, type.blockSize());
    for (int i = 0; i < count; i += unit) {
      int n = Math.min(unit, count - i);
      MemorySegment stored = Memory.slice(weights + type.bytes(i), type.bytes(n));
      long to = out + i / SUMS * stride;
      if (stride == 4 * SUMS) {
        Dequantize.toFloats(type, stored, Memory.slice(to, 4L * n));
      } else {
        float[] block = new float[n];
        Dequantize.toFloats(type, stored, MemorySegment.ofArray(block));
        for (int j = 0; j < n; j++) {
          set(to + j / SUMS * stride + 4L * (j % SUMS), block[j]);
        }
      }
    }
  }

  @Override
  public int tileTokens() {
    return 4;
  }

  @Override
  public int tileRows() {
    return 4;
  }

  @Override
  public void tile(long x, int tokens, long w, int rounds, float[] sums, int at) {
    for (int t = 0; t < tokens; t++) {
      for (int r = 0; r < 4; r++) {
        addProducts(x + 64L * t, 256, w + 64L * r, 256, rounds, sums, at + SUMS * (4 * t + r));
      }
    }
  }

  private static void addProducts(
      long x, long xStride, long w, long wStride, int rounds, float[] sums, int at) {
    for (int lane = 0; lane < SUMS; lane++) {
      float sum = sums[at + lane];
      for (int i = 0; i < rounds; i++) {
        sum = Math.fma(get(x + i * xStride + 4L * lane), get(w + i * wStride + 4L * lane), sum);
      }
      sums[at + lane] = sum;
    }
  }

  @Override
  public void trees(float[] sums, int at, int count, long out) {
    for (int i = 0; i < count; i++) {
      set(out + 4L * i, Memory.tree(sums, at + SUMS * i));
    }
  }

  @Override
  public boolean dotsRead(WeightType type, int tokens) {
    return type == WeightType.F32 && tokens == 1;
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
    if (!dotsRead(type, tokens)) {
      throw new IllegalArgumentException(
          "no dot products of %d tokens with %s".formatted(tokens, type));
    }
    for (int r = 0; r < rows; r++) {
      Arrays.fill(sums, 0, SUMS, 0);
      addProducts(x, 64, w + 4L * columns * r, 64, columns / SUMS, sums, 0);
      set(out + 4L * r, Memory.tree(sums, 0));
    }
  }

  @Override
  public void quantize(WeightType type, long x, int columns, int[] out, int at, int together) {
    int stride = together * Packed.activationInts(type);
    for (int block = 0; block < columns / Packed.COLUMNS; block++) {
      long from = x + 4L * Packed.COLUMNS * block;
      int to = at + block * stride;
      switch (type) {
        case Q8_0 -> quantizeFinely(from, out, to);
        case Q5_0, Q5_K -> {
          quantizeForFives(from, out, to);
          quantizeForFives(from + 4L * Packed.FIVE_COLUMNS, out, to + Packed.FIVE_INTS);
        }
        default -> quantize(from, out, to);
      }
    }
  }

  private static void quantizeFinely(long x, int[] out, int at) {
    float largest = largest(x, Packed.COLUMNS);
    float factor = largest < Packed.FINE_SMALLEST ? 0 : Packed.FINE_LARGEST / largest;
    for (int i = 0; i < Packed.COLUMNS; i++) {
      float q = get(x + 4L * i) * factor + Packed.ROUNDER - Packed.ROUNDER;
      out[at + i] = Float.floatToRawIntBits(q);
    }
    Packed.finishFinely(out, at, largest);
  }

  private static float largest(long x, int columns) {
    float largest = 0;
    for (int i = 0; i < columns; i++) {
      largest = Math.max(largest, Math.abs(get(x + 4L * i)));
    }
    return largest;
  }

  private static void quantize(long x, int[] out, int at) {
    float largest = largest(x, Packed.COLUMNS);
    float factor = largest < Packed.SMALLEST ? 0 : Packed.LARGEST / largest;
    int sum = 0;
    int half = 0;
    int before = 0;
    for (int i = 0; i < Packed.COLUMNS; i++) {
      if (i == Packed.COLUMNS / 2) {
        half = sum;
      }
      int q = rounded(get(x + 4L * i) * factor);
      int y = i % 4 == 0 ? q : q - 16 * before;
      out[at + 1 + i] = (y & 0xffff) | (y << 16);
      sum += q;
      before = q;
    }
    Packed.finish(out, at, largest, half, sum);
  }

  private static void quantizeForFives(long x, int[] out, int at) {
    float largest = largest(x, Packed.FIVE_COLUMNS);
    float factor = largest < Packed.SMALLEST ? 0 : Packed.LARGEST / largest;
    int sum = 0;
    int before = 0;
    for (int i = 0; i < Packed.FIVE_COLUMNS; i++) {
      int q = rounded(get(x + 4L * i) * factor);
      int y = i % Packed.FIVES_TOGETHER == 0 ? q : q - 32 * before;
      out[at + 1 + i] = (y & 0xffff) | (y << 16);
      sum += q;
      before = q;
    }
    Packed.finishFives(out, at, largest, sum);
  }

  private static int rounded(float x) {
    return Float.floatToRawIntBits(x + Packed.ROUNDER) - Float.floatToRawIntBits(Packed.ROUNDER);
  }

  @Override
  public int packedTokens(WeightType type, int first, int tokens) {
    return 1;
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
    long header = Packed.headerBytes(type);
    long blockBytes = Packed.blockBytes(type);
    for (int row = 0; row < rows; row++) {
      long group = w + row / Packed.ROWS * Packed.groupBytes(type, columns);
      for (int t = first; t < tokens; t++) {
        float sum = 0;
        for (int block = 0; block < columns / Packed.COLUMNS; block++) {
          int headers = block / Packed.BLOCKS;
          long head =
              group + headers * (header + Packed.BLOCKS * blockBytes) + 2L * (row % Packed.ROWS);
          long at = head + header + block % Packed.BLOCKS * blockBytes;
          int token = Packed.activationInts(type) * (t * (columns / Packed.COLUMNS) + block);
          if (type == WeightType.Q8_0) {
            float scale = Float.intBitsToFloat(x[token + Packed.COLUMNS]);
            sum =
                Math.fma(
                    octetDot(x, token, at - 2L * (row % Packed.ROWS), row % Packed.ROWS),
                    half(at) * scale,
                    sum);
            continue;
          }
          if (type == WeightType.Q5_0 || type == WeightType.Q5_K) {
            for (int i = 0; i < 2; i++) {
              int half = token + i * Packed.FIVE_INTS;
              int dot = fiveDot(x, half, at + Packed.LINE + i * Packed.FIVE_HALF_BYTES);
              sum = add(type, dot, 16, x, half + Packed.FIVE_SCALE, head, at, sum);
            }
            continue;
          }
          if (type == WeightType.Q6_K) {
            float scale = Float.intBitsToFloat(x[token + Packed.ACTIVATION_SCALE]);
            for (int i = 0; i < 2; i++) {
              float factor = half(head) * (byte) (Memory.getShort(at) >> (8 * i));
              sum = Math.fma(factor * scale, sixDot(x, token, i, at), sum);
            }
            continue;
          }
          int dot = nibbleDot(x, token, at + Packed.LINE);
          sum = add(type, dot, 8, x, token + Packed.ACTIVATION_SCALE, head, at, sum);
        }
        set(out + t * outStride + 4L * row, sum);
      }
    }
    return tokens - first;
  }

  /** Adds a product of integers to a sum, and what minima give, where a type has them. */
  private static float add(
      WeightType type, int dot, float zero, int[] x, int scale, long head, long at, float sum) {
    float activation = Float.intBitsToFloat(x[scale]);
    if (Packed.headerBytes(type) == 0) {
      return Math.fma(half(at) * activation, dot, sum);
    }
    int factors = Memory.getShort(at) & 0xffff;
    float factor = half(head) * (factors & 0xff);
    float minimum = half(head + Packed.LINE) * (factors >>> 8);
    return Math.fma(
        Math.fma(zero, factor, -minimum),
        Float.intBitsToFloat(x[scale + 1]),
        Math.fma(factor * activation, dot, sum));
  }

  private static float half(long address) {
    return Float.float16ToFloat(Memory.getShort(address));
  }

  /** The integer product of a block; what does not fit in 16 bits gets lost and returns. */
  private static short nibbleDot(int[] x, int token, long weights) {
    int sum = x[token];
    for (int i = 0; i < Packed.COLUMNS; i++) {
      int four = Memory.getShort(weights + i / 4 * Packed.LINE) & 0xffff;
      sum += (four >>> (4 * (i % 4))) * x[token + 1 + i];
    }
    return (short) sum;
  }

  /** The integer product of half a block of fives, in the same way. */
  private static short fiveDot(int[] x, int half, long weights) {
    int sum = x[half];
    for (int i = 0; i < Packed.FIVE_COLUMNS; i++) {
      int line = i / Packed.FIVES_TOGETHER;
      int three = Memory.getShort(weights + line * Packed.LINE) & 0xffff;
      sum += (three >>> (5 * (i % Packed.FIVES_TOGETHER))) * x[half + 1 + i];
    }
    return (short) sum;
  }

  /** The product of a block of octets, an integer, in floats because of NaNs. */
  private static float octetDot(int[] x, int token, long block, int row) {
    float sum = 0;
    for (int i = 0; i < Packed.COLUMNS; i++) {
      sum += Memory.getByte(block + Packed.octet(row, i)) * Float.intBitsToFloat(x[token + i]);
    }
    return sum;
  }

  /** The integer product of half a block of Q6_K. */
  private static int sixDot(int[] x, int token, int half, long block) {
    int nibbles = 0;
    int pairs = x[token + Packed.ACTIVATION_SIX_START + half];
    for (int i = 16 * half; i < 16 * half + 16; i++) {
      int quad = i / 4;
      int four = Memory.getShort(block + (1 + quad + quad / 2) * Packed.LINE) & 0xffff;
      int eight = Memory.getShort(block + (3 + 3 * (quad / 2)) * Packed.LINE) & 0xffff;
      int factor = x[token + 1 + i];
      nibbles += (four >>> (4 * (i % 4))) * factor;
      pairs += (((eight >>> (2 * (quad % 2))) & 0x3333) >>> (4 * (i % 4))) * factor;
    }
    return (short) nibbles + 16 * (short) pairs;
  }

  @Override
  public void rmsNorm(long x, long weight, int n, float epsilon, long out, long scratch) {
    float factor = 1 / (float) Math.sqrt(squares(x, 0, n, scratch) / n + epsilon);
    for (long i = 0; i < 4L * n; i += 4) {
      set(out + i, get(x + i) * factor * get(weight + i));
    }
  }

  @Override
  public void layerNorm(
      long x, long weight, long bias, int n, float epsilon, long out, long scratch) {
    float mean = sum(x, n, scratch) / n;
    float factor = 1 / (float) Math.sqrt(squares(x, mean, n, scratch) / n + epsilon);
    for (long i = 0; i < 4L * n; i += 4) {
      set(out + i, Math.fma((get(x + i) - mean) * factor, get(weight + i), get(bias + i)));
    }
  }

  private static float sum(long x, int n, long sums) {
    for (int lane = 0; lane < SUMS; lane++) {
      float sum = 0;
      for (long i = 4L * lane; i < 4L * n; i += 4 * SUMS) {
        sum += get(x + i);
      }
      set(sums + 4L * lane, sum);
    }
    return Memory.tree(sums);
  }

  private static float squares(long x, float mean, int n, long sums) {
    for (int lane = 0; lane < SUMS; lane++) {
      float sum = 0;
      for (long i = 4L * lane; i < 4L * n; i += 4 * SUMS) {
        float d = get(x + i) - mean;
        sum = Math.fma(d, d, sum);
      }
      set(sums + 4L * lane, sum);
    }
    return Memory.tree(sums);
  }

  @Override
  public void siluGate(long gate, long up, int n, long out) {
    for (long i = 0; i < 4L * n; i += 4) {
      set(out + i, FloatMath.siluGate(get(gate + i), get(up + i)));
    }
  }

  @Override
  public void gelu(long x, int n, long out) {
    for (long i = 0; i < 4L * n; i += 4) {
      set(out + i, FloatMath.gelu(get(x + i)));
    }
  }

  @Override
  public void add(long a, long b, int n, long out) {
    for (long i = 0; i < 4L * n; i += 4) {
      set(out + i, get(a + i) + get(b + i));
    }
  }

  @Override
  public void rotateHalves(long x, long cos, long sin, int n) {
    rotate(x, x + 4L * n, 4, cos, sin, n);
  }

  @Override
  public void rotatePairs(long x, long cos, long sin, int n) {
    rotate(x, x + 4, 8, cos, sin, n);
  }

  /** Rotates n pairs, whose halves begin at a and b and follow each other {@code step} bytes. */
  static void rotate(long a, long b, int step, long cos, long sin, int n) {
    for (int i = 0; i < n; i++) {
      float p = get(a + (long) step * i);
      float q = get(b + (long) step * i);
      float c = get(cos + 4L * i);
      float s = get(sin + 4L * i);
      set(a + (long) step * i, Math.fma(p, c, -(q * s)));
      set(b + (long) step * i, Math.fma(q, c, p * s));
    }
  }

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
    float most = greatest;
    for (int i = 0; i < positions; i++) {
      long key = keys + 4L * (i / LANES * LANES * headSize + i % LANES);
      float score = 0;
      for (int d = 0; d < headSize; d++) {
        score = Math.fma(get(query + 4L * d), get(key + 4L * LANES * d), score);
      }
      if (biases != 0) {
        score += get(biases + 4L * i);
      }
      score *= scale;
      set(scratch + 4L * i, score);
      most = Math.max(most, score);
    }
    if (most > greatest) {
      float factor = FloatMath.exp(greatest - most);
      for (int i = 0; i < SUMS; i++) {
        set(sums + 4L * i, get(sums + 4L * i) * factor);
      }
      for (int d = 0; d < stride; d++) {
        set(out + 4L * d, get(out + 4L * d) * factor);
      }
    }
    for (int i = 0; i < positions; i++) {
      float p = FloatMath.exp(get(scratch + 4L * i) - most);
      long sum = sums + 4L * (i % SUMS);
      set(sum, get(sum) + p);
      long value = values + 4L * stride * i;
      for (long d = 0; d < 4L * stride; d += 4) {
        set(out + d, Math.fma(p, get(value + d), get(out + d)));
      }
    }
    return most;
  }

  @Override
  public void finishAttention(long sums, int stride, long out) {
    float sum = Memory.tree(sums);
    for (long d = 0; d < 4L * stride; d += 4) {
      set(out + d, get(out + d) / sum);
    }
  }
}
