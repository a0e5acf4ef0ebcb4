package io.github.eft4j.models.transformer;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.Tokenizer;
import java.util.Optional;
import java.util.Set;

/**
 * What belongs to a model beside its weights.
 *
 * @param name a short name for messages and logs, never empty
 * @param endOfTextIds the ids that end a text, possibly none
 * @param tokenizer the model's tokenizer, or empty when it is used by token ids
 * @param chatTemplate the model's chat template, if it has one
 */
public record ModelMetadata(
    String name,
    Set<Integer> endOfTextIds,
    Optional<Tokenizer> tokenizer,
    Optional<ChatTemplate> chatTemplate) {
  /**
   * Copies the ids.
   *
   * @throws IllegalArgumentException if the name is empty
   */
  public ModelMetadata {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("a model's name must not be empty");
    }
    endOfTextIds = Set.copyOf(endOfTextIds);
  }
}
