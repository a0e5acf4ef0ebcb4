package io.github.eft4j.models.transformer;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.tensor.AttentionBatch;

/**
 * The rows that go through the layers together: some consecutive rows of a {@link ForwardBatch}.
 * Meant to be filled again and again.
 */
final class Rows {
  private final int[] ids;
  private final int[] positions;
  private final int[] sequenceLengths;
  private final int[] wanted;
  private final AttentionBatch sequences = new AttentionBatch();
  private int count;
  private int wantedCount;

  /**
   * Makes room.
   *
   * @param capacity the greatest number of rows
   */
  Rows(int capacity) {
    ids = new int[capacity];
    positions = new int[capacity];
    sequenceLengths = new int[capacity];
    wanted = new int[capacity];
  }

  /** Takes the batch's rows {@code from} to {@code to - 1}, whose caches have their old length. */
  void fill(ForwardBatch batch, int from, int to) {
    sequences.clear();
    count = 0;
    wantedCount = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      int start = batch.start(s);
      int end = batch.end(s);
      int first = Math.max(start, from);
      int last = Math.min(end, to);
      if (first < last) {
        TransformerCache cache = (TransformerCache) batch.cache(s);
        int past = cache.length();
        sequences.add(cache.store(), last - first, past + first - start);
        for (int row = first; row < last; row++) {
          int position = past + row - start;
          ids[count] = batch.token(row);
          positions[count] = position;
          sequenceLengths[count] = past == 0 ? end - start : position + 1;
          if (row >= end - batch.logitRows(s)) {
            wanted[wantedCount++] = count;
          }
          count++;
        }
      }
    }
  }

  int count() {
    return count;
  }

  /** The token id of each row; longer than there are rows. */
  int[] ids() {
    return ids;
  }

  /** A row's position in its sequence. */
  int position(int row) {
    return positions[row];
  }

  /**
   * The length of a row's sequence that a rotary embedding with dynamic scaling goes by: that of
   * the prompt for all of its rows, and otherwise that of the sequence up to the row. So drafted
   * tokens that are checked together get the angles that they get one by one.
   */
  int sequenceLength(int row) {
    return sequenceLengths[row];
  }

  AttentionBatch sequences() {
    return sequences;
  }

  /** The indices of the rows whose logits are wanted; longer than there are such rows. */
  int[] wanted() {
    return wanted;
  }

  int wantedCount() {
    return wantedCount;
  }
}
