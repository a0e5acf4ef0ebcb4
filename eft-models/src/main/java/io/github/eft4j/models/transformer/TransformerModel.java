package io.github.eft4j.models.transformer;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.util.Arrays;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the model families share: everything but the layers. Checks a batch, takes it through the
 * layers in chunks, so that a prompt of any length needs the same memory for activations, and
 * computes the logits of those rows alone that want them.
 *
 * @param <A> the family's activations
 */
abstract class TransformerModel<A> implements LanguageModel {
  /** Long enough that reading the weights once for each chunk costs little. */
  private static final int CHUNK_ROWS = 256;

  private record Activations<A>(INDArray hidden, INDArray selected, A family) {}

  private final ModelConfig config;
  private final Weights weights;
  private final TensorOps ops;
  private final ModelMetadata metadata;
  private final Queue<Workspace<Activations<A>>> idleWorkspaces = new ConcurrentLinkedQueue<>();

  /** Passes hold the read lock, so that closing waits for them before it unmaps the weights. */
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private boolean closed;

  TransformerModel(ModelConfig config, Weights weights, TensorOps ops, ModelMetadata metadata) {
    this.config = config;
    this.weights = weights;
    this.ops = ops;
    this.metadata = metadata;
  }

  /**
   * Lists the family's activations.
   *
   * @param array gives an array of the rows of a pass and as many columns as asked
   */
  abstract A activations(IntFunction<INDArray> array);

  /**
   * Embeds the rows' tokens and runs all layers.
   *
   * @param hidden receives the output of the last layer, {@code [rows, hiddenSize]}
   */
  abstract void layers(Rows rows, INDArray hidden, A activations);

  /**
   * Computes logits.
   *
   * @param hidden the output of the last layer, {@code [n, hiddenSize]}; may be overwritten
   * @param logits receives the logits, {@code [n, vocabularySize]}
   */
  abstract void output(INDArray hidden, INDArray logits);

  @Override
  public final String name() {
    return metadata.name();
  }

  @Override
  public final int vocabularySize() {
    return config.vocabularySize();
  }

  @Override
  public final int contextLength() {
    return config.contextLength();
  }

  @Override
  public final Set<Integer> endOfTextIds() {
    return metadata.endOfTextIds();
  }

  @Override
  public final Optional<Tokenizer> tokenizer() {
    return metadata.tokenizer();
  }

  @Override
  public final Optional<ChatTemplate> chatTemplate() {
    return metadata.chatTemplate();
  }

