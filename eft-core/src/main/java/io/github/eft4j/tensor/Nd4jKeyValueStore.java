package io.github.eft4j.tensor;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Keys and values as ND4J arrays, two for each layer. */
final class Nd4jKeyValueStore implements KeyValueStore {
  private static final int SMALLEST_CAPACITY = 32;

  private final HeadVectors[] keys;
  private final HeadVectors[] values;
  private boolean closed;

  Nd4jKeyValueStore(int layers, int heads, int headSize) {
    this(new HeadVectors[layers], new HeadVectors[layers]);
    for (int i = 0; i < layers; i++) {
      keys[i] = new HeadVectors(heads, SMALLEST_CAPACITY, headSize);
      values[i] = new HeadVectors(heads, SMALLEST_CAPACITY, headSize);
    }
  }

  private Nd4jKeyValueStore(HeadVectors[] keys, HeadVectors[] values) {
    this.keys = keys;
    this.values = values;
  }

  HeadVectors keys(int layer) {
    return open(keys)[layer];
  }

  HeadVectors values(int layer) {
    return open(values)[layer];
  }

  private HeadVectors[] open(HeadVectors[] vectors) {
    if (closed) {
      throw new IllegalStateException("the key/value cache was closed");
    }
    return vectors;
  }

  @Override
  public KeyValueStore copy(int positions) {
    return new Nd4jKeyValueStore(copy(open(keys), positions), copy(open(values), positions));
  }

  private static HeadVectors[] copy(HeadVectors[] vectors, int positions) {
    HeadVectors[] copies = new HeadVectors[vectors.length];
    for (int i = 0; i < vectors.length; i++) {
      copies[i] = vectors[i].copy(positions);
    }
    return copies;
  }

  @Override
  public long bytes() {
    if (closed) {
      return 0;
    }
    long bytes = 0;
    for (int i = 0; i < keys.length; i++) {
      bytes += keys[i].bytes() + values[i].bytes();
    }
    return bytes;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      for (int i = 0; i < keys.length; i++) {
        keys[i].array.close();
        values[i].array.close();
      }
    }
  }

  /** The keys or the values of one layer: a vector for each head and position. */
  static final class HeadVectors {
    /** {@code [heads, capacity, headSize]}. */
    private INDArray array;

    private HeadVectors(int heads, int capacity, int headSize) {
      this(Nd4j.createUninitializedDetached(DataType.FLOAT, 'c', heads, capacity, headSize));
    }

    private HeadVectors(INDArray array) {
      this.array = array;
    }

    int heads() {
      return (int) array.size(0);
    }

    int headSize() {
      return (int) array.size(2);
    }

    private int capacity() {
      return (int) array.size(1);
    }

    private long bytes() {
      return Float.BYTES * array.length();
    }

    /** The vectors of the first positions, {@code [heads, positions, headSize]}. */
    INDArray first(int positions) {
      return range(0, positions);
    }

    /** Writes {@code [rows, heads · headSize]} behind the first {@code past} positions. */
    void append(INDArray vectors, int past) {
      int rows = (int) vectors.size(0);
      if (past + rows > capacity()) {
        INDArray smaller = array;
        array = copy(past, Math.max(past + rows, 2 * capacity()));
        smaller.close();
      }
      long[] shape = {heads(), rows, headSize()};
      long[] stride = {headSize(), vectors.size(1), 1};
      range(past, rows).assign(NativeArrays.view(vectors, 0, shape, stride));
    }

    private HeadVectors copy(int positions) {
      return new HeadVectors(copy(positions, Math.max(positions, SMALLEST_CAPACITY)));
    }

    private INDArray copy(int positions, int capacity) {
      HeadVectors copy = new HeadVectors(heads(), capacity, headSize());
      if (positions > 0) {
        copy.first(positions).assign(first(positions));
      }
      return copy.array;
    }

    private INDArray range(int from, int count) {
      long headStride = (long) capacity() * headSize();
      return NativeArrays.view(
          array,
          (long) from * headSize(),
          new long[] {heads(), count, headSize()},
          new long[] {headStride, headSize(), 1});
    }
  }
}
