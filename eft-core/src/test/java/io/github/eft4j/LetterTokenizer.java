package io.github.eft4j;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** One token for each letter from a to z and the space, and two special ones. */
final class LetterTokenizer implements Tokenizer {
  static final int BEGIN = 0;
  static final int END = 1;
  private static final String LETTERS = " abcdefghijklmnopqrstuvwxyz";

  int id(char letter) {
    int at = LETTERS.indexOf(letter);
    if (at < 0) {
      throw new IllegalArgumentException("no token for " + letter);
    }
    return at + 2;
  }

  @Override
  public int size() {
    return LETTERS.length() + 2;
  }

  @Override
  public int[] encode(String text, boolean specialTokens) {
    int[] ids = text.chars().map(c -> id((char) c)).toArray();
    if (!specialTokens) {
      return ids;
    }
    int[] withBegin = new int[ids.length + 1];
    withBegin[0] = BEGIN;
    System.arraycopy(ids, 0, withBegin, 1, ids.length);
    return withBegin;
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return Arrays.stream(ids)
        .filter(id -> !skipSpecialTokens || !isSpecial(id))
        .mapToObj(id -> token(id).orElse(""))
        .collect(Collectors.joining());
  }

  @Override
  public Optional<String> token(int id) {
    return switch (id) {
      case BEGIN -> Optional.of("<s>");
      case END -> Optional.of("</s>");
      default -> id < size() ? Optional.of(LETTERS.substring(id - 2, id - 1)) : Optional.empty();
    };
  }

  @Override
  public boolean isSpecial(int id) {
    return id <= END;
  }
}