  @Override
  public final KeyValueCache newCache() {
    lock.readLock().lock();
    try {
      checkOpen();
      return new TransformerCache(
          this,
          ops.newKeyValueStore(config.layers(), config.keyValueHeads(), config.headSize()),
          0);
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public final void forward(ForwardBatch batch, INDArray logits) {
    lock.readLock().lock();
    try {
      checkOpen();
      checkBatch(batch);
      checkLogits(batch, logits);
      int acquired = 0;
      try {
        for (; acquired < batch.sequences(); acquired++) {
          acquire(batch, acquired);
        }
        checkLengths(batch);
        run(batch, logits);
        for (int s = 0; s < batch.sequences(); s++) {
          cache(batch, s).advance(batch.end(s) - batch.start(s));
        }
      } finally {
        for (int s = 0; s < acquired; s++) {
          cache(batch, s).release();
        }
      }
    } finally {
      lock.readLock().unlock();
    }
  }

  private void run(ForwardBatch batch, INDArray logits) {
    Workspace<Activations<A>> workspace = takeWorkspace(Math.min(batch.rows(), CHUNK_ROWS));
    try {
      int logitRow = 0;
      for (int from = 0; from < batch.rows(); from += CHUNK_ROWS) {
        Rows rows = workspace.rows();
        rows.fill(batch, from, Math.min(from + CHUNK_ROWS, batch.rows()));
        Activations<A> activations = workspace.activations(rows.count());
        layers(rows, activations.hidden(), activations.family());
        int wanted = rows.wantedCount();
        if (wanted > 0) {
          INDArray selected = activations.hidden();
          if (wanted < rows.count()) {
            selected = workspace.activations(wanted).selected();
            ops.gather(activations.hidden(), rows.wanted(), selected);
          }
          output(
              selected,
              wanted == batch.logitRows()
                  ? logits
                  : NativeArrays.rows(logits, logitRow, logitRow + wanted));
          logitRow += wanted;
        }
      }
    } finally {
      idleWorkspaces.add(workspace);
    }
  }

  /** A workspace for so many rows, larger ones being made only once they are needed. */
  private Workspace<Activations<A>> takeWorkspace(int rows) {
    Workspace<Activations<A>> idle = idleWorkspaces.poll();
    if (idle != null) {
      if (idle.capacity() >= rows) {
        return idle;
      }
      idle.close();
    }
    int capacity = rows == 1 ? 1 : Math.min(CHUNK_ROWS, 2 * Integer.highestOneBit(rows - 1));
    return new Workspace<>(
        ops,
        capacity,
        array ->
            new Activations<>(
                array.apply(config.hiddenSize()),
                array.apply(config.hiddenSize()),
                activations(array)));
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("model " + name() + " was closed");
    }
  }

  private void checkBatch(ForwardBatch batch) {
    if (batch.rows() == 0) {
      throw new IllegalArgumentException("the batch has no tokens");
    }
    for (int s = 0; s < batch.sequences(); s++) {
      if (!(batch.cache(s) instanceof TransformerCache cache) || !cache.model().equals(this)) {
        throw new IllegalArgumentException(
            "the cache of sequence %d is not one of model %s".formatted(s, name()));
      }
      for (int row = batch.start(s); row < batch.end(s); row++) {
        int id = batch.token(row);
        if (id < 0 || id >= vocabularySize()) {
          throw new IllegalArgumentException(
              "token id %d (new token %d of sequence %d) is outside the vocabulary of model %s, which has %d ids"
                  .formatted(id, row - batch.start(s), s, name(), vocabularySize()));
        }
      }
    }
  }

  private void checkLengths(ForwardBatch batch) {
    for (int s = 0; s < batch.sequences(); s++) {
      int past = cache(batch, s).length();
      int added = batch.end(s) - batch.start(s);
      if (added > contextLength() - past) {
        throw new IllegalArgumentException(
            "sequence %d would have %d tokens (%d read before and %d new), but the context length of model %s is %d"
                .formatted(s, (long) past + added, past, added, name(), contextLength()));
      }
    }
  }

  private void checkLogits(ForwardBatch batch, INDArray logits) {
    if (logits.dataType() != DataType.FLOAT
        || logits.rank() != 2
        || logits.size(0) != batch.logitRows()
        || logits.size(1) != vocabularySize()
        || (batch.logitRows() > 0 && !NativeArrays.isContiguous(logits))) {
      throw new IllegalArgumentException(
          "logits are %s %s with strides %s, expected contiguous FLOAT [%d, %d]"
              .formatted(
                  logits.dataType(),
                  Arrays.toString(logits.shape()),
                  Arrays.toString(logits.stride()),
                  batch.logitRows(),
                  vocabularySize()));
    }
  }

  private void acquire(ForwardBatch batch, int sequence) {
    TransformerCache cache = cache(batch, sequence);
    if (!cache.acquire()) {
      for (int s = 0; s < sequence; s++) {
        if (batch.cache(s) == cache) {
          throw new IllegalArgumentException(
              "sequences %d and %d of the batch have the same cache".formatted(s, sequence));
        }
      }
      throw new IllegalStateException(
          "the cache of sequence %d is in use by another thread".formatted(sequence));
    }
    if (cache.isClosed()) {
      cache.release();
      throw new IllegalStateException("the cache of sequence %d was closed".formatted(sequence));
    }
  }

  private static TransformerCache cache(ForwardBatch batch, int sequence) {
    return (TransformerCache) batch.cache(sequence);
  }

  @Override
  public final void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        idleWorkspaces.forEach(Workspace::close);
        idleWorkspaces.clear();
        weights.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public final String toString() {
    return name();
  }
}
