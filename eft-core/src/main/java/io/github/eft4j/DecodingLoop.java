package io.github.eft4j;

import io.github.eft4j.LogitCombiner.Leaf;
import io.github.eft4j.Speculation.AcceptanceRule;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Decodes sequences together, in rounds. A round runs every model once and draws one token for each
 * sequence; with speculation, first the draft model drafts a block of tokens for each sequence,
 * then every other model checks all blocks in one pass, and each sequence gains as many tokens as
 * were accepted and one more.
 *
 * <p>Holds the memory that this needs; not safe for use by several threads at once.
 */
final class DecodingLoop implements AutoCloseable {
  /** The block length of the first rounds, before passes were timed. */
  private static final int FIRST_BLOCK = 4;

  private final List<Leaf> readers;
  private final int leaves;
  private final @Nullable Speculation speculation;
  private final SpeculationMeasurements measurements;
  private final int draftReader;
  private final List<ModelRun> runs = new ArrayList<>();
  private final LogitRows[] targetLogits;
  private final List<LogitRows> draftLogits = new ArrayList<>();
  private final ForwardBatch batch = new ForwardBatch();
  private final MemorySegment[] rows;
  private final double[] scores;
  private final double[] draftScores;
  private final TokenDraw target;
  private final TokenDraw draft;
  private List<Sequence> wanted = List.of();
  private final double[] targetProbabilities;
  private final double[] draftProbabilities;
  private @Nullable TokenTracer tracer;
  private final TruncationPolicy truncationPolicy;
  private @Nullable TruncatedDraw truncatedDraw;

  /** For each leaf, where {@link #rows} points. */
  private final LogitRows[] rowsOf;

  private final int[] rowIndex;

  /** One model, the readers that it serves, and what its passes cost. */
  private static final class ModelRun {
    final LanguageModel model;
    final List<Integer> readers = new ArrayList<>();
    final PassCosts costs;

    ModelRun(LanguageModel model, PassCosts costs) {
      this.model = model;
      this.costs = costs;
    }
  }

  /** Where a sequence's rows of a round are. */
  private static final class Turn {
    final Sequence sequence;

    /** For each reader, the row of its logits that follows the last accepted token. */
    final int[] firstRow;

    int block;

    /** For each drafted token, its sequence's row in that step of drafting. */
    int[] draftRow = new int[0];

    Turn(Sequence sequence, int readers) {
      this.sequence = sequence;
      this.firstRow = new int[readers];
    }
  }

  /**
   * Makes a loop.
   *
   * @param leaves the models that are combined, and how they read the prompt
   * @param vocabulary the number of ids that are combined
   * @param speculation how to draft, or null for not at all
   * @param measurements what was measured before, and takes what is measured
   * @param truncationPolicy what to accept where lists of tokens do not decide
   */
  DecodingLoop(
      List<Leaf> leaves,
      int vocabulary,
      @Nullable Speculation speculation,
      SpeculationMeasurements measurements,
      TruncationPolicy truncationPolicy) {
    this.truncationPolicy = truncationPolicy;
    this.readers = readers(leaves, speculation);
    this.leaves = leaves.size();
    this.speculation = speculation;
    this.measurements = measurements;
    this.draftReader = draftReader(readers, speculation);
    this.rows = new MemorySegment[readers.size()];
    this.rowsOf = new LogitRows[readers.size()];
    this.rowIndex = new int[readers.size()];
    this.scores = new double[vocabulary];
    this.target = new TokenDraw(vocabulary);
    boolean ratio = speculation != null && speculation.rule() == AcceptanceRule.RATIO;
    this.draftScores = new double[speculation == null ? 0 : vocabulary];
    this.draft = new TokenDraw(speculation == null ? 0 : vocabulary);
    this.targetProbabilities = new double[ratio ? vocabulary : 0];
    this.draftProbabilities = new double[ratio ? vocabulary : 0];
    Map<LanguageModel, ModelRun> byModel = new HashMap<>();
    for (int i = 0; i < readers.size(); i++) {
      LanguageModel model = readers.get(i).model();
      ModelRun run = byModel.get(model);
      if (run == null) {
        run = new ModelRun(model, measurements.costs(model));
        byModel.put(model, run);
        runs.add(run);
      }
      run.readers.add(i);
    }
    this.targetLogits =
        runs.stream()
            .map(run -> new LogitRows(run.model.vocabularySize()))
            .toArray(LogitRows[]::new);
  }

