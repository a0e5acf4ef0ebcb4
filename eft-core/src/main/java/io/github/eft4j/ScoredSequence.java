package io.github.eft4j;

import io.github.eft4j.EftScorer.Continuation;
import io.github.eft4j.LogitCombiner.Leaf;
import java.util.ArrayList;
import java.util.List;

/** One text while it is scored: what each model has read of it. */
final class ScoredSequence implements AutoCloseable {
  private final int[][] prompts;
  private final int[] tokens;
  private final List<Leaf> leaves;
  private final List<KeyValueCache> caches = new ArrayList<>();
  private final List<Double> logProbabilities = new ArrayList<>();
  private final List<Integer> tokenIds;

  ScoredSequence(Continuation continuation, List<Leaf> leaves, int vocabulary) {
    this.leaves = leaves;
    this.tokenIds = continuation.tokenIds();
    this.tokens = tokenIds.stream().mapToInt(Integer::intValue).toArray();
    for (int id : tokens) {
      if (id < 0 || id >= vocabulary) {
        throw new IllegalArgumentException(
            "token id %d to be scored is outside the vocabulary of %d ids"
                .formatted(id, vocabulary));
      }
    }
    this.prompts =
        leaves.stream()
            .map(leaf -> Sequence.encode(continuation.prompt(), leaf))
            .toArray(int[][]::new);
    for (int i = 0; i < prompts.length; i++) {
      LanguageModel model = leaves.get(i).model();
      int length = prompts[i].length + tokens.length - 1; // the last token need not be read
      if (length > model.contextLength()) {
        throw new IllegalArgumentException(
            "prompt and text have %d tokens to be read, but the context of model %s holds %d"
                .formatted(length, model.name(), model.contextLength()));
      }
    }
  }

  boolean isFinished() {
    return logProbabilities.size() == tokens.length;
  }

  /** The number of tokens that the next step scores. */
  int stepLength(int most) {
    return caches.isEmpty() ? 1 : Math.min(most, tokens.length - logProbabilities.size());
  }

  /** Makes the caches, if there are none yet. */
  void open() {
    if (caches.isEmpty()) {
      leaves.forEach(leaf -> caches.add(leaf.model().newCache()));
    }
  }

  /** Adds to a batch what a model has to read for the next step. */
  void addStep(ForwardBatch batch, int leaf, int length) {
    int done = logProbabilities.size();
    if (done == 0) {
      batch.add(caches.get(leaf), prompts[leaf], 0, prompts[leaf].length, 1);
    } else {
      batch.add(caches.get(leaf), tokens, done - 1, done - 1 + length, length);
    }
  }

  int nextToken() {
    return tokens[logProbabilities.size()];
  }

  void add(double logProbability) {
    logProbabilities.add(logProbability);
  }

  Score score() {
    return new Score(tokenIds, logProbabilities);
  }

  @Override
  public void close() {
    caches.forEach(KeyValueCache::close);
  }
}
