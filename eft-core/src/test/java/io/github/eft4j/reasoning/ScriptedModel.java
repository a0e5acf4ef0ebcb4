package io.github.eft4j.reasoning;

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
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A model of ASCII characters whose logits are a function of the prompt and what was written. */
final class ScriptedModel implements LanguageModel {
  static final int VOCABULARY = 128;

  /** The id that ends a text. */
  static final int END = 1;

  /** So much likelier than all others that those are never drawn. */
  private static final float CERTAIN = 60;

  private final BiFunction<String, String, float[]> logits;
  final AtomicInteger forwardCalls = new AtomicInteger();
  final AtomicInteger openCaches = new AtomicInteger();

  ScriptedModel(BiFunction<String, String, float[]> logits) {
    this.logits = logits;
  }

  /** A model that writes a text for each prompt and then ends it. */
  static ScriptedModel writing(UnaryOperator<String> textFor) {
    return new ScriptedModel(
        (prompt, written) -> {
          String text = textFor.apply(prompt);
          float[] row = new float[VOCABULARY];
          row[written.length() < text.length() ? text.charAt(written.length()) : END] = CERTAIN;
          return row;
        });
  }

  EftSampler.Builder sampler() {
    return EftSampler.builder(LogitCombiner.of(this)).seed(1);
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
    return 1 << 20;
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
    return Optional.empty();
  }

  @Override
  public KeyValueCache newCache() {
    return new Cache("", "");
  }

  @Override
  public void forward(ForwardBatch batch, INDArray out) {
    forwardCalls.incrementAndGet();
    int row = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      Cache cache = (Cache) batch.cache(s);
      boolean isPrompt = cache.prompt.isEmpty();
      for (int r = batch.start(s); r < batch.end(s); r++) {
        String character = Character.toString(batch.token(r));
        if (isPrompt) {
          cache.prompt += character;
        } else {
          cache.written += character;
        }
        if (r >= batch.end(s) - batch.logitRows(s)) {
          out.putRow(row++, Nd4j.createFromArray(logits.apply(cache.prompt, cache.written)));
        }
      }
    }
  }

  @Override
  public void close() {}

  private final class Cache implements KeyValueCache {
    private String prompt;
    private String written;
    private boolean closed;

    Cache(String prompt, String written) {
      openCaches.incrementAndGet();
      this.prompt = prompt;
      this.written = written;
    }

    @Override
    public int length() {
      return prompt.length() + written.length();
    }

    @Override
    public void truncate(int length) {
      written = written.substring(0, Math.max(0, length - prompt.length()));
      prompt = prompt.substring(0, Math.min(length, prompt.length()));
    }

    @Override
    public KeyValueCache fork() {
      return new Cache(prompt, written);
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
      return id < VOCABULARY ? Optional.of(Character.toString(id)) : Optional.empty();
    }

    @Override
    public boolean isSpecial(int id) {
      return id == END;
    }
  }
}
