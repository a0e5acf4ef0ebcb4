package io.github.eft4j;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A model whose logits are a function of the tokens read so far. */
final class FunctionModel implements LanguageModel {
  private final String name;
  private final int vocabulary;
  private final int context;
  private final @Nullable Tokenizer tokenizer;
  private final Function<List<Integer>, float[]> logits;
  final AtomicInteger openCaches = new AtomicInteger();
  final AtomicInteger passes = new AtomicInteger();

  FunctionModel(
      String name,
      int vocabulary,
      int context,
      @Nullable Tokenizer tokenizer,
      Function<List<Integer>, float[]> logits) {
    this.name = name;
    this.vocabulary = vocabulary;
    this.context = context;
    this.tokenizer = tokenizer;
    this.logits = logits;
  }

  /** A model that gives the same logits whatever it has read. */
  static FunctionModel constant(String name, float... logits) {
    return new FunctionModel(name, logits.length, 1 << 20, null, _ -> logits);
  }

  /** A model that writes a text of single letters and then ends it. */
  static FunctionModel writing(String text) {
    LetterTokenizer letters = new LetterTokenizer();
    return new FunctionModel(
        "writer",
        letters.size(),
        64,
        letters,
        read -> {
          float[] row = new float[letters.size()];
          int next = read.size() - 1;
          row[next < text.length() ? letters.id(text.charAt(next)) : LetterTokenizer.END] = 9;
          return row;
        });
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int vocabularySize() {
    return vocabulary;
  }

  @Override
  public int contextLength() {
    return context;
  }

  @Override
  public Set<Integer> endOfTextIds() {
    return tokenizer == null ? Set.of() : Set.of(LetterTokenizer.END);
  }

  @Override
  public Optional<Tokenizer> tokenizer() {
    return Optional.ofNullable(tokenizer);
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return Optional.empty();
  }

  @Override
  public KeyValueCache newCache() {
    openCaches.incrementAndGet();
    return new Cache(new ArrayList<>());
  }

  @Override
  public void forward(ForwardBatch batch, INDArray out) {
    passes.incrementAndGet();
    int row = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      List<Integer> read = ((Cache) batch.cache(s)).read;
      for (int r = batch.start(s); r < batch.end(s); r++) {
        read.add(batch.token(r));
        if (r >= batch.end(s) - batch.logitRows(s)) {
          out.putRow(row++, Nd4j.createFromArray(logits.apply(read)));
        }
      }
    }
  }

  @Override
  public void close() {}

  private final class Cache implements KeyValueCache {
    private final List<Integer> read;

    Cache(List<Integer> read) {
      this.read = read;
    }

    @Override
    public int length() {
      return read.size();
    }

    @Override
    public void truncate(int length) {
      read.subList(length, read.size()).clear();
    }

    @Override
    public KeyValueCache fork() {
      openCaches.incrementAndGet();
      return new Cache(new ArrayList<>(read));
    }

    @Override
    public long bytes() {
      return (long) Integer.BYTES * read.size();
    }

    @Override
    public void close() {
      openCaches.decrementAndGet();
    }
  }
}
