package io.github.eft4j.miniature;

import java.util.Arrays;
import java.util.List;

/**
 * What one training step sees.
 *
 * @param ids the tokens, one row a sequence, all of one length
 * @param targets for each token the one that should follow, or {@value #NONE} where none is taught
 */
record Batch(int[][] ids, int[][] targets) {
  /** Nothing is taught here. */
  static final int NONE = -1;

  /**
   * Sequences of running text.
   *
   * @param sequences the sequences, each one token longer than what the network is run on
   * @return the batch
   */
  static Batch ofText(List<int[]> sequences) {
    return new Batch(
        sequences.stream().map(s -> Arrays.copyOf(s, s.length - 1)).toArray(int[][]::new),
        sequences.stream().map(s -> Arrays.copyOfRange(s, 1, s.length)).toArray(int[][]::new));
  }

  /**
   * Prompts with answers. Only the answers are taught.
   *
   * @param examples the examples
   * @return the batch, padded on the right
   */
  static Batch ofExamples(List<Example> examples) {
    int length =
        examples.stream().mapToInt(e -> e.prompt().length + e.answer().length - 1).max().orElse(0);
    int[][] ids = new int[examples.size()][length];
    int[][] targets = new int[examples.size()][length];
    for (int row = 0; row < examples.size(); row++) {
      int[] prompt = examples.get(row).prompt();
      int[] answer = examples.get(row).answer();
      Arrays.fill(ids[row], Vocabulary.END_ID);
      Arrays.fill(targets[row], NONE);
      System.arraycopy(prompt, 0, ids[row], 0, prompt.length);
      System.arraycopy(answer, 0, ids[row], prompt.length, answer.length - 1);
      System.arraycopy(answer, 0, targets[row], prompt.length - 1, answer.length);
    }
    return new Batch(ids, targets);
  }

  /**
   * A prompt with the answer that it should get.
   *
   * @param prompt its tokens
   * @param answer the answer's tokens, end of text included
   */
  record Example(int[] prompt, int[] answer) {}

  int rows() {
    return ids.length;
  }

  int length() {
    return ids[0].length;
  }
}