  /** The leaves, and behind them a draft model that is none of them. */
  static List<Leaf> readers(List<Leaf> leaves, @Nullable Speculation speculation) {
    if (draftReader(leaves, speculation) >= 0 || speculation == null) {
      return leaves;
    }
    List<Leaf> all = new ArrayList<>(leaves);
    all.add(new Leaf(speculation.draft(), leaves.getFirst().format()));
    return List.copyOf(all);
  }

  /** Which of the readers is the draft model, or -1 where none is. */
  static int draftReader(List<Leaf> readers, @Nullable Speculation speculation) {
    for (int i = 0; i < readers.size() && speculation != null; i++) {
      if (readers.get(i).model().equals(speculation.draft())) {
        return i;
      }
    }
    return -1;
  }

  /** Whether a reader's logits are wanted for every token of a sequence. */
  private boolean isWanted(int reader, Sequence sequence) {
    return reader < leaves || sequence.isTraced();
  }

  /**
   * Decodes until all sequences have ended.
   *
   * @param waiting groups of completions that share a prompt, in the order in which they are begun
   * @param most the greatest number of sequences that are decoded together, unless one group has
   *     more
   */
  void run(Queue<List<Sequence>> waiting, int most) {
    List<Sequence> active = new ArrayList<>();
    while (true) {
      List<List<Sequence>> begun = new ArrayList<>();
      int count = active.size();
      while (!waiting.isEmpty() && (count == 0 || count + waiting.element().size() <= most)) {
        List<Sequence> group = new ArrayList<>(waiting.remove());
        group.forEach(Sequence::checkStillWanted);
        group.removeIf(Sequence::isFinished);
        if (!group.isEmpty()) {
          begun.add(group);
          count += group.size();
        }
      }
      if (!begun.isEmpty()) {
        List<Sequence> all = begun.stream().flatMap(List::stream).toList();
        wanted = all;
        try {
          begin(begun);
        } catch (CancellationException e) {
          requireUnwanted(e);
        }
        active.addAll(all);
      }
      for (Sequence sequence : active) {
        sequence.checkStillWanted();
        if (sequence.isFinished()) {
          sequence.close();
        }
      }
      active.removeIf(Sequence::isFinished);
      if (!active.isEmpty()) {
        wanted = active;
        try {
          round(active);
        } catch (CancellationException e) {
          requireUnwanted(e);
        }
      } else if (waiting.isEmpty()) {
        return;
      }
    }
  }

  /** Whether nobody waits any more for the sequences that a pass is made for. */
  private boolean isAbandoned() {
    return wanted.stream().noneMatch(Sequence::isWanted);
  }

  private void requireUnwanted(CancellationException e) {
    wanted.forEach(Sequence::checkStillWanted);
    if (!wanted.stream().allMatch(Sequence::isFinished)) {
      throw new IllegalStateException("a model gave up a pass that is still wanted", e);
    }
  }

  /** Reads the prompts of new sequences, and draws the first token of each. */
  private void begin(List<List<Sequence>> groups) {
    List<Sequence> leaders = groups.stream().map(List::getFirst).toList();
    leaders.forEach(Sequence::open);
    List<Turn> turns = leaders.stream().map(s -> new Turn(s, readers.size())).toList();
    for (int r = 0; r < runs.size(); r++) {
      batch.clear();
      for (int reader : runs.get(r).readers) {
        for (Turn turn : turns) {
          turn.firstRow[reader] = batch.logitRows();
          turn.sequence.addPrompt(batch, reader);
        }
      }
      forward(runs.get(r), targetLogits[r], false);
    }
    for (int g = 0; g < turns.size(); g++) {
      for (Sequence sequence : groups.get(g)) {
        if (!sequence.equals(leaders.get(g))) {
          sequence.openLike(leaders.get(g));
        }
        loadRows(turns.get(g), 0, null, 0);
        acceptDrawn(sequence, draw(sequence), OptionalInt.empty());
      }
    }
  }

  private void round(List<Sequence> active) {
    List<Turn> turns = active.stream().map(s -> new Turn(s, readers.size())).toList();
    int longest = 0;
    for (Turn turn : turns) {
      turn.block = blockLength(turn.sequence, active.size());
      turn.draftRow = new int[turn.block];
      longest = Math.max(longest, turn.block);
    }
    for (int step = 0; step < longest; step++) {
      draftStep(turns, step);
    }
    check(turns);
    List<Turn> allAccepted = new ArrayList<>();
    for (Turn turn : turns) {
      if (take(turn)) {
        allAccepted.add(turn);
      }
    }
    if (!allAccepted.isEmpty()) {
      takeOneMore(allAccepted);
    }
    active.forEach(Sequence::truncateCaches);
  }

