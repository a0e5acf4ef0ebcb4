package io.github.eft4j;

import io.github.eft4j.LogitCombiner.Leaf;
import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Decodes sequences together, a token of each at a time: runs every model once, combines, draws.
 * Holds the memory that this needs; not safe for use by several threads at once.
 */
final class DecodingLoop implements AutoCloseable {
  private final CombinerPlan plan;
  private final List<ModelRun> runs = new ArrayList<>();
  private final MemorySegment[] rows;
  private final double[] scores;
  private final TokenDraw draw;

  /** One model, the leaves that it serves, and the memory for its logits. */
  private static final class ModelRun {
    final LanguageModel model;
    final List<Integer> leaves = new ArrayList<>();
    final ForwardBatch batch = new ForwardBatch();
    final Map<Integer, INDArray> logits = new HashMap<>();

    ModelRun(LanguageModel model) {
      this.model = model;
    }

    INDArray logits(int rows) {
      return logits.computeIfAbsent(
          rows, n -> Nd4j.createUninitialized(DataType.FLOAT, n, model.vocabularySize()));
    }
  }

  DecodingLoop(CombinerPlan plan) {
    this.plan = plan;
    this.rows = new MemorySegment[plan.leaves().size()];
    this.scores = new double[plan.vocabulary()];
    this.draw = new TokenDraw(plan.vocabulary());
    Map<LanguageModel, ModelRun> byModel = new HashMap<>();
    for (int i = 0; i < plan.leaves().size(); i++) {
      LanguageModel model = plan.leaves().get(i).model();
      ModelRun run = byModel.get(model);
      if (run == null) {
        run = new ModelRun(model);
        byModel.put(model, run);
        runs.add(run);
      }
      run.leaves.add(i);
    }
  }

  /** Decodes until all sequences have ended. */
  void run(List<Sequence> sequences) {
    List<Sequence> active = new ArrayList<>(sequences);
    while (true) {
      active.forEach(Sequence::checkCancelled);
      active.removeIf(Sequence::isFinished);
      if (active.isEmpty()) {
        return;
      }
      step(active);
    }
  }

  private void step(List<Sequence> active) {
    MemorySegment[] logits = new MemorySegment[rows.length];
    for (ModelRun run : runs) {
      run.batch.clear();
      for (int leaf : run.leaves) {
        for (Sequence sequence : active) {
          sequence.addTo(run.batch, leaf);
        }
      }
      INDArray out = run.logits(run.batch.logitRows());
      run.model.forward(run.batch, out);
      long leafBytes = (long) Float.BYTES * active.size() * run.model.vocabularySize();
      for (int i = 0; i < run.leaves.size(); i++) {
        logits[run.leaves.get(i)] = NativeArrays.floats(out).asSlice(i * leafBytes, leafBytes);
      }
    }
    for (int s = 0; s < active.size(); s++) {
      Sequence sequence = active.get(s);
      for (int leaf = 0; leaf < rows.length; leaf++) {
        long bytes = logits[leaf].byteSize() / active.size();
        rows[leaf] = logits[leaf].asSlice(s * bytes, bytes);
      }
      if (!plan.evaluate(rows, scores)) {
        throw notFinite(sequence);
      }
      int id = draw.draw(scores, sequence.options(), sequence.noiseAddress());
      sequence.accept(id, draw.logProbability());
    }
  }

  /** Finds the model and token that spoilt the scores in {@link #rows}. */
  private IllegalStateException notFinite(Sequence sequence) {
    for (int leaf = 0; leaf < rows.length; leaf++) {
      Leaf of = plan.leaves().get(leaf);
      for (int id = 0; id < of.model().vocabularySize(); id++) {
        float logit = rows[leaf].getAtIndex(ValueLayout.JAVA_FLOAT, id);
        if (!Float.isFinite(logit)) {
          return new IllegalStateException(
              "model %s gave the logit %s for token id %d at new token %d"
                  .formatted(of.model().name(), logit, id, sequence.position()));
        }
      }
    }
    return new IllegalStateException(
        "the combined distribution is not finite at new token "
            + sequence.position()
            + ": a weight is too large or a custom combination gave NaN");
  }

  @Override
  public void close() {
    runs.forEach(run -> run.logits.values().forEach(INDArray::close));
  }
}
