package io.github.eft4j;

import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A causal language model: token ids in, next-token logits out.
 *
 * <p>A model is immutable and safe for use by many threads at once. All that changes while text is
 * generated lives in {@link KeyValueCache}s, one for each sequence. Closing a model frees its
 * weights; its caches must not be used afterwards.
 */
public interface LanguageModel extends AutoCloseable {
  /**
   * A short name for messages and logs, such as the name of the directory that the model came from.
   *
   * @return the name, never empty
   */
  String name();

  /**
   * The number of token ids that the model gives logits for.
   *
   * @return the number of ids, which are {@code 0} to {@code vocabularySize() - 1}
   */
  int vocabularySize();

  /**
   * The greatest number of positions (prompt and continuation together) that a sequence may have.
   *
   * @return the number of positions
   */
  int contextLength();

  /**
   * The ids that end a text, as the model's own configuration names them.
   *
   * @return the ids, possibly none
   */
  Set<Integer> endOfTextIds();

  /**
   * The tokenizer that belongs to the model.
   *
   * @return the tokenizer, or empty when the model came without one and is used by token ids
   */
  Optional<Tokenizer> tokenizer();

  /**
   * The chat template that belongs to the model.
   *
   * @return the template, or empty when the model came without one
   */
  Optional<ChatTemplate> chatTemplate();

  /**
   * Makes an empty cache for one sequence of this model.
   *
   * @return the cache, to be closed by the caller
   */
  KeyValueCache newCache();

  /**
   * Runs the model on the new tokens of one or more sequences, and appends them to the sequences'
   * caches. A prompt, a single token, a block of drafted tokens and many sequences at once are all
   * the same call.
   *
   * <p>A row's logits do not depend on what else is in the batch. When the call throws, the caches
   * hold what they held before.
   *
   * @param batch the sequences with their new tokens, at least one token in all; every cache stems
   *     from this model and occurs once
   * @param logits receives the logits, float32 {@code [batch.logitRows(), vocabularySize()]}, c
   *     order: for each sequence in turn those after its last {@code logitRows} tokens
   * @throws IllegalArgumentException if a token id is outside the vocabulary, a sequence grows
   *     beyond {@link #contextLength()}, or {@code logits} has another shape
   * @throws IllegalStateException if the model was closed
   */
  void forward(ForwardBatch batch, INDArray logits);

  /** Frees the weights. Closing twice has no effect. */
  @Override
  void close();
}