  /** How many tokens to draft for a sequence. */
  private int blockLength(Sequence sequence, int together) {
    if (speculation == null || sequence.isForced()) {
      return 0;
    }
    int most = Math.min(speculation.blockLength(), sequence.remaining() - 1);
    return speculation.adaptive() ? bestBlockLength(sequence, most, together) : most;
  }

  private int bestBlockLength(Sequence sequence, int most, int together) {
    for (ModelRun run : runs) {
      if (!run.costs.isKnown()) {
        return Math.min(FIRST_BLOCK, most);
      }
    }
    boolean wanted = isWanted(draftReader, sequence);
    int best = bestBlockLength(sequence.recentAcceptance(), most, together, wanted);
    if (best == 0 && !wanted && bestBlockLength(1, most, together, false) > 0) {
      double round = checkTime(together);
      double probe =
          runOf(draftReader).costs.estimate(sequence.unread(draftReader))
              + checkTime(together + 1)
              - round;
      return measurements.isWorthAProbe(probe, round / together) ? 1 : 0;
    }
    return best;
  }

  /** How long all models but the drafter take for some rows each. */
  private double checkTime(int rows) {
    double time = 0;
    for (ModelRun run : runs) {
      int readers = run.readers.size() - (run.readers.contains(draftReader) ? 1 : 0);
      if (readers > 0) {
        time += run.costs.estimate(rows * readers);
      }
    }
    return time;
  }

  /**
   * The block length with the most expected tokens a second. A block of n drafted tokens, each
   * accepted with probability a, gives 1 + a + … + aⁿ tokens. If the combination wants the
   * drafter's logits too, the drafter reads the last of them where a sequence has its block
   * accepted.
   */
  private int bestBlockLength(double acceptance, int most, int together, boolean wanted) {
    double draftPass = runOf(draftReader).costs.estimate(together);
    int best = 0;
    double bestRate = 0;
    double tokens = 0;
    double chance = 1;
    for (int block = 0; block <= most; block++) {
      tokens += chance;
      double time = block * draftPass + checkTime(together * (block + 1));
      if (wanted) {
        time += block == 0 ? draftPass : (1 - Math.pow(1 - chance, together)) * draftPass;
      }
      if (tokens / time > bestRate) {
        bestRate = tokens / time;
        best = block;
      }
      chance *= acceptance;
    }
    return best;
  }

  /** Drafts one token more for each sequence whose block is not full. */
  private void draftStep(List<Turn> turns, int step) {
    batch.clear();
    for (Turn turn : turns) {
      if (turn.block > step) {
        turn.draftRow[step] = batch.logitRows();
        turn.sequence.addUnread(batch, draftReader, 1);
      }
    }
    ModelRun run = runOf(draftReader);
    if (step == draftLogits.size()) {
      draftLogits.add(new LogitRows(run.model.vocabularySize()));
    }
    forward(run, draftLogits.get(step), true);
    for (Turn turn : turns) {
      if (turn.block > step) {
        prepareDraft(turn.sequence, draftLogits.get(step).row(turn.draftRow[step]));
        turn.sequence.draft(draft.draw(turn.sequence.noiseAddress(Noise.Use.DRAW)));
      }
    }
  }

  /** Runs every model but the drafter on the blocks, and the drafter where nothing was drafted. */
  private void check(List<Turn> turns) {
    for (int r = 0; r < runs.size(); r++) {
      batch.clear();
      for (int reader : runs.get(r).readers) {
        for (Turn turn : turns) {
          if (isWanted(reader, turn.sequence) && (reader != draftReader || turn.block == 0)) {
            turn.firstRow[reader] = batch.logitRows();
            turn.sequence.addUnread(batch, reader, turn.block + 1);
          }
        }
      }
      if (batch.sequences() > 0) {
        forward(runs.get(r), targetLogits[r], true);
      }
    }
  }

