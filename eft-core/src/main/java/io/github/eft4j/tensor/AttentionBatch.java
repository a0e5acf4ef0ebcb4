package io.github.eft4j.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Which rows of a forward pass belong to which sequence, and what each sequence has read before.
 * Meant to be cleared and filled again. Not safe for use by several threads at once.
 */
public final class AttentionBatch {
  /** In place of the readable positions of a sequence whose rows each read another number. */
  private static final int CAUSAL = 0;

  private final List<KeyValueStore> stores = new ArrayList<>();
  private int[] ends = new int[4];
  private int[] pasts = new int[4];
  private int[] readables = new int[4];

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
   * Adds a sequence that is read from left to right: each row reads the positions up to its own.
   * Its rows follow those of the sequence added before it.
   *
   * @param store the sequence's keys and values
   * @param rows the number of its new rows
   * @param past the number of positions that it has read before; its new rows are at the positions
   *     {@code past} to {@code past + rows - 1}
   * @return this batch
   */
  public AttentionBatch add(KeyValueStore store, int rows, int past) {
    return add(store, rows, past, CAUSAL);
  }

  /**
   * Adds a whole sequence that is read in both directions, as encoders do: all rows read the same
   * positions. Its rows follow those of the sequence added before it.
   *
   * @param store the sequence's keys and values, which this pass writes over
   * @param rows the number of its rows, at the positions 0 to {@code rows - 1}
   * @param readable the number of positions that its rows read, from the first on; rows behind
   *     these read, but are not read
   * @return this batch
   * @throws IllegalArgumentException if {@code readable} is not from 1 to {@code rows}
   */
  public AttentionBatch addBidirectional(KeyValueStore store, int rows, int readable) {
    if (readable < 1 || readable > rows) {
      throw new IllegalArgumentException(
          "%d readable positions, expected 1 to the %d rows".formatted(readable, rows));
    }
    return add(store, rows, 0, readable);
  }

  private AttentionBatch add(KeyValueStore store, int rows, int past, int readable) {
    int sequence = stores.size();
    if (sequence == ends.length) {
      ends = Arrays.copyOf(ends, 2 * sequence);
      pasts = Arrays.copyOf(pasts, 2 * sequence);
      readables = Arrays.copyOf(readables, 2 * sequence);
    }
    ends[sequence] = rows() + rows;
    pasts[sequence] = past;
    readables[sequence] = readable;
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

  /**
   * Whether a sequence is read from left to right.
   *
   * @param sequence the sequence's index
   * @return true if each row reads the positions up to its own, false if all rows read the same
   */
  public boolean isCausal(int sequence) {
    return readables[sequence] == CAUSAL;
  }

  /**
   * The number of positions that a row reads, from its sequence's first one on.
   *
   * @param sequence the sequence's index
   * @param row the row's index, from {@code start(sequence)} to {@code end(sequence) - 1}
   * @return the number of positions
   */
  public int readable(int sequence, int row) {
    return isCausal(sequence) ? pasts[sequence] + row - start(sequence) + 1 : readables[sequence];
  }
}
