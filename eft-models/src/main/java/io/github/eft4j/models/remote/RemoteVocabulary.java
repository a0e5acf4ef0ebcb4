package io.github.eft4j.models.remote;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What is known here of a served model's tokens: servers do not tell all of it.
 *
 * @param size the number of ids, or empty when only the server knows
 * @param tokenizer the tokenizer
 * @param chatTemplate the chat template
 * @param endOfTextIds the ids that end a text
 * @param release frees what the tokenizer holds
 */
public record RemoteVocabulary(
    OptionalInt size,
    Optional<Tokenizer> tokenizer,
    Optional<ChatTemplate> chatTemplate,
    Set<Integer> endOfTextIds,
    Runnable release) {
  /** Nothing is known: the model is used by token ids. */
  public static final RemoteVocabulary UNKNOWN =
      new RemoteVocabulary(
          OptionalInt.empty(), Optional.empty(), Optional.empty(), Set.of(), () -> {});

  /** Copies the set. */
  public RemoteVocabulary {
    endOfTextIds = Set.copyOf(endOfTextIds);
  }

  /**
   * The vocabulary of a model that has the same tokens.
   *
   * @param model the model, which has to stay open as long as the served one is used
   * @return the vocabulary
   */
  public static RemoteVocabulary of(LanguageModel model) {
    return new RemoteVocabulary(
        OptionalInt.of(model.vocabularySize()),
        model.tokenizer(),
        model.chatTemplate(),
        model.endOfTextIds(),
        () -> {});
  }
}
