package io.github.eft4j.models.remote;

import io.github.eft4j.Tokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Compares a server's tokens with those that are known here. */
final class VocabularyProbe {
  /** Words of several languages, code, figures, and characters that no vocabulary has whole. */
  private static final String TEXT =
      "The quick brown fox can't jump over 1,234.50 lazy dogs; naïve Zürich façade, Fußgänger,"
          + " город, 東京, مرحبا, 🙂 — for (int i = 0; i < n; i++) { total += prices[i]; }\n\n\tEnd.";

  /** How many single tokens are compared, spread over the ids. */
  private static final int TOKENS = 32;

  private final Server server;
  private final Tokenizer tokenizer;
  private final Consumer<String> notices;

  VocabularyProbe(Server server, Tokenizer tokenizer, Consumer<String> notices) {
    this.server = server;
    this.tokenizer = tokenizer;
    this.notices = notices;
  }

  /**
   * Compares.
   *
   * @param vocabulary the number of ids
   * @throws RemoteModelException if the tokens differ
   */
  void run(int vocabulary) {
    boolean same = compareTexts(vocabulary);
    Optional<int[]> split = server.tokenize(TEXT);
    if (split.isEmpty()) {
      notices.accept(server.url() + " does not split text: its tokenizer could not be checked");
    } else {
      compareSplit(split.get(), same);
    }
  }

  /**
   * Compares single tokens.
   *
   * @return whether that could be done
   */
  private boolean compareTexts(int vocabulary) {
    int[] ids =
        IntStream.range(0, TOKENS)
            .map(i -> (int) ((i + 0.5) * Math.min(vocabulary, tokenizer.size()) / TOKENS))
            .filter(id -> tokenizer.token(id).isPresent() && !tokenizer.isSpecial(id))
            .distinct()
            .toArray();
    for (int id : ids) {
      Optional<String> text = server.detokenize(id);
      if (text.isEmpty()) {
        notices.accept(
            server.url() + " does not join tokens: the texts of its ids could not be checked");
        return false;
      }
      compareText(id, text.get());
    }
    return true;
  }

  /** Text may be split otherwise where ids mean the same: only ids are sent. */
  private void compareSplit(int[] theirs, boolean sameTexts) {
    int[] ours = tokenizer.encode(TEXT, false);
    int at = Arrays.mismatch(ours, theirs);
    if (at < 0) {
      return;
    }
    String difference =
        "it splits the probe text into %d tokens, here it is %d, and token %d is %s there and %s here"
            .formatted(
                theirs.length,
                ours.length,
                at,
                at < theirs.length ? theirs[at] : "none",
                at < ours.length ? ours[at] : "none");
    if (!sameTexts) {
      throw new RemoteModelException(server.url() + " has another tokenizer: " + difference);
    }
    notices.accept(
        "%s has the same tokens but uses them otherwise: %s".formatted(server.url(), difference));
  }

  private void compareText(int id, String theirs) {
    String ours = tokenizer.decode(new int[] {id}, false);
    // A word's leading space may be dropped where it begins a text; bytes are no text of their own.
    if (ours.indexOf('\uFFFD') < 0
        && theirs.indexOf('\uFFFD') < 0
        && !ours.strip().equals(theirs.strip())) {
      throw new RemoteModelException(
          "%s has another vocabulary: token id %d is \"%s\" there and \"%s\" here"
              .formatted(server.url(), id, theirs, ours));
    }
  }
}
