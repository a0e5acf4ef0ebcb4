package io.github.eft4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Checks that the token ids of models mean the same, so that their logits may be combined. */
final class VocabularyCheck {
  private static final int SHOWN = 3;

  private VocabularyCheck() {}

  /**
   * Finds the ids that all models share.
   *
   * @param models the models, at least one
   * @param allowExtraTokens whether models may have ids behind those of the smallest one
   * @return the number of ids that are combined
   * @throws IllegalArgumentException if the vocabularies cannot be combined
   */
  static int commonVocabulary(List<LanguageModel> models, boolean allowExtraTokens) {
    LanguageModel smallest = models.getFirst();
    for (LanguageModel model : models) {
      if (model.vocabularySize() < smallest.vocabularySize()) {
        smallest = model;
      }
    }
    int size = smallest.vocabularySize();
    for (LanguageModel model : models) {
      if (model.vocabularySize() != size && !allowExtraTokens) {
        throw new IllegalArgumentException(
            "vocabularies differ: model %s has %d ids, model %s has %d; extra ids at the end are left out only if allowExtraTokens(true) is set"
                .formatted(smallest.name(), size, model.name(), model.vocabularySize()));
      }
    }
    LanguageModel reference = null;
    for (LanguageModel model : models) {
      if (model.tokenizer().isEmpty()) {
        continue;
      }
      if (reference == null) {
        reference = model;
      } else {
        checkTokens(reference, model, size);
      }
    }
    return size;
  }

  private static void checkTokens(LanguageModel a, LanguageModel b, int size) {
    Tokenizer first = a.tokenizer().orElseThrow();
    Tokenizer second = b.tokenizer().orElseThrow();
    if (first.equals(second)) {
      return;
    }
    List<String> differences = new ArrayList<>();
    int count = 0;
    for (int id = 0; id < size; id++) {
      Optional<String> left = first.token(id);
      Optional<String> right = second.token(id);
      // An id without a token is padding of the embedding table: it is compatible with anything.
      if (left.isPresent() && right.isPresent() && !left.equals(right)) {
        count++;
        if (differences.size() < SHOWN) {
          differences.add("%d is \"%s\" and \"%s\"".formatted(id, left.get(), right.get()));
        }
      }
    }
    if (count > 0) {
      throw new IllegalArgumentException(
          "vocabularies differ: %d of %d ids have other tokens in model %s than in model %s: %s%s"
              .formatted(
                  count,
                  size,
                  a.name(),
                  b.name(),
                  String.join(", ", differences),
                  count > SHOWN ? ", …" : ""));
    }
  }
}
