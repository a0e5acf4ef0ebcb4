package io.github.eft4j.langchain4j;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.EftSampler;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Tokenizer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A model of ASCII characters that answers a conversation as it is told to. Its template puts the
 * role in front of each message: {@code <user>Hello<assistant>}.
 */
final class ScriptedModel implements LanguageModel {
  static final int CONTEXT = 512;
  private static final int VOCABULARY = 128;
  private static final int END = 1;
  private static final String ANSWER = "<assistant>";

  /** So much likelier than all others that those are never drawn. */
  private static final float CERTAIN = 60;

  private final UnaryOperator<String> answerTo;
  final AtomicInteger openCaches = new AtomicInteger();

  /**
   * Makes a model.
   *
   * @param answerTo gives the answer to a conversation, all of it written with the template
   */
  ScriptedModel(UnaryOperator<String> answerTo) {
    this.answerTo = answerTo;
  }

  EftSampler.Builder sampler() {
    return EftSampler.builder(LogitCombiner.of(this)).seed(7);
  }

  @Override
  public String name() {
    return "scripted";
  }

  @Override
  public int vocabularySize() {
    return VOCABULARY;
  }

  @Override
  public int contextLength() {
    return CONTEXT;
  }

  @Override
  public Set<Integer> endOfTextIds() {
    return Set.of(END);
  }

  @Override
  public Optional<Tokenizer> tokenizer() {
    return Optional.of(new Ascii());
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return Optional.of(
        (messages, addGenerationPrompt) ->
            messages.stream()
                .map(m -> "<%s>%s".formatted(m.role(), m.content()))
                .collect(Collectors.joining("", "", addGenerationPrompt ? ANSWER : "")));
  }

  @Override
  public KeyValueCache newCache() {
    return new Cache("");
  }

  @Override
  public void forward(ForwardBatch batch, INDArray out) {
    int row = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      Cache cache = (Cache) batch.cache(s);
      for (int r = batch.start(s); r < batch.end(s); r++) {
        cache.read.append((char) batch.token(r));
        if (r >= batch.end(s) - batch.logitRows(s)) {
          out.putRow(row++, Nd4j.createFromArray(logits(cache.read.toString())));
        }
      }
    }
  }

  private float[] logits(String read) {
    int written = read.lastIndexOf(ANSWER) + ANSWER.length();
    String answer = answerTo.apply(read.substring(0, written));
    int next = read.length() - written;
    float[] row = new float[VOCABULARY];
    row[next < answer.length() ? answer.charAt(next) : END] = CERTAIN;
    return row;
  }

  @Override
  public void close() {}

  private final class Cache implements KeyValueCache {
    private final StringBuilder read;
    private boolean closed;

    Cache(CharSequence read) {
      openCaches.incrementAndGet();
      this.read = new StringBuilder(read);
    }

    @Override
    public int length() {
      return read.length();
    }

    @Override
    public void truncate(int length) {
      read.setLength(length);
    }

    @Override
    public KeyValueCache fork() {
      return new Cache(read);
    }

    @Override
    public long bytes() {
      return length();
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        openCaches.decrementAndGet();
      }
    }
  }

  private static final class Ascii implements Tokenizer {
    @Override
    public int size() {
      return VOCABULARY;
    }

    @Override
    public int[] encode(String text, boolean specialTokens) {
      return text.chars().toArray();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
      return Arrays.stream(ids)
          .filter(id -> !skipSpecialTokens || !isSpecial(id))
          .mapToObj(Character::toString)
          .collect(Collectors.joining());
    }

    @Override
    public Optional<String> token(int id) {
      return Optional.of(Character.toString(id));
    }

    @Override
    public boolean isSpecial(int id) {
      return id == END;
    }
  }
}
