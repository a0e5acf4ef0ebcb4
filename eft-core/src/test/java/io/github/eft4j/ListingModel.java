package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A model that tells no more of another one than its likeliest tokens. */
class ListingModel implements TruncatedLanguageModel {
  private final LanguageModel whole;
  private final int first;
  private final int longest;
  final AtomicInteger questions = new AtomicInteger();

  ListingModel(LanguageModel whole, int first, int longest) {
    this.whole = whole;
    this.first = first;
    this.longest = longest;
  }

  @Override
  public int firstList() {
    return first;
  }

  @Override
  public int longestList() {
    return longest;
  }

  @Override
  public List<LikeliestTokens> forward(ForwardBatch batch, int count, BooleanSupplier abandoned) {
    INDArray logits = Nd4j.create(DataType.FLOAT, batch.logitRows(), vocabularySize());
    whole.forward(batch, logits);
    LogitRows rows = new LogitRows(vocabularySize());
    rows.read(logits);
    List<LikeliestTokens> lists = new ArrayList<>();
    for (int i = 0; i < batch.logitRows(); i++) {
      lists.add(list(rows.row(i), count));
    }
    logits.close();
    return lists;
  }

  private LikeliestTokens list(MemorySegment row, int count) {
    if (count < 1 || count > longest) {
      throw new IllegalStateException("asked for " + count + " of " + longest);
    }
    double[] logits = new double[vocabularySize()];
    int[] ids = new int[logits.length];
    for (int id = 0; id < logits.length; id++) {
      logits[id] = row.getAtIndex(ValueLayout.JAVA_FLOAT, id);
      ids[id] = id;
    }
    double logZ = Distribution.logSumExp(logits);
    float[] logProbabilities = new float[logits.length];
    for (int id = 0; id < logits.length; id++) {
      logProbabilities[id] = (float) (logits[id] - logZ);
    }
    return LikeliestTokens.of(ids, logProbabilities, ids.length).first(count);
  }

  @Override
  public LikeliestTokens likeliest(
      KeyValueCache cache, int length, int count, BooleanSupplier abandoned) {
    questions.incrementAndGet();
    try (KeyValueCache again = cache.fork()) {
      int[] last = {FunctionModel.token(again, length - 1)};
      again.truncate(length - 1);
      return forward(new ForwardBatch().add(again, last, 0, 1, 1), count, abandoned).getFirst();
    }
  }

  @Override
  public String name() {
    return "listing " + whole.name();
  }

  @Override
  public int vocabularySize() {
    return whole.vocabularySize();
  }

  @Override
  public int contextLength() {
    return whole.contextLength();
  }

  @Override
  public Set<Integer> endOfTextIds() {
    return whole.endOfTextIds();
  }

  @Override
  public Optional<Tokenizer> tokenizer() {
    return whole.tokenizer();
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return whole.chatTemplate();
  }

  @Override
  public KeyValueCache newCache() {
    return whole.newCache();
  }

  @Override
  public void close() {
    whole.close();
  }
}
