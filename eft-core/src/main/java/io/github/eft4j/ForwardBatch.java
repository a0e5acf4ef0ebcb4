package io.github.eft4j;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The input of one {@linkplain LanguageModel#forward forward pass}: sequences with their new
 * tokens. The tokens of all sequences stand one after another; each is one <i>row</i> of the pass.
 *
 * <p>A batch is meant to be {@linkplain #clear cleared} and filled again; after it has grown once
 * that allocates nothing. Not safe for use by several threads at once.
 */
public final class ForwardBatch {
  private final List<KeyValueCache> caches = new ArrayList<>();
  private int[] tokens = new int[16];
  private int[] ends = new int[4];
  private int[] wanted = new int[4];
  private int rows;
  private int logitRows;

  /** Makes an empty batch. */
  public ForwardBatch() {}

  /**
   * A batch of one sequence that wants the logits after its last token alone.
   *
   * @param cache the sequence's cache
   * @param tokens the new token ids
   * @return the batch
   */
  public static ForwardBatch last(KeyValueCache cache, int... tokens) {
    return new ForwardBatch().add(cache, tokens, 0, tokens.length, 1);
  }

  /**
   * A batch of one sequence that wants the logits after every token.
   *
   * @param cache the sequence's cache
   * @param tokens the new token ids
   * @return the batch
   */
  public static ForwardBatch all(KeyValueCache cache, int... tokens) {
    return new ForwardBatch().add(cache, tokens, 0, tokens.length, tokens.length);
  }

  /**
   * Removes all sequences.
   *
   * @return this batch
   */
  public ForwardBatch clear() {
    caches.clear();
    rows = 0;
    logitRows = 0;
    return this;
  }

  /**
   * Adds a sequence.
   *
   * @param cache the sequence's cache
   * @param ids holds the new token ids
   * @param from the index of the first new token in {@code ids}
   * @param to the index behind the last new token in {@code ids}
   * @param logitRows the number of tokens, counted from the last one, whose logits are wanted
   * @return this batch
   * @throws IllegalArgumentException if there are no tokens, or more logits are wanted than there
   *     are tokens
   */
  public ForwardBatch add(KeyValueCache cache, int[] ids, int from, int to, int logitRows) {
    Objects.checkFromToIndex(from, to, ids.length);
    int count = to - from;
    if (count == 0) {
      throw new IllegalArgumentException("a sequence needs at least one new token");
    }
    if (logitRows < 0 || logitRows > count) {
      throw new IllegalArgumentException(
          "logits wanted for " + logitRows + " of " + count + " new tokens");
    }
    int sequence = caches.size();
    if (sequence == ends.length) {
      ends = Arrays.copyOf(ends, 2 * sequence);
      wanted = Arrays.copyOf(wanted, 2 * sequence);
    }
    if (rows + count > tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(rows + count, 2 * tokens.length));
    }
    System.arraycopy(ids, from, tokens, rows, count);
    caches.add(cache);
    rows += count;
    ends[sequence] = rows;
    wanted[sequence] = logitRows;
    this.logitRows += logitRows;
    return this;
  }

  /**
   * The number of sequences.
   *
   * @return the number of sequences
   */
  public int sequences() {
    return caches.size();
  }

  /**
   * The number of new tokens of all sequences.
   *
   * @return the number of rows
   */
  public int rows() {
    return rows;
  }

  /**
   * The number of rows whose logits are wanted, over all sequences.
   *
   * @return the number of rows of logits
   */
  public int logitRows() {
    return logitRows;
  }

  /**
   * The number of rows of one sequence whose logits are wanted: its last ones.
   *
   * @param sequence the sequence's index
   * @return the number of rows of logits
   */
  public int logitRows(int sequence) {
    return wanted[Objects.checkIndex(sequence, caches.size())];
  }

  /**
   * A sequence's cache.
   *
   * @param sequence the sequence's index
   * @return the cache
   */
  public KeyValueCache cache(int sequence) {
    return caches.get(sequence);
  }

  /**
   * A sequence's first row.
   *
   * @param sequence the sequence's index
   * @return the index of its first row
   */
  public int start(int sequence) {
    Objects.checkIndex(sequence, caches.size());
    return sequence == 0 ? 0 : ends[sequence - 1];
  }

  /**
   * The row behind a sequence's last one.
   *
   * @param sequence the sequence's index
   * @return the index behind its last row
   */
  public int end(int sequence) {
    return ends[Objects.checkIndex(sequence, caches.size())];
  }

  /**
   * The token id of a row.
   *
   * @param row the row's index
   * @return the token id
   */
  public int token(int row) {
    return tokens[Objects.checkIndex(row, rows)];
  }
}
