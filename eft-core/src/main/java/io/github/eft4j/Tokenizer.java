package io.github.eft4j;

import java.util.Optional;

/**
 * Turns text into token ids and back. Implementations are immutable and safe for use by many
 * threads at once.
 */
public interface Tokenizer {
  /**
   * The number of token ids, added ones included.
   *
   * @return one more than the largest id that has a token
   */
  int size();

  /**
   * Splits text into tokens. Text is never truncated.
   *
   * @param text the text
   * @param specialTokens whether to add the special tokens that the model expects around a text,
   *     such as a beginning-of-text token; special tokens spelled out in {@code text} are
   *     recognised either way
   * @return the token ids
   */
  int[] encode(String text, boolean specialTokens);

  /**
   * Joins tokens to text. Bytes that are not whole UTF-8 characters become U+FFFD.
   *
   * @param ids the token ids
   * @param skipSpecialTokens whether to leave special tokens out instead of spelling them
   * @return the text
   * @throws IllegalArgumentException if an id is negative; an id without a token gives no text
   */
  String decode(int[] ids, boolean skipSpecialTokens);

  /**
   * The token of an id, as the vocabulary spells it (such as {@code ▁the} or {@code Ġthe}).
   *
   * @param id the token id
   * @return the token, or empty when the id has none
   */
  Optional<String> token(int id);

  /**
   * Whether a token is a special one, which stands for no text of its own.
   *
   * @param id the token id
   * @return true for a special token
   */
  boolean isSpecial(int id);
}
