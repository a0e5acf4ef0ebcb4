package io.github.eft4j.miniature;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.core.Linear;

/** What the networks are made of. */
final class Layers {
  /** Hides what comes later, without the NaN of a row that is all negative infinity. */
  private static final float HIDDEN = -1e9f;

  private static final double ROTARY_BASE = 10_000;

  private Layers() {}

  static NDArray embed(NDArray table, NDArray ids) {
    return Embedding.embedding(ids, table, SparseFormat.DENSE).singletonOrThrow();
  }

  /** {@code x [.., in]} times {@code weight [out, in]}. */
  static NDArray linear(NDArray x, NDArray weight) {
    return Linear.linear(x, weight).singletonOrThrow();
  }

  static NDArray rmsNorm(NDArray x, NDArray weight, float epsilon) {
    NDArray root = x.square().mean(new int[] {-1}, true).add(epsilon).sqrt();
    return x.div(root).mul(weight);
  }

  static NDArray layerNorm(NDArray x, NDArray weight, NDArray bias, float epsilon) {
    return ai.djl.nn.norm.LayerNorm.layerNorm(x, weight.getShape(), weight, bias, epsilon)
        .singletonOrThrow();
  }

  /**
   * Rows as heads.
   *
   * @param x {@code [batch · length, heads · size]}
   * @return {@code [batch, heads, length, size]}
   */
  static NDArray heads(NDArray x, long batch, long heads) {
    long size = x.getShape().get(1) / heads;
    return x.reshape(batch, -1, heads, size).transpose(0, 2, 1, 3);
  }

  /**
   * What position angles are, as Su et al. 2021 (arXiv 2104.09864) have it.
   *
   * @return the cosines and sines {@code [length, size]}, the second half equal to the first
   */
  static NDList angles(NDManager manager, int length, int size) {
    float[] cosines = new float[length * size];
    float[] sines = new float[length * size];
    int half = size / 2;
    for (int position = 0; position < length; position++) {
      for (int i = 0; i < size; i++) {
        double angle = position * Math.pow(ROTARY_BASE, -2.0 * (i % half) / size);
        cosines[position * size + i] = (float) Math.cos(angle);
        sines[position * size + i] = (float) Math.sin(angle);
      }
    }
    Shape shape = new Shape(length, size);
    return new NDList(manager.create(cosines, shape), manager.create(sines, shape));
  }

  /** Rotates heads {@code [batch, heads, length, size]} by their positions. */
  static NDArray rotate(NDArray x, NDList angles) {
    NDList halves = x.split(2, 3);
    NDArray turned = halves.get(1).neg().concat(halves.get(0), 3);
    return x.mul(angles.get(0)).add(turned.mul(angles.get(1)));
  }

  /** What a position adds to the scores of later ones: {@code [length, length]}. */
  static NDArray causalMask(NDManager manager, int length) {
    float[] mask = new float[length * length];
    for (int query = 0; query < length; query++) {
      for (int key = query + 1; key < length; key++) {
        mask[query * length + key] = HIDDEN;
      }
    }
    return manager.create(mask, new Shape(length, length));
  }

  /** What positions to be hidden add to the scores, for truth values of any shape. */
  static NDArray hidden(NDArray which) {
    return which.toType(DataType.FLOAT32, false).mul(HIDDEN);
  }

  /**
   * Attention, each key head shared by as many query heads as there are more of these.
   *
   * @param query {@code [batch, heads, length, size]}
   * @param key {@code [batch, key heads, length, size]}
   * @param value {@code [batch, key heads, length, size]}
   * @param mask is added to the scores {@code [batch, heads, length, length]}, whose shape it has
   *     or is broadcast to
   * @return {@code [batch · length, heads · size]}
   */
  static NDArray attention(NDArray query, NDArray key, NDArray value, NDArray mask) {
    long batch = query.getShape().get(0);
    long heads = query.getShape().get(1);
    long length = query.getShape().get(2);
    long size = query.getShape().get(3);
    long keyHeads = key.getShape().get(1);
    // The query heads of one key head stand one below the other: one product serves them all.
    NDArray rows = query.mul(1 / Math.sqrt((double) size)).reshape(batch, keyHeads, -1, size);
    NDArray scores =
        rows.matMul(key.transpose(0, 1, 3, 2)).reshape(batch, heads, length, length).add(mask);
    return scores
        .softmax(3)
        .reshape(batch, keyHeads, -1, length)
        .matMul(value)
        .reshape(batch, heads, length, size)
        .transpose(0, 2, 1, 3)
        .reshape(batch * length, heads * size);
  }
}