  /**
   * Gives a sequence the tokens of its block that are accepted, and the one that replaces the first
   * that is not.
   *
   * @return whether all were accepted, and the token behind the block is still to be drawn
   */
  private boolean take(Turn turn) {
    Sequence sequence = turn.sequence;
    int[] block = sequence.takeDraft();
    for (int i = 0; i < turn.block; i++) {
      MemorySegment draftRow = draftLogits.get(i).row(turn.draftRow[i]);
      loadRows(turn, i, draftLogits.get(i), turn.draftRow[i]);
      int id = choose(sequence, draftRow, block[i]);
      checked(sequence, id == block[i], true);
      acceptDrawn(sequence, id, OptionalInt.of(block[i]));
      if (id != block[i] || sequence.isFinished()) {
        return false;
      }
    }
    boolean draftIsRead = draftReader >= 0 && isWanted(draftReader, sequence);
    if (turn.block > 0 && draftIsRead) {
      return true;
    }
    loadRows(turn, turn.block, null, 0);
    int id = draw(sequence);
    if (draftIsRead && speculation != null && speculation.adaptive()) {
      // Learn for nothing whether drafting would pay.
      prepareDraft(sequence, rows[draftReader]);
      checked(sequence, draft.draw(sequence.noiseAddress(Noise.Use.DRAW)) == id, false);
    }
    acceptDrawn(sequence, id, OptionalInt.empty());
    return false;
  }

  private void checked(Sequence sequence, boolean accept, boolean wasDrafted) {
    sequence.checked(accept, wasDrafted);
    measurements.checked(accept);
  }

  /** Draws the token behind blocks that were accepted whole, which the drafter has not seen yet. */
  private void takeOneMore(List<Turn> turns) {
    batch.clear();
    for (Turn turn : turns) {
      turn.firstRow[draftReader] = batch.logitRows();
      turn.sequence.addUnread(batch, draftReader, 1);
    }
    ModelRun run = runOf(draftReader);
    LogitRows logits = draftLogits.getFirst();
    forward(run, logits, true);
    for (Turn turn : turns) {
      loadRows(turn, turn.block, logits, turn.firstRow[draftReader]);
      acceptDrawn(turn.sequence, draw(turn.sequence), OptionalInt.empty());
    }
  }

  /** The token that takes the place of a drafted one: the same where it is accepted. */
  private int choose(Sequence sequence, MemorySegment draftRow, int drafted) {
    if (targetProbabilities.length == 0) {
      return draw(sequence);
    }
    evaluate(sequence);
    prepareDraft(sequence, draftRow);
    target.probabilities(targetProbabilities);
    draft.probabilities(draftProbabilities);
    double u = Noise.uniform(sequence.noiseAddress(Noise.Use.ACCEPT), 0);
    if (u * draftProbabilities[drafted] < targetProbabilities[drafted]) {
      return drafted;
    }
    return TokenDraw.drawResidual(
        targetProbabilities, draftProbabilities, sequence.noiseAddress(Noise.Use.RESIDUAL));
  }

  private void prepareDraft(Sequence sequence, MemorySegment row) {
    if (!RowKernels.fastest().widen(row, draftScores)) {
      throw notFinite(sequence, draftReader, row);
    }
    draft.prepare(draftScores, sequence.options(), sequence.counts());
  }

  /** Gives a sequence the token that was drawn from {@link #target}, which {@link #rows} made. */
  private void acceptDrawn(Sequence sequence, int drawn, OptionalInt drafted) {
    int id = sequence.forced(drawn);
    OptionalInt candidates = sequence.options().traceCandidates();
    if (candidates.isPresent()) {
      sequence.trace(trace(sequence, id, drafted, candidates.getAsInt()));
    }
    sequence.accept(id, target);
  }

  private TokenTrace trace(Sequence sequence, int id, OptionalInt drafted, int candidates) {
    if (tracer == null) {
      tracer = new TokenTracer(readers.size(), scores.length);
    }
    for (int reader = 0; reader < rows.length; reader++) {
      if (!tracer.read(reader, rows[reader])) {
        throw notFinite(sequence, reader, rows[reader]);
      }
    }
    return tracer.trace(sequence, id, drafted, target, candidates);
  }

  /**
   * Points {@link #rows} at a sequence's logits that follow its i-th drafted token.
   *
   * @param drafted the logits that the drafter gave meanwhile, or null where it ran with the others
   * @param draftRow the row of them
   */
  private void loadRows(Turn turn, int i, @Nullable LogitRows drafted, int draftRow) {
    for (int reader = 0; reader < rows.length; reader++) {
      if (!isWanted(reader, turn.sequence)) {
        continue;
      }
      if (drafted != null && reader == draftReader) {
        rowsOf[reader] = drafted;
        rowIndex[reader] = draftRow;
      } else {
        rowsOf[reader] = targetLogits[runIndex(reader)];
        rowIndex[reader] = turn.firstRow[reader] + i;
      }
      rows[reader] = rowsOf[reader].row(rowIndex[reader]);
    }
  }

