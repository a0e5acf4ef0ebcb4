package io.github.eft4j.models.tokenizer;

import java.util.Arrays;
import java.util.List;

/**
 * Two texts as the tokens of one sequence, special ones included.
 *
 * @param ids the token ids
 * @param typeIds for each token the text that it belongs to, as the tokenizer counts them
 */
public record EncodedPair(List<Integer> ids, List<Integer> typeIds) {
  /** Copies the lists. */
  public EncodedPair {
    ids = List.copyOf(ids);
    typeIds = List.copyOf(typeIds);
  }

  EncodedPair(int[] ids, int[] typeIds) {
    this(Arrays.stream(ids).boxed().toList(), Arrays.stream(typeIds).boxed().toList());
  }
}
