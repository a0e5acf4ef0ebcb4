package io.github.eft4j.miniature;

import io.github.eft4j.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** Documents as one stream of tokens, cut into sequences of one length. */
final class TokenStream {
  private final Supplier<String> documents;
  private final Tokenizer tokenizer;
  private final int length;
  private int[] buffer = new int[0];

  /**
   * Begins a stream.
   *
   * @param documents the documents
   * @param tokenizer splits them
   * @param length the number of tokens that a network is run on
   */
  TokenStream(Supplier<String> documents, Tokenizer tokenizer, int length) {
    this.documents = documents;
    this.tokenizer = tokenizer;
    this.length = length;
  }

  /** The next sequence, one token longer than a network is run on; it shares that token. */
  private int[] next() {
    while (buffer.length <= length) {
      int[] document =
          tokenizer.encode(Vocabulary.BEGINNING + documents.get() + Vocabulary.END, false);
      int end = buffer.length;
      buffer = Arrays.copyOf(buffer, end + document.length);
      System.arraycopy(document, 0, buffer, end, document.length);
    }
    int[] sequence = Arrays.copyOf(buffer, length + 1);
    buffer = Arrays.copyOfRange(buffer, length, buffer.length);
    return sequence;
  }

  Batch batch(int rows) {
    List<int[]> sequences = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      sequences.add(next());
    }
    return Batch.ofText(sequences);
  }
}
