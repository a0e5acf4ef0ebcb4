package io.github.eft4j;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

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

  /** A model whose logits depend on the last two tokens in a way that a seed decides. */
  static FunctionModel random(String name, int vocabulary, long seed, double spread) {
    return new FunctionModel(
        name,
        vocabulary,
        1 << 20,
        null,
        remembered(
            context -> {
              Random random = new Random(seed * 1_000_003 + context);
              random.nextDouble();
              float[] row = new float[vocabulary];
              for (int i = 0; i < vocabulary; i++) {
                row[i] = (float) (spread * random.nextGaussian());
              }
              return row;
            }));
  }

  /** A model whose logits are the weighted sum of two others'. */
  static FunctionModel mixed(String name, FunctionModel a, FunctionModel b, double share) {
    return new FunctionModel(
        name,
        a.vocabulary,
        1 << 20,
        null,
        remembered(
            context -> {
              List<Integer> read =
                  context < 1000
                      ? List.of(Math.toIntExact(context))
                      : List.of(
                          Math.toIntExact(context / 1000 - 1), Math.toIntExact(context % 1000));
              float[] row = a.logits.apply(read).clone();
              float[] other = b.logits.apply(read);
              for (int i = 0; i < row.length; i++) {
                row[i] += (float) (share * (other[i] - row[i]));
              }
              return row;
            }));
  }

  /** A function of the last two tokens, computed once for each two. */
  private static Function<List<Integer>, float[]> remembered(LongFunction<float[]> function) {
    Map<Long, float[]> rows = new ConcurrentHashMap<>();
    return read -> {
      long last = read.getLast();
      long context = read.size() < 2 ? last : 1000L * (read.get(read.size() - 2) + 1) + last;
      float[] row = rows.get(context);
      if (row == null) {
        row = function.apply(context);
        rows.put(context, row);
      }
      return row;
    };
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
    MemorySegment memory = NativeArrays.floats(out);
    int row = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      List<Integer> read = ((Cache) batch.cache(s)).read;
      for (int r = batch.start(s); r < batch.end(s); r++) {
        read.add(batch.token(r));
        if (r >= batch.end(s) - batch.logitRows(s)) {
          MemorySegment.copy(
              logits.apply(read),
              0,
              memory,
              JAVA_FLOAT,
              (long) Float.BYTES * vocabulary * row++,
              vocabulary);
        }
      }
    }
  }

  /** The token that a cache of such a model has at a position. */
  static int token(KeyValueCache cache, int position) {
    return ((Cache) cache).read.get(position);
  }

  @Override
  public void close() {}

  private final class Cache implements KeyValueCache {
    private final List<Integer> read;
    private boolean closed;

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
      if (!closed) {
        closed = true;
        openCaches.decrementAndGet();
      }
    }
  }
}
