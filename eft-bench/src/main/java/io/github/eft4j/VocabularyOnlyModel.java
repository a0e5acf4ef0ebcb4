package io.github.eft4j;

import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Stands for a model where logits are at hand already: it cannot be run. */
record VocabularyOnlyModel(String name, int vocabularySize) implements LanguageModel {
  @Override
  public int contextLength() {
    return Integer.MAX_VALUE;
  }

  @Override
  public Set<Integer> endOfTextIds() {
    return Set.of();
  }

  @Override
  public Optional<Tokenizer> tokenizer() {
    return Optional.empty();
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return Optional.empty();
  }

  @Override
  public KeyValueCache newCache() {
    throw new UnsupportedOperationException(name + " has logits only");
  }

  @Override
  public void forward(ForwardBatch batch, INDArray logits) {
    throw new UnsupportedOperationException(name + " has logits only");
  }

  @Override
  public void close() {}
}
