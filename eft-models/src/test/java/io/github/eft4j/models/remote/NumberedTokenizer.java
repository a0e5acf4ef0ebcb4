package io.github.eft4j.models.remote;

import io.github.eft4j.Tokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** A tokenizer whose tokens are numbered words, and which splits text by character. */
record NumberedTokenizer(int size, String word) implements Tokenizer {
  @Override
  public int[] encode(String text, boolean specialTokens) {
    return text.chars().map(c -> 3 + c % (size - 3)).toArray();
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return Arrays.stream(ids).mapToObj(id -> word + id).collect(Collectors.joining(" "));
  }

  @Override
  public Optional<String> token(int id) {
    return Optional.of(word + id);
  }

  @Override
  public boolean isSpecial(int id) {
    return id < 3;
  }
}
