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
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A model without layers, that takes next to no time: its logits are sums of normal numbers which
 * the last token decides. Two models whose parts are the same but for a small one agree mostly.
 */
final class TableModel implements LanguageModel {
  private final String name;

  /** By the last token, {@code [vocab, vocab]}. */
  private final float[][] logits;

  /**
   * A part of the logits.
   *
   * @param seed makes it
   * @param spread its standard deviation
   */
  record Part(long seed, double spread) {}

  /**
   * Makes a model.
   *
   * @param name its name
   * @param vocabulary the number of ids
   * @param parts what is summed up
   */
  TableModel(String name, int vocabulary, Part... parts) {
    this.name = name;
    this.logits = new float[vocabulary][vocabulary];
    for (Part part : parts) {
      SplittableRandom random = new SplittableRandom(part.seed);
      for (float[] row : logits) {
        for (int id = 0; id < vocabulary; id++) {
          row[id] += (float) (part.spread * random.nextGaussian());
        }
      }
    }
  }

  /** The logits that follow a token. */
  float[] logits(int last) {
    return logits[last];
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int vocabularySize() {
    return logits.length;
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
  public void forward(ForwardBatch batch, INDArray out) {
    MemorySegment memory = NativeArrays.floats(out);
    long at = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      Cache cache = (Cache) batch.cache(s);
      for (int row = batch.start(s); row < batch.end(s); row++) {
        cache.append(batch.token(row));
        if (row >= batch.end(s) - batch.logitRows(s)) {
          MemorySegment.copy(
              logits[batch.token(row)],
              0,
              memory,
              ValueLayout.JAVA_FLOAT,
              Float.BYTES * at,
              logits.length);
          at += logits.length;
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
