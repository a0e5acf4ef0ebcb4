package io.github.eft4j.models;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A model that counts its caches, and fails when it is told to. */
final class CountingModel implements LanguageModel {
  private final LanguageModel model;

  /** How many passes are left for the requests of a thread before one fails; negative for never. */
  private final ThreadLocal<Integer> passesLeft = ThreadLocal.withInitial(() -> -1);

  final AtomicInteger openCaches = new AtomicInteger();
  final AtomicLong cachesMade = new AtomicLong();

  CountingModel(LanguageModel model) {
    this.model = model;
  }

  /** Lets a pass for this thread fail after some others, or none if the number is negative. */
  void failAfter(int passes) {
    passesLeft.set(passes);
  }

  @Override
  public String name() {
    return model.name();
  }

  @Override
  public int vocabularySize() {
    return model.vocabularySize();
  }

  @Override
  public int contextLength() {
    return model.contextLength();
  }

  @Override
  public Set<Integer> endOfTextIds() {
    return model.endOfTextIds();
  }

  @Override
  public Optional<Tokenizer> tokenizer() {
    return model.tokenizer();
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return model.chatTemplate();
  }

  @Override
  public KeyValueCache newCache() {
    return new CountedCache(model.newCache());
  }

  @Override
  public void forward(ForwardBatch batch, INDArray logits) {
    int left = passesLeft.get();
    if (left == 0) {
      throw new UnsupportedOperationException("the model fails");
    }
    passesLeft.set(left - 1);
    ForwardBatch inner = new ForwardBatch();
    for (int s = 0; s < batch.sequences(); s++) {
      int[] tokens = new int[batch.end(s) - batch.start(s)];
      for (int i = 0; i < tokens.length; i++) {
        tokens[i] = batch.token(batch.start(s) + i);
      }
      KeyValueCache cache = ((CountedCache) batch.cache(s)).cache;
      inner.add(cache, tokens, 0, tokens.length, batch.logitRows(s));
    }
    model.forward(inner, logits);
  }

  @Override
  public void close() {
    model.close();
  }

  private final class CountedCache implements KeyValueCache {
    private final KeyValueCache cache;
    private boolean closed;

    CountedCache(KeyValueCache cache) {
      this.cache = cache;
      openCaches.incrementAndGet();
      cachesMade.incrementAndGet();
    }

    @Override
    public int length() {
      return cache.length();
    }

    @Override
    public void truncate(int length) {
      cache.truncate(length);
    }

    @Override
    public KeyValueCache fork() {
      return new CountedCache(cache.fork());
    }

    @Override
    public long bytes() {
      return cache.bytes();
    }

    @Override
    public void close() {
      cache.close();
      if (!closed) {
        closed = true;
        openCaches.decrementAndGet();
      }
    }
  }
}
