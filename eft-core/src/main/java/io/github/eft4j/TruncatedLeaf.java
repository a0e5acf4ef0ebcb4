package io.github.eft4j;

import io.github.eft4j.LogitCombiner.Leaf;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The leaf of a combination whose model gives lists of its likeliest tokens.
 *
 * @param leaf its index
 * @param model its model
 * @param slope how scores grow with its log-probabilities
 */
record TruncatedLeaf(int leaf, TruncatedLanguageModel model, double slope) {
  /**
   * Finds the leaf whose lists may be short. All other leaves that give lists have to give whole
   * ones.
   *
   * @param plan what is sampled
   * @param leaves the leaves
   * @param options how tokens are drawn
   * @param speculation how to draft, or null
   * @return the leaf, or null where every model has to give all
   * @throws IllegalArgumentException if a model has to give whole lists and does not
   */
  static @Nullable TruncatedLeaf find(
      CombinerPlan plan,
      List<Leaf> leaves,
      SamplingOptions options,
      @Nullable Speculation speculation) {
    TruncatedLeaf found = null;
    String whole = needsWhole(options, speculation);
    for (int i = 0; i < leaves.size() && whole == null; i++) {
      if (leaves.get(i).model() instanceof TruncatedLanguageModel model
          && plan.slope(i) > 0
          && (found == null || !canBeWhole(model))) {
        found = new TruncatedLeaf(i, model, plan.slope(i));
      }
    }
    for (int i = 0; i < leaves.size(); i++) {
      if ((found == null || found.leaf != i)
          && leaves.get(i).model() instanceof TruncatedLanguageModel model
          && !canBeWhole(model)) {
        throw new IllegalArgumentException(
            "model %s tells the probabilities of at most %d tokens, of %d: %s"
                .formatted(
                    model.name(),
                    model.longestList(),
                    model.vocabularySize(),
                    whole != null
                        ? whole + " needs them all"
                        : "that is enough only for a model with a positive weight or the large one"
                            + " of conservative, and only for one such model"));
      }
    }
    return found;
  }

  private static @Nullable String needsWhole(
      SamplingOptions options, @Nullable Speculation speculation) {
    if (options.repetitionPenalty() != 1) {
      return "repetitionPenalty";
    }
    if (options.traceCandidates().isPresent()) {
      return "a trace";
    }
    return speculation != null && speculation.rule() == Speculation.AcceptanceRule.RATIO
        ? "the acceptance rule " + speculation.rule()
        : null;
  }

  /**
   * Checks that models tell all that texts are scored with.
   *
   * @throws IllegalArgumentException if one does not
   */
  static void requireWhole(List<LanguageModel> models) {
    for (LanguageModel m : models) {
      if (m instanceof TruncatedLanguageModel model && !canBeWhole(model)) {
        throw new IllegalArgumentException(
            "model %s tells the probabilities of at most %d tokens, of %d: scoring needs them all"
                .formatted(model.name(), model.longestList(), model.vocabularySize()));
      }
    }
  }

  static boolean canBeWhole(TruncatedLanguageModel model) {
    return model.longestList() == model.vocabularySize();
  }
}
