package io.github.eft4j.models.transformer;

import io.github.eft4j.models.config.EncoderConfig;
import io.github.eft4j.tensor.AttentionBatch;
import io.github.eft4j.tensor.KeyValueStore;
import io.github.eft4j.tensor.Linear;
import io.github.eft4j.tensor.Matrix;
import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A BERT or RoBERTa encoder that classifies texts: all tokens read one another, each layer norm
 * stands behind what it normalises, and the first token's output is classified.
 *
 * <p>Immutable and safe for use by many threads at once. Closing frees the weights.
 */
public final class SequenceClassifier implements AutoCloseable {
  /** Inputs go through the layers together up to about so many rows, which bounds the memory. */
  private static final int CHUNK_ROWS = 512;

  /** The weight and bias of a layer norm. */
  private record Norm(INDArray weight, INDArray bias) {}

  /** The weights of one layer. */
  private record Layer(
      Linear query,
      Linear key,
      Linear value,
      Linear attentionOutput,
      Norm attentionNorm,
      Linear up,
      Linear down,
      Norm feedForwardNorm) {}

  private final String name;
  private final EncoderConfig config;
  private final Weights weights;
  private final TensorOps ops;
  private final float attentionScale;
  private final Matrix tokenEmbeddings;
  private final Matrix positionEmbeddings;
  private final Matrix typeEmbeddings;
  private final Norm embeddingNorm;
  private final List<Layer> layers;
  private final Linear pooler;
  private final Linear output;

  /** Passes hold the read lock, so that closing waits for them before it unmaps the weights. */
  private final ReadWriteLock lock = new ReentrantReadWriteLock();

  private boolean closed;

  SequenceClassifier(EncoderConfig config, Weights weights, TensorOps ops, String name) {
    this.name = name;
    this.config = config;
    this.weights = weights;
    this.ops = ops;
    attentionScale = (float) (1 / Math.sqrt(config.headSize()));
    int hidden = config.hiddenSize();
    int labels = config.labels().size();
    String prefix = config.family().modelType() + ".";
    String embeddings = prefix + "embeddings.";
    tokenEmbeddings =
        weights.table(embeddings + "word_embeddings.weight", config.vocabularySize(), hidden);
    positionEmbeddings =
        weights.table(embeddings + "position_embeddings.weight", config.positions(), hidden);
    typeEmbeddings =
        weights.table(embeddings + "token_type_embeddings.weight", config.tokenTypes(), hidden);
    embeddingNorm = norm(weights, embeddings + "LayerNorm", hidden);
    layers =
        IntStream.range(0, config.layers())
            .mapToObj(i -> layer(config, weights, prefix + "encoder.layer." + i + "."))
            .toList();
    switch (config.family()) {
      case BERT -> {
        pooler = weights.linear("bert.pooler.dense", hidden, hidden, true);
        output = weights.linear("classifier", labels, hidden, true);
      }
      case ROBERTA -> {
        pooler = weights.linear("classifier.dense", hidden, hidden, true);
        output = weights.linear("classifier.out_proj", labels, hidden, true);
      }
      default -> throw new IllegalStateException("no such family: " + config.family());
    }
  }

  private static Layer layer(EncoderConfig config, Weights weights, String prefix) {
    int hidden = config.hiddenSize();
    int inner = config.feedForwardSize();
    return new Layer(
        weights.linear(prefix + "attention.self.query", hidden, hidden, true),
        weights.linear(prefix + "attention.self.key", hidden, hidden, true),
        weights.linear(prefix + "attention.self.value", hidden, hidden, true),
        weights.linear(prefix + "attention.output.dense", hidden, hidden, true),
        norm(weights, prefix + "attention.output.LayerNorm", hidden),
        weights.linear(prefix + "intermediate.dense", inner, hidden, true),
        weights.linear(prefix + "output.dense", hidden, inner, true),
        norm(weights, prefix + "output.LayerNorm", hidden));
  }

  private static Norm norm(Weights weights, String name, int size) {
    return new Norm(weights.vector(name + ".weight", size), weights.vector(name + ".bias", size));
  }

  /** RoBERTa checkpoints often keep the pooler of pre-training, and both a table of 0, 1, 2, … */
  static boolean isRedundant(String tensor) {
    return tensor.equals("roberta.pooler.dense.weight")
        || tensor.equals("roberta.pooler.dense.bias")
        || tensor.endsWith(".embeddings.position_ids");
  }

  /**
   * A short name for messages and logs.
   *
   * @return the name, never empty
   */
  public String name() {
    return name;
  }

  /**
   * The names of the classes, as the model's configuration spells them.
   *
   * @return the labels, in the order of the logits
   */
  public List<String> labels() {
    return config.labels();
  }

  /**
   * The greatest number of tokens of an input, special ones included.
   *
   * @return the number of tokens
   */
  public int maxTokens() {
    return config.maxTokens();
  }