  private int runIndex(int reader) {
    return runs.indexOf(runOf(reader));
  }

  private ModelRun runOf(int reader) {
    for (ModelRun run : runs) {
      if (run.readers.contains(reader)) {
        return run;
      }
    }
    throw new IllegalStateException("no model for reader " + reader);
  }

  /** Draws a sequence's next token from the distribution that {@link #rows} make. */
  private int draw(Sequence sequence) {
    TruncatedLeaf leaf = sequence.truncatedLeaf();
    if (leaf == null) {
      evaluate(sequence);
      return target.draw(sequence.noiseAddress(Noise.Use.DRAW));
    }
    LogitRows logits = rowsOf[leaf.leaf()];
    int index = rowIndex[leaf.leaf()];
    TruncatedDraw draw = truncatedDraw;
    if (draw == null) {
      draw = new TruncatedDraw(scores.length, leaf.model().vocabularySize());
      truncatedDraw = draw;
    }
    return draw.draw(
        sequence,
        leaf,
        rows,
        logits.list(index),
        new TruncatedDraw.Source() {
          @Override
          public LikeliestTokens ask(int count) {
            LikeliestTokens longer =
                leaf.model()
                    .likeliest(
                        sequence.cache(leaf.leaf()),
                        sequence.readLength(leaf.leaf()),
                        count,
                        DecodingLoop.this::isAbandoned);
            logits.setList(index, longer);
            return longer;
          }

          @Override
          public RuntimeException notFinite() {
            return DecodingLoop.this.notFinite(sequence);
          }
        },
        target,
        truncationPolicy);
  }

  /** Makes the distribution that a sequence's next token is drawn from, of {@link #rows}. */
  private void evaluate(Sequence sequence) {
    double max = sequence.plan().evaluate(rows, scores);
    if (Double.isNaN(max)) {
      throw notFinite(sequence);
    }
    target.prepare(scores, max, sequence.options(), sequence.counts());
  }

  private void forward(ModelRun run, LogitRows logits, boolean timed) {
    INDArray out = logits.rows(batch.logitRows());
    long start = measurements.nanoTime();
    List<LikeliestTokens> lists = null;
    if (run.model instanceof TruncatedLanguageModel model) {
      lists = model.forward(batch, listLength(run, model), this::isAbandoned);
    } else {
      run.model.forward(batch, out);
    }
    if (timed) {
      run.costs.measured(batch.rows(), measurements.nanoTime() - start);
    }
    if (lists == null) {
      logits.read(out);
    } else {
      logits.read(out, lists);
    }
  }

  /** How long lists have to be: whole ones, unless nobody reads them in another way. */
  private int listLength(ModelRun run, TruncatedLanguageModel model) {
    for (Sequence sequence : wanted) {
      TruncatedLeaf leaf = sequence.truncatedLeaf();
      for (int reader : run.readers) {
        if (reader < leaves && (leaf == null || leaf.leaf() != reader)) {
          return model.longestList();
        }
      }
    }
    return model.firstList();
  }

  /** Finds the model and token that spoilt the scores made of {@link #rows}. */
  private IllegalStateException notFinite(Sequence sequence) {
    for (int leaf = 0; leaf < leaves; leaf++) {
      for (int id = 0; id < scores.length; id++) {
        if (!Float.isFinite(rows[leaf].getAtIndex(ValueLayout.JAVA_FLOAT, id))) {
          return notFinite(sequence, leaf, rows[leaf]);
        }
      }
    }
    return new IllegalStateException(
        "the combined distribution is not finite at new token "
            + sequence.position()
            + ": a weight is too large or a custom combination gave NaN");
  }

  private IllegalStateException notFinite(Sequence sequence, int reader, MemorySegment row) {
    int id = 0;
    while (Float.isFinite(row.getAtIndex(ValueLayout.JAVA_FLOAT, id))) {
      id++;
    }
    return new IllegalStateException(
        "model %s gave the logit %s for token id %d at new token %d"
            .formatted(
                readers.get(reader).model().name(),
                row.getAtIndex(ValueLayout.JAVA_FLOAT, id),
                id,
                sequence.position() + sequence.draftCount()));
  }

  @Override
  public void close() {
    for (LogitRows logits : targetLogits) {
      logits.close();
    }
    draftLogits.forEach(LogitRows::close);
  }
}
