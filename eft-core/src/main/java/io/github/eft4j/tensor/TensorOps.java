package io.github.eft4j.tensor;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The operations that a transformer's forward pass consists of. Activations are float32 {@link
 * INDArray}s in c order, {@code [rows, columns]}, one row for each token; every operation writes
 * into an array that the caller made with {@link #allocate}, or into {@linkplain NativeArrays#rows
 * some rows} of one. A row's result depends on that row alone. Implementations are safe for use by
 * many threads at once; shapes are the caller's duty.
 */
public interface TensorOps {
  /**
   * The operations as ND4J's own ops, which run on whatever backend ND4J runs on. Weights are
   * float32: narrower ones are converted when they are loaded.
   *
   * @return the {@code nd4j} implementation
   */
  static TensorOps nd4j() {
    return new Nd4jOps();
  }

  /**
   * The operations in Java, on the widest vectors that the processor has and as many threads as it
   * has cores. {@link JvmOps#builder} sets both.
   *
   * @return the {@code jvm} implementation
   */
  static TensorOps jvm() {
    return JvmOps.builder().build();
  }

  /**
   * The operations that are fastest on ND4J's backend: {@link #jvm} on a CPU, {@link #nd4j} on a
   * GPU.
   *
   * @return the implementation
   */
  static TensorOps standard() {
    WeightMemory.liftLimit();
    return Nd4j.getEnvironment().isCPU() ? jvm() : nd4j();
  }

  /**
   * The name by which users choose this implementation.
   *
   * @return {@code nd4j} or {@code jvm}
   */
  String name();

  /**
   * Makes an array for activations.
   *
   * @param rows the number of rows
   * @param columns the number of columns
   * @return a float32 array {@code [rows, columns]}, c order, of any content
   */
  INDArray allocate(int rows, int columns);

  /**
   * Makes a weight matrix ready for {@link #linear} and {@link #embed}: in place where this
   * implementation can multiply with it as it is stored, else converted.
   *
   * @param tensor the matrix {@code [out, in]}
   * @return the weight matrix
   */
  Matrix matrix(StoredTensor tensor);

  /**
   * Makes a matrix ready for {@link #embed} alone.
   *
   * @param tensor the matrix {@code [ids, size]}
   * @return the matrix; {@link #linear} may refuse it
   */
  default Matrix table(StoredTensor tensor) {
    return matrix(tensor);
  }

  /**
   * Reads a vector, such as a norm's weight or a bias.
   *
   * @param tensor a tensor of one row
   * @return its numbers, float32 {@code [columns]}
   */
  INDArray vector(StoredTensor tensor);

  /**
   * Makes memory for the keys and values of one sequence.
   *
   * @param layers the number of layers
   * @param keyValueHeads the number of key/value heads
   * @param headSize the size of a head
   * @return the memory, to be closed by the caller
   */
  KeyValueStore newKeyValueStore(int layers, int keyValueHeads, int headSize);

  /**
   * Looks up embeddings: row r of {@code out} is row {@code ids[r]} of the table.
   *
   * @param table the embeddings, {@code [vocabulary, hidden]}
   * @param ids holds a token id for each row; may be longer than there are rows
   * @param out receives the embeddings, {@code [rows, hidden]}
   */
  void embed(Matrix table, int[] ids, INDArray out);