  /**
   * The number of token types.
   *
   * @return the number of types; 1 where texts of a pair are not told apart by it
   */
  public int tokenTypes() {
    return config.tokenTypes();
  }

  /**
   * Classifies a batch. What is said of an input does not depend on what else is in the batch.
   *
   * @param inputs the inputs, possibly none
   * @return what is said of each input, in the same order
   * @throws IllegalArgumentException if an input has more tokens than {@link #maxTokens}, or a
   *     token id or type that the model does not have
   * @throws IllegalStateException if the model was closed
   */
  public List<Classification> classify(List<EncoderInput> inputs) {
    List<EncoderRows.Sequence> sequences =
        IntStream.range(0, inputs.size())
            .mapToObj(i -> EncoderRows.sequence(config, name, i, inputs.get(i)))
            .toList();
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("model " + name + " was closed");
      }
      List<Classification> results = new ArrayList<>();
      for (int from = 0; from < sequences.size(); from = results.size()) {
        EncoderRows rows = new EncoderRows();
        for (int s = from;
            s < sequences.size() && rows.hasRoom(sequences.get(s), CHUNK_ROWS);
            s++) {
          rows.add(sequences.get(s));
        }
        forward(rows, results);
      }
      return results;
    } finally {
      lock.readLock().unlock();
    }
  }

  private void forward(EncoderRows rows, List<Classification> results) {
    try (Buffers buffers = new Buffers(ops)) {
      int count = rows.count();
      INDArray hidden = buffers.allocate(count, config.hiddenSize());
      INDArray query = buffers.allocate(count, config.hiddenSize());
      INDArray key = buffers.allocate(count, config.hiddenSize());
      INDArray value = buffers.allocate(count, config.hiddenSize());
      INDArray attended = buffers.allocate(count, config.hiddenSize());
      INDArray up = buffers.allocate(count, config.feedForwardSize());
      AttentionBatch batch = new AttentionBatch();
      for (EncoderRows.Sequence sequence : rows.sequences()) {
        batch.addBidirectional(
            buffers.store(config.heads(), config.headSize()), sequence.rows(), sequence.readable());
      }

      ops.embed(tokenEmbeddings, rows.ids(), hidden);
      ops.embed(typeEmbeddings, rows.types(), query);
      ops.add(hidden, query, hidden);
      ops.embed(positionEmbeddings, rows.positions(), query);
      ops.add(hidden, query, hidden);
      norm(hidden, embeddingNorm);

      for (Layer layer : layers) {
        ops.linear(
            hidden, List.of(layer.query(), layer.key(), layer.value()), List.of(query, key, value));
        ops.attention(0, query, key, value, batch, attentionScale, null, attended);
        ops.linear(attended, layer.attentionOutput(), query);
        ops.add(hidden, query, hidden);
        norm(hidden, layer.attentionNorm());
        ops.linear(hidden, layer.up(), up);
        ops.gelu(up, up);
        ops.linear(up, layer.down(), query);
        ops.add(hidden, query, hidden);
        norm(hidden, layer.feedForwardNorm());
      }

      int inputs = rows.sequences().size();
      INDArray first = buffers.allocate(inputs, config.hiddenSize());
      INDArray pooled = buffers.allocate(inputs, config.hiddenSize());
      INDArray logits = buffers.allocate(inputs, config.labels().size());
      ops.gather(hidden, rows.firstTokens(), first);
      ops.linear(first, pooler, pooled);
      ops.tanh(pooled, pooled);
      ops.linear(pooled, output, logits);
      read(logits, results);
    }
  }

  private void norm(INDArray x, Norm norm) {
    ops.layerNorm(x, norm.weight(), norm.bias(), config.normEpsilon(), x);
  }

  private static void read(INDArray logits, List<Classification> results) {
    MemorySegment numbers = NativeArrays.floats(logits);
    int labels = Math.toIntExact(logits.size(1));
    for (int row = 0; row < logits.size(0); row++) {
      long start = (long) row * labels;
      results.add(
          Classification.of(
              IntStream.range(0, labels)
                  .mapToObj(i -> numbers.getAtIndex(ValueLayout.JAVA_FLOAT, start + i))
                  .toList()));
    }
  }

  /** The memory of one pass. */
  private static final class Buffers implements AutoCloseable {
    private final TensorOps ops;
    private final List<INDArray> arrays = new ArrayList<>();
    private final List<KeyValueStore> stores = new ArrayList<>();

    Buffers(TensorOps ops) {
      this.ops = ops;
    }

    INDArray allocate(int rows, int columns) {
      INDArray array = ops.allocate(rows, columns);
      arrays.add(array);
      return array;
    }

    /** One layer's keys and values, as nothing is kept from layer to layer. */
    KeyValueStore store(int heads, int headSize) {
      KeyValueStore store = ops.newKeyValueStore(1, heads, headSize);
      stores.add(store);
      return store;
    }

    @Override
    public void close() {
      arrays.forEach(INDArray::close);
      stores.forEach(KeyValueStore::close);
    }
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        weights.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
