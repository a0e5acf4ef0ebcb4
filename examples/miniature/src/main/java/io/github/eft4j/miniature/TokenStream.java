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
  private final List<Integer> buffer = new ArrayList<>();

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

  /** The next sequences; each begins with the token that the one before it ended with. */
  Batch batch(int rows) {
    List<Batch.Example> sequences = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      while (buffer.size() <= length) {
        String document = Vocabulary.BEGINNING + documents.get() + Vocabulary.END;
        Arrays.stream(tokenizer.encode(document, false)).forEach(buffer::add);
      }
      sequences.add(new Batch.Example(List.of(), buffer.subList(0, length + 1)));
      buffer.subList(0, length).clear();
    }
    return Batch.of(sequences);
  }
}
