package io.github.eft4j.models.transformer;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * One text, or pair of texts, for an encoder. A batch of them needs no padding; padding that is
 * there all the same changes nothing, as long as the attention mask hides it.
 *
 * @param ids the token ids, special ones included
 * @param attentionMask for each token 1 where other tokens read it, or 0 where it is hidden
 * @param typeIds for each token its type: in BERT 0 in the first text of a pair and 1 in the second
 */
public record EncoderInput(List<Integer> ids, List<Integer> attentionMask, List<Integer> typeIds) {
  /**
   * Checks the lengths and copies the lists.
   *
   * @throws IllegalArgumentException if there is no token, the lists differ in length, or the
   *     attention mask holds something other than 0 and 1, or nothing but 0
   */
  public EncoderInput {
    ids = List.copyOf(ids);
    attentionMask = List.copyOf(attentionMask);
    typeIds = List.copyOf(typeIds);
    if (ids.isEmpty()) {
      throw new IllegalArgumentException("the input has no tokens");
    }
    checkLength("attention mask", attentionMask, ids);
    checkLength("list of token types", typeIds, ids);
    for (int value : attentionMask) {
      if (value != 0 && value != 1) {
        throw new IllegalArgumentException("attention mask holds " + value + ", expected 0 or 1");
      }
    }
    if (!attentionMask.contains(1)) {
      throw new IllegalArgumentException("attention mask hides all tokens");
    }
  }

  private static void checkLength(String what, List<Integer> list, List<Integer> ids) {
    if (list.size() != ids.size()) {
      throw new IllegalArgumentException(
          "%s has %d entries for %d token ids".formatted(what, list.size(), ids.size()));
    }
  }

  /**
   * Tokens of type 0 that all read one another.
   *
   * @param ids the token ids, special ones included
   * @return the input
   * @throws IllegalArgumentException if there is no token
   */
  public static EncoderInput of(int... ids) {
    return new EncoderInput(
        Arrays.stream(ids).boxed().toList(),
        Collections.nCopies(ids.length, 1),
        Collections.nCopies(ids.length, 0));
  }
}
