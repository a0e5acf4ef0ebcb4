package io.github.eft4j.miniature;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/** What one training step sees: sequences of one length, and what should follow each token. */
final class Batch {
  private final int rows;
  private final int length;
  private final long[] ids;
  private final List<Integer> taught = new ArrayList<>();
  private final List<Integer> targets = new ArrayList<>();
  private final List<Integer> kept = new ArrayList<>();

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
   * @param taught which of the answer's tokens are taught; about the others the network is to think
   *     as it did before training
   */
  record Example(List<Integer> prompt, List<Integer> answer, List<Boolean> taught) {
    /** Copies the lists. */
    Example {
      prompt = List.copyOf(prompt);
      answer = List.copyOf(answer);
      taught = List.copyOf(taught);
    }

    /** All of the answer is taught. */
    Example(List<Integer> prompt, List<Integer> answer) {
      this(prompt, answer, Collections.nCopies(answer.size(), true));
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

  /**
   * A pair of texts with its class.
   *
   * @param first the tokens of the first text, with those that surround it
   * @param second the tokens of the second text, with the one that ends it
   * @param target the class
   */
  record Classified(List<Integer> first, List<Integer> second, int target) {
    /** Copies the lists. */
    Classified {
      first = List.copyOf(first);
      second = List.copyOf(second);
    }
  }

  /**
   * Pairs of texts. The class is taught at the first token, and at all tokens of the second text.
   *
   * @param pairs the pairs
   * @return the batch, padded on the right
   */
  static Batch classes(List<Classified> pairs) {
    int length = pairs.stream().mapToInt(p -> p.first.size() + p.second.size()).max().orElse(0);
    Batch batch = new Batch(pairs.size(), length);
    for (int row = 0; row < pairs.size(); row++) {
      Classified pair = pairs.get(row);
      for (int i = 0; i < pair.first.size() + pair.second.size(); i++) {
        int position = row * length + i;
        int inSecond = i - pair.first.size();
        batch.ids[position] = inSecond < 0 ? pair.first.get(i) : pair.second.get(inSecond);
        if (i == 0 || inSecond >= 0) {
          batch.taught.add(position);
          batch.targets.add(pair.target);
        }
      }
    }
    return batch;
  }

  private void fill(int row, Example example) {
    List<Integer> all =
        Stream.concat(example.prompt().stream(), example.answer().stream()).toList();
    for (int i = 0; i + 1 < all.size(); i++) {
      int position = row * length + i;
      ids[position] = all.get(i);
      int next = i + 1 - example.prompt().size();
      if (next >= 0 && example.taught().get(next)) {
        taught.add(position);
        targets.add(all.get(i + 1));
      } else if (next >= 0) {
        kept.add(position);
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

  /** Where the network is to think as before: indices into {@link #ids}. */
  long[] kept() {
    return kept.stream().mapToLong(Integer::longValue).toArray();
  }

  /** What should follow the tokens where something is taught. */
  long[] targets() {
    return targets.stream().mapToLong(Integer::longValue).toArray();
  }
}