  /**
   * Root-mean-square norm (Zhang and Sennrich 2019): {@code x / sqrt(mean(x²) + epsilon) · weight}.
   *
   * @param x {@code [rows, n]}
   * @param weight {@code [n]}
   * @param epsilon added to the mean square
   * @param out {@code [rows, n]}; may be {@code x}
   */
  void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray out);

  /**
   * Layer norm (Ba et al. 2016): {@code (x − mean) / sqrt(variance + epsilon) · weight + bias}.
   *
   * @param x {@code [rows, n]}
   * @param weight {@code [n]}
   * @param bias {@code [n]}
   * @param epsilon added to the variance
   * @param out {@code [rows, n]}; may be {@code x}
   */
  void layerNorm(INDArray x, INDArray weight, INDArray bias, float epsilon, INDArray out);

  /**
   * Several linear layers of the same input, as one product: {@code outs[i] = x Wᵢᵀ + bᵢ}.
   *
   * @param x {@code [rows, in]}
   * @param layers the layers, each {@code [outᵢ, in]}
   * @param outs receives the products, {@code [rows, outᵢ]}; none is {@code x}
   */
  void linear(INDArray x, List<Linear> layers, List<INDArray> outs);

  /**
   * A linear layer: {@code out = x Wᵀ + b}.
   *
   * @param x {@code [rows, in]}
   * @param layer the layer, {@code [out, in]}
   * @param out receives the product, {@code [rows, out]}; not {@code x}
   */
  default void linear(INDArray x, Linear layer, INDArray out) {
    linear(x, List.of(layer), List.of(out));
  }

  /**
   * Takes queries, keys and values apart that one linear layer computed together. A row consists of
   * equal groups, and each group of queries, keys and values in this order.
   *
   * @param fused {@code [rows, q + k + v]}
   * @param groups the number of groups: 1 where all queries come first, then all keys, then all
   *     values; the number of key/value heads where they are interleaved per key/value head
   * @param query receives the queries, {@code [rows, q]}, heads in order
   * @param key receives the keys, {@code [rows, k]}, heads in order
   * @param value receives the values, {@code [rows, v]}, heads in order
   */
  void split(INDArray fused, int groups, INDArray query, INDArray key, INDArray value);

  /**
   * Rotates pairs of numbers of every head in place (rotary position embedding, Su et al. 2021, <a
   * href="https://arxiv.org/abs/2104.09864">arXiv 2104.09864</a>): {@code (a, b)} becomes {@code (a
   * cos − b sin, b cos + a sin)}.
   *
   * @param x {@code [rows, heads · headSize]}
   * @param cos the cosines of each row's angles, {@code [rows, headSize / 2]}
   * @param sin the sines of each row's angles, {@code [rows, headSize / 2]}
   * @param layout which two numbers make a pair
   */
  void rotary(INDArray x, INDArray cos, INDArray sin, RotaryLayout layout);

  /**
   * Appends keys and values to each sequence's store, and attends from each row to those positions
   * of its sequence that it {@linkplain AttentionBatch#readable reads}: {@code softmax((q·k + bias)
   * · scale) v} per head. Query head h reads key/value head {@code h · keyValueHeads / heads}.
   *
   * @param layer the layer's index in the stores
   * @param query {@code [rows, heads · headSize]}
   * @param key {@code [rows, keyValueHeads · headSize]}
   * @param value {@code [rows, keyValueHeads · headSize]}
   * @param batch the sequences that the rows belong to
   * @param scale factor of the scores, usually {@code 1 / sqrt(headSize)}
   * @param alibi linear biases, or null for none
   * @param out {@code [rows, heads · headSize]}; not {@code query}
   */
  void attention(
      int layer,
      INDArray query,
      INDArray key,
      INDArray value,
      AttentionBatch batch,
      float scale,
      @Nullable Alibi alibi,
      INDArray out);

  /**
   * SiLU-gated unit (Shazeer 2020, SwiGLU): {@code gate / (1 + exp(−gate)) · up}.
   *
   * @param gate {@code [rows, n]}
   * @param up {@code [rows, n]}
   * @param out {@code [rows, n]}; may be {@code gate} or {@code up}
   */
  void siluGate(INDArray gate, INDArray up, INDArray out);

  /**
   * Gaussian error linear unit, exact form: {@code x / 2 · (1 + erf(x / √2))}.
   *
   * @param x {@code [rows, n]}
   * @param out {@code [rows, n]}; may be {@code x}
   */
  void gelu(INDArray x, INDArray out);

  /**
   * Hyperbolic tangent.
   *
   * @param x {@code [rows, n]}
   * @param out {@code [rows, n]}; may be {@code x}
   */
  void tanh(INDArray x, INDArray out);

  /**
   * Adds two arrays.
   *
   * @param a {@code [rows, n]}
   * @param b {@code [rows, n]}
   * @param out {@code [rows, n]}; may be {@code a} or {@code b}
   */
  void add(INDArray a, INDArray b, INDArray out);

  /**
   * Copies single rows: row i of {@code out} is row {@code rows[i]} of {@code x}.
   *
   * @param x {@code [n, columns]}
   * @param rows holds a row index for each row of {@code out}; may be longer
   * @param out {@code [m, columns]}; not {@code x}
   */
  void gather(INDArray x, int[] rows, INDArray out);
}
