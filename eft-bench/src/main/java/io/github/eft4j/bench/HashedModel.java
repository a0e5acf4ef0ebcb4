package io.github.eft4j.bench;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A model without weights, that takes no time: its logits are sums of normal numbers which the last
 * two tokens decide. Two models whose parts are the same but for a small one agree mostly.
 *
 * @param name its name
 * @param vocabularySize the number of ids
 * @param parts what is summed up
 */
record HashedModel(String name, int vocabularySize, List<Part> parts) implements LanguageModel {
  /**
   * A part of the logits.
   *
   * @param seed makes it
   * @param spread its standard deviation
   */
  record Part(long seed, double spread) {}

  /** Logits after a sequence that ends in two tokens. */
  double[] logits(int beforeLast, int last) {
    double[] logits = new double[vocabularySize];
    for (Part part : parts) {
      SplittableRandom random =
          new SplittableRandom(part.seed + 1_000_003L * beforeLast + 7_919L * last);
      for (int id = 0; id < logits.length; id++) {
        logits[id] += part.spread * random.nextGaussian();
      }
    }
    return logits;
  }

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
    return new Cache(new int[0]);
  }

  @Override
  public void forward(ForwardBatch batch, INDArray logits) {
    MemorySegment memory = NativeArrays.floats(logits);
    long at = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      Cache cache = (Cache) batch.cache(s);
      for (int row = batch.start(s); row < batch.end(s); row++) {
        cache.append(batch.token(row));
        if (row >= batch.end(s) - batch.logitRows(s)) {
          int n = cache.tokens.length;
          for (double logit : logits(n < 2 ? 0 : cache.tokens[n - 2], cache.tokens[n - 1])) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, at++, (float) logit);
          }
        }
      }
    }
  }

  @Override
  public void close() {}

  /** The tokens read so far. */
  private static final class Cache implements KeyValueCache {
    private int[] tokens;

    Cache(int[] tokens) {
      this.tokens = tokens;
    }

    void append(int token) {
      tokens = Arrays.copyOf(tokens, tokens.length + 1);
      tokens[tokens.length - 1] = token;
    }

    @Override
    public int length() {
      return tokens.length;
    }

    @Override
    public void truncate(int length) {
      tokens = Arrays.copyOf(tokens, length);
    }

    @Override
    public KeyValueCache fork() {
      return new Cache(tokens);
    }

    @Override
    public long bytes() {
      return (long) Integer.BYTES * tokens.length;
    }

    @Override
    public void close() {}
  }
}
