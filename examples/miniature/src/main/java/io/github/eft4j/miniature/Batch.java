package io.github.eft4j.miniature;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** What one training step sees: sequences of one length, and what should follow each token. */
final class Batch {
  private final int rows;
  private final int length;
  private final long[] ids;
  private final List<Integer> taught = new ArrayList<>();
  private final List<Integer> targets = new ArrayList<>();

  private Batch(int rows, int length) {
    this.rows = rows;
    this.length = length;
    this.ids = new long[rows * length];
    Arrays.fill(ids, Vocabulary.END_ID);
  }

  /**
   * A prompt with the answer that it should get.
   *
   * @param prompt its tokens; none where all of a text is taught
   * @param answer the answer's tokens
   */
  record Example(List<Integer> prompt, List<Integer> answer) {
    /** Copies the lists. */
    Example {
      prompt = List.copyOf(prompt);
      answer = List.copyOf(answer);
    }

    private int length() {
      return prompt.size() + answer.size() - 1;
    }
  }

  /**
   * Prompts with answers. Only the answers are taught.
   *
   * @param examples the examples
   * @return the batch, padded on the right
   */
  static Batch of(List<Example> examples) {
    int length = examples.stream().mapToInt(Example::length).max().orElse(0);
    Batch batch = new Batch(examples.size(), length);
    for (int row = 0; row < examples.size(); row++) {
      batch.fill(row, examples.get(row));
    }
    return batch;
  }

  private void fill(int row, Example example) {
    List<Integer> all =
        Stream.concat(example.prompt().stream(), example.answer().stream()).toList();
    for (int i = 0; i + 1 < all.size(); i++) {
      int position = row * length + i;
      ids[position] = all.get(i);
      if (i + 1 >= example.prompt().size()) {
        taught.add(position);
        targets.add(all.get(i + 1));
      }
    }
  }

  int rows() {
    return rows;
  }

  int length() {
    return length;
  }

  /** The tokens, row after row. */
  long[] ids() {
    return ids.clone();
  }

  /** Where something is taught: indices into {@link #ids}. */
  long[] taught() {
    return taught.stream().mapToLong(Integer::longValue).toArray();
  }

  /** What should follow the tokens where something is taught. */
  long[] targets() {
    return targets.stream().mapToLong(Integer::longValue).toArray();
  }
}
