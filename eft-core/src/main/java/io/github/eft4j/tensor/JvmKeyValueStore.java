package io.github.eft4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Keys and values of one sequence in pages of {@value Kernels#PAGE} positions, so that growing
 * copies nothing. A page holds, for each layer and head in turn:
 *
 * <pre>
 *  keys    [PAGE / LANES][headSize][LANES]   one position a lane
 *  values  [PAGE][stride]                    stride: headSize rounded up to a multiple of LANES
 * </pre>
 */
final class JvmKeyValueStore implements KeyValueStore {
  private static final int PAGE = Kernels.PAGE;
  private static final int LANES = Kernels.LANES;
  private static final int ALIGNMENT = 64;

  private static final float GREATEST_HALF = 65504;

  private final WeightType type;
  private final int layers;
  private final int heads;
  private final int headSize;
  private final int stride;
  private final Arena arena = Arena.ofShared();
  private long[] pages = new long[4];
  private int pageCount;
  private boolean closed;

  /**
   * Makes an empty store.
   *
   * @param type F32, or F16: then numbers are rounded, those beyond its range to its greatest ones
   */
  JvmKeyValueStore(WeightType type, int layers, int keyValueHeads, int headSize) {
    this.type = type;
    this.layers = layers;
    this.heads = keyValueHeads;
    this.headSize = headSize;
    this.stride = (headSize + LANES - 1) / LANES * LANES;
  }

  WeightType type() {
    return type;
  }

  int headSize() {
    return headSize;
  }

  int heads() {
    return heads;
  }

  /** The floats from one position's values to the next one's. */
  int stride() {
    return stride;
  }

  private long keyBytes() {
    return type.bytes((long) PAGE * headSize);
  }

  private long headBytes() {
    return type.bytes((long) PAGE * (headSize + stride));
  }

  private long pageBytes() {
    return headBytes() * layers * heads;
  }

  /** The address of a page's keys of one head. */
  long keys(int page, int layer, int head) {
    return pages[page] + headBytes() * ((long) layer * heads + head);
  }

  /** The address of a page's values of one head. */
  long values(int page, int layer, int head) {
    return keys(page, layer, head) + keyBytes();
  }

  /**
   * Makes sure that there is memory.
   *
   * @param layer the layer that will be used
   * @param positions the number of positions needed
   */
  void reserve(int layer, int positions) {
    checkOpen();
    if (layer < 0 || layer >= layers) {
      throw new IllegalArgumentException("layer " + layer + " of " + layers);
    }
    while (pageCount * PAGE < positions) {
      if (pageCount == pages.length) {
        pages = Arrays.copyOf(pages, 2 * pageCount);
      }
      pages[pageCount] = arena.allocate(pageBytes(), ALIGNMENT).address();
      pageCount++;
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the key/value store is closed");
    }
  }

  /**
   * Writes one head's keys and values of some positions. Several threads may write several heads.
   *
   * @param layer the layer
   * @param head the head
   * @param first the first position; for all there is memory
   * @param count the number of positions
   * @param keys address of their keys, {@code [count, heads · headSize]} floats
   * @param values address of their values, {@code [count, heads · headSize]} floats
   */
  void put(int layer, int head, int first, int count, long keys, long values) {
    for (int i = 0; i < count; i++) {
      int page = (first + i) / PAGE;
      int inPage = (first + i) % PAGE;
      long from = (long) Float.BYTES * headSize * ((long) i * heads + head);
      int firstKey = inPage / LANES * LANES * headSize + inPage % LANES;
      scatter(keys + from, keys(page, layer, head), firstKey, LANES);
      scatter(values + from, values(page, layer, head), stride * inPage, 1);
    }
  }

  /** Writes a head's numbers to every {@code step}th element from {@code first} on. */
  private void scatter(long from, long to, int first, int step) {
    if (type == WeightType.F32) {
      for (int d = 0; d < headSize; d++) {
        float v = Memory.get(from + (long) Float.BYTES * d);
        Memory.set(to + Float.BYTES * (first + (long) step * d), v);
      }
    } else {
      for (int d = 0; d < headSize; d++) {
        float v = Memory.get(from + (long) Float.BYTES * d);
        v = Math.max(-GREATEST_HALF, Math.min(v, GREATEST_HALF));
        Memory.setShort(to + Short.BYTES * (first + (long) step * d), Float.floatToFloat16(v));
      }
    }
  }

  @Override
  public KeyValueStore copy(int positions) {
    checkOpen();
    JvmKeyValueStore copy = new JvmKeyValueStore(type, layers, heads, headSize);
    try {
      copy.reserve(0, positions);
      for (int p = 0; p < copy.pageCount; p++) {
        MemorySegment.copy(Memory.ALL, pages[p], Memory.ALL, copy.pages[p], pageBytes());
      }
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  @Override
  public long bytes() {
    return closed ? 0 : pageCount * pageBytes();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      arena.close();
    }
  }
}
