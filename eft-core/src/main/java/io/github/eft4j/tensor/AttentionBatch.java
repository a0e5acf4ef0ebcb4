package io.github.eft4j.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which rows of a forward pass belong to which sequence, and what each sequence has read before.
 * Meant to be cleared and filled again. Not safe for use by several threads at once.
 */
public final class AttentionBatch {
  private final List<KeyValueStore> stores = new ArrayList<>();
  private int[] ends = new int[4];
  private int[] pasts = new int[4];

  /** Makes an empty batch. */
  public AttentionBatch() {}

  /**
   * Removes all sequences.
   *
   * @return this batch
   */
  public AttentionBatch clear() {
    stores.clear();
    return this;
  }

  /**
   * Adds a sequence, whose rows follow those of the sequence added before it.
   *
   * @param store the sequence's keys and values
   * @param rows the number of its new rows
   * @param past the number of positions that it has read before; its new rows are at the positions
   *     {@code past} to {@code past + rows - 1}
   * @return this batch
   */
  public AttentionBatch add(KeyValueStore store, int rows, int past) {
    int sequence = stores.size();
    if (sequence == ends.length) {
      ends = Arrays.copyOf(ends, 2 * sequence);
      pasts = Arrays.copyOf(pasts, 2 * sequence);
    }
    ends[sequence] = rows() + rows;
    pasts[sequence] = past;
    stores.add(store);
    return this;
  }

  /**
   * The number of sequences.
   *
   * @return the number of sequences
   */
  public int sequences() {
    return stores.size();
  }

  /**
   * The number of rows of all sequences.
   *
   * @return the number of rows
   */
  public int rows() {
    return stores.isEmpty() ? 0 : ends[stores.size() - 1];
  }

  /**
   * A sequence's keys and values.
   *
   * @param sequence the sequence's index
   * @return its store
   */
  public KeyValueStore store(int sequence) {
    return stores.get(sequence);
  }

  /**
   * A sequence's first row.
   *
   * @param sequence the sequence's index
   * @return the index of its first row
   */
  public int start(int sequence) {
    return sequence == 0 ? 0 : ends[sequence - 1];
  }

  /**
   * The row behind a sequence's last one.
   *
   * @param sequence the sequence's index
   * @return the index behind its last row
   */
  public int end(int sequence) {
    return ends[sequence];
  }

  /**
   * The number of positions that a sequence has read before this pass.
   *
   * @param sequence the sequence's index
   * @return the position of its first row
   */
  public int past(int sequence) {
    return pasts[sequence];
  }
}
