package io.github.eft4j.tensor;

import static io.github.eft4j.tensor.Memory.get;
import static io.github.eft4j.tensor.Memory.set;

/** {@link Kernels} without vectors: for JVMs without the Vector API, and the definition for tests. */
final class ScalarKernels implements Kernels {
  ScalarKernels() {}

  @Override
  public int vectorBits() {
    return 0;
  }

  @Override
  public void dequantize(WeightType type, long weights, int count, long out) {
    Dequantize.toFloats(type, Memory.slice(weights, type.bytes(count)), Memory.slice(out, 4L * count));
  }

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
    for (int r = 0; r < rows; r++) {
      for (int t = 0; t < tokens; t++) {
        set(out + t * outStride + 4L * r, dot(x + t * xStride, w + r * wStride, columns, scratch));
      }
    }
  }

  private static float dot(long x, long w, int n, long sums) {
    for (int lane = 0; lane < SUMS; lane++) {
      float sum = 0;
      for (long i = 4L * lane; i < 4L * n; i += 4 * SUMS) {
        sum = Math.fma(get(x + i), get(w + i), sum);
      }
      set(sums + 4L * lane, sum);
    }
    return Memory.tree(sums);
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
