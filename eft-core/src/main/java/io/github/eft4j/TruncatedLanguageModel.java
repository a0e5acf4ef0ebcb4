package io.github.eft4j;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A language model that tells the probabilities of its likeliest tokens, and of all of them only
 * when asked to and if it can: a model that is served elsewhere. {@link EftSampler} asks for short
 * lists, and for longer ones where those do not decide which token is drawn.
 */
public interface TruncatedLanguageModel extends LanguageModel {
  /**
   * The length of the lists that are asked for at first.
   *
   * @return the number of tokens, between 1 and {@link #longestList()}
   */
  int firstList();

  /**
   * The length of the longest list that the model gives.
   *
   * @return the number of tokens; {@link #vocabularySize()} where it gives all
   */
  int longestList();

  /**
   * Runs the model as {@link #forward(ForwardBatch, INDArray)} does.
   *
   * @param batch the sequences with their new tokens
   * @param count how many of the likeliest tokens are wanted, at most {@link #longestList()}
   * @param abandoned is asked now and then, on the calling thread, whether nobody waits for the
   *     answer any more
   * @return the likeliest tokens, for each row of logits; a list may lack tokens whose probability
   *     is below the range of float32
   * @throws java.util.concurrent.CancellationException if the answer was abandoned; the caches hold
   *     what they held before
   */
  List<LikeliestTokens> forward(ForwardBatch batch, int count, BooleanSupplier abandoned);

  /**
   * Asks again for the tokens that follow the beginning of a sequence, to get a longer list.
   *
   * @param cache the sequence's cache
   * @param length the number of tokens that the beginning has, between 1 and the cache's length
   * @param count how many of the likeliest tokens are wanted
   * @param abandoned as for {@code forward}
   * @return the likeliest tokens
   * @throws java.util.concurrent.CancellationException if the answer was abandoned
   */
  LikeliestTokens likeliest(KeyValueCache cache, int length, int count, BooleanSupplier abandoned);

  /**
   * Runs the model and gives all log-probabilities.
   *
   * @throws IllegalStateException also if the model does not give whole lists
   */
  @Override
  default void forward(ForwardBatch batch, INDArray logits) {
    if (longestList() < vocabularySize()) {
      throw new IllegalStateException(
          "model %s tells the probabilities of at most %d tokens, of %d"
              .formatted(name(), longestList(), vocabularySize()));
    }
    List<LikeliestTokens> rows = forward(batch, vocabularySize(), () -> false);
    MemorySegment memory = NativeArrays.floats(logits);
    long bytes = (long) Float.BYTES * vocabularySize();
    for (int i = 0; i < rows.size(); i++) {
      rows.get(i).write(memory.asSlice(i * bytes, bytes), rows.get(i).evenUnlisted());
    }
  }
}
