package io.github.eft4j;

import io.github.eft4j.LogitCombiner.Leaf;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Tells how likely given texts are under a combination of language models, as {@link EftSampler}
 * would draw them at temperature 1 and without filters. Immutable, and safe for use by many threads
 * at once; does not own its models.
 */
public final class EftScorer {
  /** How many texts are read together. */
  private static final int TOGETHER = 8;

  /** How many tokens of each are read in one pass. */
  private static final int STEP = 32;

  private final LogitCombiner combiner;
  private final int vocabulary;
  private final Optional<Tokenizer> tokenizer;

  private EftScorer(LogitCombiner combiner) {
    this.combiner = combiner;
    List<LanguageModel> models = combiner.models();
    if (models.isEmpty()) {
      throw new IllegalArgumentException("the combination " + combiner + " runs no model");
    }
    vocabulary = VocabularyCheck.commonVocabulary(models, false);
    TruncatedLeaf.requireWhole(models);
    tokenizer = models.stream().flatMap(m -> m.tokenizer().stream()).findFirst();
  }

  /**
   * A scorer.
   *
   * @param combiner the distribution
   * @return the scorer
   * @throws IllegalArgumentException if the models' vocabularies cannot be combined
   */
  public static EftScorer of(LogitCombiner combiner) {
    return new EftScorer(combiner);
  }

  /**
   * A text to be scored.
   *
   * @param prompt what the text continues
   * @param tokenIds the tokens of the text
   */
  public record Continuation(Prompt prompt, List<Integer> tokenIds) {
    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if there are no tokens
     */
    public Continuation {
      Objects.requireNonNull(prompt);
      tokenIds = List.copyOf(tokenIds);
      if (tokenIds.isEmpty()) {
        throw new IllegalArgumentException("the text to be scored has no tokens");
      }
    }
  }

  /**
   * Scores a text. It is split into tokens on its own, not together with the prompt.
   *
   * @param prompt what the text continues
   * @param text the text
   * @return its score
   * @throws IllegalArgumentException if no model has a tokenizer, a model cannot read the prompt,
   *     or prompt and text together are longer than a model's context
   */
  public Score score(Prompt prompt, String text) {
    Tokenizer splits =
        tokenizer.orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no model of " + combiner + " has a tokenizer: give the text as token ids"));
    List<Integer> ids = Arrays.stream(splits.encode(text, false)).boxed().toList();
    return score(List.of(new Continuation(prompt, ids))).getFirst();
  }

  /**
   * Scores texts, in batches.
   *
   * @param continuations the texts and what they continue
   * @return their scores, in the same order
   * @throws IllegalArgumentException if a model cannot read a prompt, a token id is outside the
   *     vocabulary, or a prompt and its text together are longer than a model's context
   * @throws IllegalStateException if a model's logits are not finite, or a model was closed
   */
  public List<Score> score(List<Continuation> continuations) {
    List<Leaf> leaves = combiner.leaves();
    CombinerPlan plan = new CombinerPlan(combiner, Map.of(), vocabulary);
    List<ScoredSequence> sequences = new ArrayList<>();
    for (Continuation continuation : continuations) {
      sequences.add(new ScoredSequence(continuation, leaves, vocabulary));
    }
    try {
      run(sequences, leaves, plan);
      return sequences.stream().map(ScoredSequence::score).toList();
    } finally {
      sequences.forEach(ScoredSequence::close);
    }
  }

  private void run(List<ScoredSequence> sequences, List<Leaf> leaves, CombinerPlan plan) {
    List<LogitRows> logits =
        leaves.stream().map(leaf -> new LogitRows(leaf.model().vocabularySize())).toList();
    try {
      Queue<ScoredSequence> waiting = new ArrayDeque<>(sequences);
      List<ScoredSequence> active = new ArrayList<>();
      while (!waiting.isEmpty() || !active.isEmpty()) {
        while (active.size() < TOGETHER && !waiting.isEmpty()) {
          active.add(waiting.remove());
        }
        step(active, leaves, plan, logits);
        active.stream().filter(ScoredSequence::isFinished).forEach(ScoredSequence::close);
        active.removeIf(ScoredSequence::isFinished);
      }
    } finally {
      logits.forEach(LogitRows::close);
    }
  }

  private void step(
      List<ScoredSequence> active, List<Leaf> leaves, CombinerPlan plan, List<LogitRows> logits) {
    int[] lengths = active.stream().mapToInt(s -> s.stepLength(STEP)).toArray();
    active.forEach(ScoredSequence::open);
    ForwardBatch batch = new ForwardBatch();
    for (int leaf = 0; leaf < leaves.size(); leaf++) {
      batch.clear();
      for (int s = 0; s < lengths.length; s++) {
        active.get(s).addStep(batch, leaf, lengths[s]);
      }
      LogitRows rows = logits.get(leaf);
      INDArray out = rows.rows(batch.logitRows());
      leaves.get(leaf).model().forward(batch, out);
      rows.read(out);
    }
    MemorySegment[] row = new MemorySegment[leaves.size()];
    double[] scores = new double[vocabulary];
    int first = 0;
    for (int s = 0; s < lengths.length; s++) {
      for (int i = 0; i < lengths[s]; i++) {
        for (int leaf = 0; leaf < row.length; leaf++) {
          row[leaf] = logits.get(leaf).row(first + i);
        }
        if (Double.isNaN(plan.evaluate(row, scores))) {
          throw new IllegalStateException("the logits of " + combiner + " are not finite");
        }
        double logZ = Distribution.logSumExp(scores);
        active.get(s).add(scores[active.get(s).nextToken()] - logZ);
      }
      first += lengths[s];
    }
  }

  /**
   * The reward that a fine-tuned model has implicitly learnt (Rafailov et al., NeurIPS 2023, <a
   * href="https://arxiv.org/abs/2305.18290">arXiv 2305.18290</a>): usable as a reward model, and to
   * choose the best of several completions.
   *
   * @param tuned the fine-tuned model
   * @param base the model that it was made from
   * @param beta the scale of the reward
   * @param continuations the texts and what they continue
   * @return {@code β (log π_tuned(y|x) − log π_base(y|x))} of each
   * @throws IllegalArgumentException if a model cannot read a prompt, or the vocabularies differ
   */
  public static List<Double> implicitRewards(
      LanguageModel tuned, LanguageModel base, double beta, List<Continuation> continuations) {
    VocabularyCheck.commonVocabulary(List.of(tuned, base), false);
    List<Score> ofTuned = of(LogitCombiner.of(tuned)).score(continuations);
    List<Score> ofBase = of(LogitCombiner.of(base)).score(continuations);
    List<Double> rewards = new ArrayList<>();
    for (int i = 0; i < continuations.size(); i++) {
      rewards.add(beta * (ofTuned.get(i).logProbability() - ofBase.get(i).logProbability()));
    }
    return rewards;
  }
}
