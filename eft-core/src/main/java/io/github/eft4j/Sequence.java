package io.github.eft4j;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One completion while it grows: what each model has read, what was drawn or drafted, and what of
 * it is text.
 */
final class Sequence implements AutoCloseable {
  private final SampleRequest request;
  private final SamplingOptions options;
  private final CombinerPlan plan;
  private final Set<Integer> endOfTextIds;
  private final long seed;
  private final List<LogitCombiner.Leaf> readers;
  private final int draftReader;
  private final int[][] prompts;
  private final KeyValueCache[] caches;
  private final int room;
  private final @Nullable TokenCounts counts;
  private final @Nullable StreamingDecoder decoder;
  private final StopStrings stops;
  private final StringBuilder text = new StringBuilder();
  private final long started = System.nanoTime();
  private long firstTokenAt;
  private long lastTokenAt;

  /** The tokens that were drawn, then those that are only drafted. */
  private int[] tokens = new int[16];

  private double[] logProbabilities = new double[16];
  private int count;
  private int draftCount;
  private final List<List<TokenProbability>> top = new ArrayList<>();
  private final List<TokenTrace> traces = new ArrayList<>();
  private final @Nullable TruncatedLeaf truncatedLeaf;
  private final List<Double> distributionBounds = new ArrayList<>();
  private final List<Double> logProbabilityBounds = new ArrayList<>();
  private int askedAgain;
  private @Nullable FinishReason finished;

  private int drafted;
  private int checked;
  private int accepted;
  private int blocks;

  /** Recent checks of drafted tokens, two of which stand for what was known before. */
  private double recentChecked = 2;

  /** How many of them were accepted. */
  private double recentAccepted;

  /**
   * Makes a completion that has not begun.
   *
   * @param request what was asked for
   * @param options how tokens are drawn
   * @param plan what is sampled
   * @param truncatedLeaf the leaf of it whose model gives short lists of tokens, or null for none
   * @param endOfTextIds the tokens that end it
   * @param seed makes its draws reproducible
   * @param readers the models and how they read the prompt
   * @param draftReader which of them drafts, or -1 for none
   * @param acceptance how likely drafted tokens are to be accepted, as far as is known
   * @param tokenizer turns tokens into text, or null for none
   * @param vocabulary the number of ids that can be drawn
   * @throws IllegalArgumentException if a prompt is empty or longer than the model's context
   */
  Sequence(
      SampleRequest request,
      SamplingOptions options,
      CombinerPlan plan,
      @Nullable TruncatedLeaf truncatedLeaf,
      Set<Integer> endOfTextIds,
      long seed,
      List<LogitCombiner.Leaf> readers,
      int draftReader,
      double acceptance,
      @Nullable Tokenizer tokenizer,
      int vocabulary) {
    this.request = request;
    this.options = options;
    this.plan = plan;
    this.truncatedLeaf = truncatedLeaf;
    this.endOfTextIds = endOfTextIds;
    this.seed = seed;
    this.readers = readers;
    this.draftReader = draftReader;
    this.recentAccepted = acceptance * recentChecked;
    this.prompts =
        readers.stream().map(reader -> encode(request.prompt(), reader)).toArray(int[][]::new);
    int least = Integer.MAX_VALUE;
    for (int i = 0; i < prompts.length; i++) {
      // The last token that is drawn need not be read.
      least = Math.min(least, readers.get(i).model().contextLength() - prompts[i].length + 1);
    }
    this.room = least;
    this.caches = new KeyValueCache[prompts.length];
    this.counts = options.penalises() ? new TokenCounts(vocabulary, prompts[0]) : null;
    this.decoder = tokenizer == null ? null : new StreamingDecoder(tokenizer, prompts[0]);
    this.stops = new StopStrings(options.stopStrings());
  }

