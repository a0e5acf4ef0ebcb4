package io.github.eft4j;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One completion while it grows: what each model has read, what was drawn, and what of it is text.
 */
final class Sequence implements AutoCloseable {
  private final SampleRequest request;
  private final SamplingOptions options;
  private final Set<Integer> endOfTextIds;
  private final long seed;
  private final int[][] prompts;
  private final KeyValueCache[] caches;
  private final int longestPrompt;
  private final int room;
  private final @Nullable StreamingDecoder decoder;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();
  private final long started = System.nanoTime();
  private long firstTokenAt;
  private long lastTokenAt;
  private int[] tokens = new int[16];
  private double[] logProbabilities = new double[16];
  private int count;
  private @Nullable FinishReason finished;

  /**
   * Starts a completion.
   *
   * @param request what was asked for
   * @param options how tokens are drawn
   * @param endOfTextIds the tokens that end it
   * @param seed makes its draws reproducible
   * @param leaves the models and how they read the prompt
   * @param tokenizer turns tokens into text, or null for none
   * @throws IllegalArgumentException if a prompt is empty or longer than the model's context
   */
  Sequence(
      SampleRequest request,
      SamplingOptions options,
      Set<Integer> endOfTextIds,
      long seed,
      List<LogitCombiner.Leaf> leaves,
      @Nullable Tokenizer tokenizer) {
    this.request = request;
    this.options = options;
    this.endOfTextIds = endOfTextIds;
    this.seed = seed;
    this.prompts =
        leaves.stream().map(leaf -> encode(request.prompt(), leaf)).toArray(int[][]::new);
    int longest = 0;
    int least = Integer.MAX_VALUE;
    for (int i = 0; i < prompts.length; i++) {
      longest = Math.max(longest, prompts[i].length);
      // The last token that is drawn need not be read.
      least = Math.min(least, leaves.get(i).model().contextLength() - prompts[i].length + 1);
    }
    this.longestPrompt = longest;
    this.room = least;
    this.decoder = tokenizer == null ? null : new StreamingDecoder(tokenizer, prompts[0]);
    this.stops = new StopStrings(options.stopStrings());
    this.caches =
        leaves.stream().map(leaf -> leaf.model().newCache()).toArray(KeyValueCache[]::new);
  }

  private static int[] encode(Prompt prompt, LogitCombiner.Leaf leaf) {
    LanguageModel model = leaf.model();
    int[] ids = leaf.format().encode(prompt, model);
    if (ids.length == 0) {
      throw new IllegalArgumentException(
          "the prompt is empty: model " + model.name() + " needs at least one token");
    }
    if (ids.length > model.contextLength()) {
      throw new IllegalArgumentException(
          "the prompt has %d tokens, but the context of model %s holds %d"
              .formatted(ids.length, model.name(), model.contextLength()));
    }
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= model.vocabularySize()) {
        throw new IllegalArgumentException(
            "token id %d at position %d of the prompt is outside the vocabulary of model %s, which has %d ids"
                .formatted(ids[i], i, model.name(), model.vocabularySize()));
      }
    }
    return ids;
  }

  SamplingOptions options() {
    return options;
  }

  boolean isFinished() {
    return finished != null;
  }

  /** Ends the completion if the request was cancelled. */
  void checkCancelled() {
    if (request.cancelled().getAsBoolean()) {
      finish(FinishReason.CANCELLED);
    }
  }

  /** Adds to a batch what a leaf's model has not read yet, and asks for the logits that follow. */
  void addTo(ForwardBatch batch, int leaf) {
    if (count == 0) {
      batch.add(caches[leaf], prompts[leaf], 0, prompts[leaf].length, 1);
    } else {
      batch.add(caches[leaf], tokens, count - 1, count, 1);
    }
  }

  /** Where the noise of the next draw is. */
  long noiseAddress() {
    return Noise.address(seed, 0, count);
  }

  /** What stands where, for messages: the position of the next token in the completion. */
  int position() {
    return count;
  }

  /** Takes a drawn token, and ends the completion where it ends. */
  void accept(int id, double logProbability) {
    if (count == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * count);
      logProbabilities = Arrays.copyOf(logProbabilities, 2 * count);
    }
    tokens[count] = id;
    logProbabilities[count++] = logProbability;
    lastTokenAt = System.nanoTime();
    if (count == 1) {
      firstTokenAt = lastTokenAt;
    }
    request.listener().onToken(id, logProbability);
    if (!options.ignoreEndOfText() && endOfTextIds.contains(id)) {
      finish(FinishReason.END_OF_TEXT);
      return;
    }
    if (decoder != null) {
      emit(stops.append(decoder.append(id)));
    }
    if (stops.reached()) {
      finish(FinishReason.STOP_STRING);
    } else if (count == options.maxNewTokens()) {
      finish(FinishReason.MAX_NEW_TOKENS);
    } else if (count == room) {
      finish(FinishReason.CONTEXT_FULL);
    }
  }

  private void finish(FinishReason reason) {
    finished = reason;
    if (decoder != null) {
      String rest = stops.append(decoder.flush());
      if (stops.reached() && reason != FinishReason.CANCELLED) {
        finished = FinishReason.STOP_STRING;
      }
      emit(rest + stops.flush());
    }
  }

  private void emit(String piece) {
    if (!piece.isEmpty()) {
      text.append(piece);
      request.listener().onText(piece);
    }
  }

  /** What was written; the completion must have ended. */
  Completion completion() {
    if (finished == null) {
      throw new IllegalStateException("the completion has not ended");
    }
    boolean any = count > 0;
    return new Completion(
        text.toString(),
        Arrays.stream(tokens, 0, count).boxed().toList(),
        Arrays.stream(logProbabilities, 0, count).boxed().toList(),
        finished,
        longestPrompt,
        seed,
        Duration.ofNanos((any ? firstTokenAt : System.nanoTime()) - started),
        Duration.ofNanos(any ? lastTokenAt - firstTokenAt : 0));
  }

  @Override
  public void close() {
    for (KeyValueCache cache : caches) {
      cache.close();
    }
  }
}