  /** Writes a prompt as a model reads it, and checks that the model can. */
  static int[] encode(Prompt prompt, LogitCombiner.Leaf reader) {
    LanguageModel model = reader.model();
    int[] ids = reader.format().encode(prompt, model);
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

  /** Makes the caches, empty. */
  void open() {
    for (int i = 0; i < caches.length; i++) {
      caches[i] = readers.get(i).model().newCache();
    }
  }

  /** Makes the caches as copies of those of another completion of the same prompt. */
  void openLike(Sequence other) {
    for (int i = 0; i < caches.length; i++) {
      caches[i] = other.caches[i].fork();
    }
  }

  SamplingOptions options() {
    return options;
  }

  CombinerPlan plan() {
    return plan;
  }

  @Nullable TruncatedLeaf truncatedLeaf() {
    return truncatedLeaf;
  }

  /** Notes what the draw of the next token was worth, of which a list of tokens was all known. */
  void truncated(double distributionBound, double logProbabilityBound, boolean again) {
    distributionBounds.add(distributionBound);
    logProbabilityBounds.add(logProbabilityBound);
    askedAgain += again ? 1 : 0;
  }

  KeyValueCache cache(int reader) {
    return caches[reader];
  }

  /** The number of tokens, of prompt and completion, that a reader's next token follows. */
  int readLength(int reader) {
    return prompts[reader].length + count;
  }

  @Nullable TokenCounts counts() {
    return counts;
  }

  /** Whether it is asked what each model makes of each token. */
  boolean isTraced() {
    return options.traceCandidates().isPresent();
  }

  boolean isFinished() {
    return finished != null;
  }

  /** Whether the completion has not ended, nor been cancelled, nor has its time passed. */
  boolean isWanted() {
    return finished == null && whyUnwanted() == null;
  }

  /** Ends the completion if the request was cancelled or its time is over. */
  void checkStillWanted() {
    FinishReason reason = finished == null ? whyUnwanted() : null;
    if (reason != null) {
      finish(reason);
    }
  }

  private @Nullable FinishReason whyUnwanted() {
    Duration deadline = request.deadline();
    if (request.cancelled().getAsBoolean()) {
      return FinishReason.CANCELLED;
    }
    return deadline != null && System.nanoTime() - started >= deadline.toNanos()
        ? FinishReason.DEADLINE
        : null;
  }

  /** Adds a reader's prompt to a batch, and asks for the logits that follow it. */
  void addPrompt(ForwardBatch batch, int reader) {
    batch.add(caches[reader], prompts[reader], 0, prompts[reader].length, 1);
  }

  /** Adds to a batch the tokens, drafted ones included, that a reader has not read yet. */
  void addUnread(ForwardBatch batch, int reader, int logitRows) {
    int from = caches[reader].length() - prompts[reader].length;
    batch.add(caches[reader], tokens, from, count + draftCount, logitRows);
  }

  /** The number of tokens that a reader has not read yet. */
  int unread(int reader) {
    return prompts[reader].length + count + draftCount - caches[reader].length();
  }

  /** The number of new tokens there may still be. */
  int remaining() {
    return Math.min(options.maxNewTokens(), room) - count;
  }

  /** Whether the next token is one that the completion must begin with. */
  boolean isForced() {
    return count < options.forcedIds().size();
  }

  /** The number of tokens that were drawn. */
  int position() {
    return count;
  }

  int draftCount() {
    return draftCount;
  }

  /** Where the noise is for the token that follows the drawn and drafted ones. */
  long noiseAddress(Noise.Use use) {
    return Noise.address(seed, count + draftCount, use);
  }

  /** Adds a drafted token. */
  void draft(int id) {
    if (draftCount == 0) {
      blocks++;
    }
    ensureRoom(count + draftCount);
    tokens[count + draftCount++] = id;
    drafted++;
    if (counts != null) {
      counts.add(id);
    }
  }

  /** Makes drafted tokens candidates: they stay in place, but count no longer. */
  int[] takeDraft() {
    int[] draft = Arrays.copyOfRange(tokens, count, count + draftCount);
    if (counts != null) {
      for (int id : draft) {
        counts.remove(id);
      }
    }
    draftCount = 0;
    return draft;
  }

  /** Notes whether a drafted token was, or would have been, accepted. */
  void checked(boolean accept, boolean wasDrafted) {
    if (wasDrafted) {
      checked++;
      accepted += accept ? 1 : 0;
    }
    double memory = 0.95;
    recentChecked = memory * recentChecked + 1;
    recentAccepted = memory * recentAccepted + (accept ? 1 : 0);
  }

  /** How likely a drafted token is to be accepted, judged by the last few dozen. */
  double recentAcceptance() {
    return recentAccepted / recentChecked;
  }

  private void ensureRoom(int index) {
    if (index >= tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * index);
      logProbabilities = Arrays.copyOf(logProbabilities, 2 * index);
    }
  }

  /**
   * The token that stands in place of one that was drawn, where the completion's start is given.
   */
  int forced(int id) {
    return isForced() ? options.forcedIds().get(count) : id;
  }

  /** The characters that would become whole with a token. */
  String textOf(int id) {
    return decoder == null ? "" : new StreamingDecoder(decoder).append(id);
  }

  /** Notes how the next token came about, before it is taken. */
  void trace(TokenTrace trace) {
    traces.add(trace);
  }

  /** Takes a drawn token, and ends the completion where it ends. */
  void accept(int id, TokenDraw draw) {
    ensureRoom(count);
    tokens[count] = id;
    double logProbability = draw.logProbability(id);
    logProbabilities[count++] = logProbability;
    if (options.topLogProbabilities() > 0) {
      top.add(draw.top(options.topLogProbabilities()));
    }
    if (counts != null) {
      counts.add(id);
    }
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

  /** Forgets what models have read of tokens that were drafted but not accepted. */
  void truncateCaches() {
    for (int i = 0; i < caches.length; i++) {
      // The last token is read by the next pass.
      int known = prompts[i].length + count - 1;
      if (caches[i].length() > known) {
        caches[i].truncate(known);
      }
    }
  }

  /** Ends the completion where it is, if it has not ended; nobody is told of the text's end. */
  void fail() {
    if (finished == null) {
      finished = FinishReason.FAILED;
      if (decoder != null) {
        text.append(stops.append(decoder.flush())).append(stops.flush());
      }
    }
  }

  private void finish(FinishReason reason) {
    finished = reason;
    if (decoder != null) {
      String rest = stops.append(decoder.flush());
      if (stops.reached()) {
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
        top,
        isTraced() ? Optional.of(trace()) : Optional.empty(),
        finished,
        Arrays.stream(prompts).mapToInt(prompt -> prompt.length).max().orElseThrow(),
        seed,
        new SpeculationStatistics(drafted, checked, accepted, blocks),
        new TruncationReport(distributionBounds, logProbabilityBounds, askedAgain),
        Duration.ofNanos((any ? firstTokenAt : System.nanoTime()) - started),
        Duration.ofNanos(any ? lastTokenAt - firstTokenAt : 0));
  }

  private CompletionTrace trace() {
    return new CompletionTrace(
        readers.stream().map(reader -> reader.model().name()).toList(),
        draftReader < 0 ? OptionalInt.empty() : OptionalInt.of(draftReader),
        traces);
  }

  /** Frees the caches. Closing twice has no effect. */
  @Override
  public void close() {
    for (int i = 0; i < caches.length; i++) {
      if (caches[i] != null) {
        caches[i].close();
      }
    }
  }
}
