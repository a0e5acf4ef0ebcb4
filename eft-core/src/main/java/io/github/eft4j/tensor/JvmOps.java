package io.github.eft4j.tensor;

import java.lang.ref.Reference;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Tensor operations in Java, on vectors of the width that the processor has (Vector API), straight
 * on the memory of ND4J arrays and of the checkpoint's weights.
 *
 * <p><b>The same bits everywhere.</b> Each number is computed by a sequence of IEEE operations that
 * depends on the weights' type alone: not on the number of rows in the call, the number of threads,
 * or the width of the vectors, scalar code included.
 *
 * <p><b>Weights</b> are read as they are stored, from the file, and multiplied in float32. Those of
 * Q8_0, Q4_0, Q4_K, Q5_0, Q5_K and Q6_K are packed at load, into memory of their own; activations
 * are then rounded, 32 at a time, or 16 for Q5_0 and Q5_K, to 13 bits for Q8_0 and 8 for the
 * others, and integers of a block added up exactly.
 *
 * <p>Needs {@code --add-modules jdk.incubator.vector}; without it everything works on scalar code,
 * slowly, and says so once in the log. {@link #vectorBits} tells which code runs.
 */
public final class JvmOps implements TensorOps {
  /** From this many numbers on, operations that go number by number use several threads. */
  private static final int PARALLEL_FROM = 1 << 15;

  /** Tasks a thread of such an operation, so that one that is held up delays the others little. */
  private static final int TASKS_PER_THREAD = 4;

  static {
    WeightMemory.liftLimit();
  }

  private final Kernels kernels;
  private final int threads;
  private final WeightType keyValueType;
  private final WorkerPool pool = WorkerPool.SHARED;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Workspace> idle = new ArrayDeque<>();

  /** What one call at a time works with. */
  private static final class Workspace {
    /** One for each thread, the calling one first. */
    final Scratch[] scratch;

    final LinearJob linear;
    final AttentionJob attention;

    Workspace(Kernels kernels, int threads) {
      scratch = new Scratch[threads];
      for (int i = 0; i < threads; i++) {
        scratch[i] = new Scratch();
      }
      linear = new LinearJob(kernels, scratch);
      attention = new AttentionJob(kernels, scratch);
    }
  }

  private JvmOps(Kernels kernels, int threads, WeightType keyValueType) {
    this.kernels = kernels;
    this.threads = threads;
    this.keyValueType = keyValueType;
  }

  /**
   * Starts a configuration: the widest vectors, and as many threads as there are physical cores.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Configures {@link JvmOps}. */
  public static final class Builder {
    private int threads = Processors.physicalCores();
    private int vectorBits = -1;
    private WeightType keyValueType = WeightType.F32;

    private Builder() {}

    /**
     * Sets how many threads share the work of one operation. All instances use the same threads,
     * one pool in a process.
     *
     * @param threads the number of threads, the calling one included
     * @return this builder
     * @throws IllegalArgumentException if {@code threads} is not positive
     */
    public Builder threads(int threads) {
      if (threads < 1) {
        throw new IllegalArgumentException("threads: " + threads + ", expected at least 1");
      }
      this.threads = threads;
      return this;
    }

    /**
     * Sets the width of the vectors instead of the widest.
     *
     * @param bits 0 (scalar code), 128, 256 or 512
     * @return this builder
     * @throws IllegalArgumentException if {@code bits} is none of these
     */
    public Builder vectorBits(int bits) {
      if (bits != 0 && bits != 128 && bits != 256 && bits != 512) {
        throw new IllegalArgumentException(
            "vector width of " + bits + " bits, expected 0 (scalar code), 128, 256 or 512");
      }
      this.vectorBits = bits;
      return this;
    }

    /**
     * Sets how keys and values are stored: F32, the default, or F16, which takes half the memory
     * and rounds them.
     *
     * @param type F32 or F16
     * @return this builder
     * @throws IllegalArgumentException if {@code type} is another one
     */
    public Builder keyValueType(WeightType type) {
      if (type != WeightType.F32 && type != WeightType.F16) {
        throw new IllegalArgumentException("keys and values as " + type + ", expected F32 or F16");
      }
      this.keyValueType = type;
      return this;
    }

    /**
     * Makes the operations.
     *
     * @return the operations
     * @throws IllegalArgumentException if the processor lacks vectors of the width asked for, or
     *     the JVM runs without the Vector API
     */
    public JvmOps build() {
      Kernels kernels = vectorBits < 0 ? KernelProvider.widest() : KernelProvider.of(vectorBits);
      return new JvmOps(kernels, threads, keyValueType);
    }
  }

  @Override
  public String name() {
    return "jvm";
  }

  /**
   * The width of the vectors that the operations run on.
   *
   * @return 128, 256 or 512 bits, or 0 when the code is scalar
   */
  public int vectorBits() {
    return kernels.vectorBits();
  }

  /**
   * The number of threads that share the work of one operation.
   *
   * @return the number of threads, the calling one included
   */
  public int threads() {
    return threads;
  }

  private Workspace borrow() {
    lock.lock();
    try {
      Workspace workspace = idle.poll();
      return workspace != null ? workspace : new Workspace(kernels, threads);
    } finally {
      lock.unlock();
    }
  }

  private void giveBack(Workspace workspace) {
    lock.lock();
    try {
      idle.push(workspace);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public INDArray allocate(int rows, int columns) {
    return Nd4j.createUninitialized(DataType.FLOAT, rows, columns);
  }

  @Override
  public Matrix matrix(StoredTensor tensor) {
    JvmMatrix matrix = new JvmMatrix(tensor);
    matrix.pack(pool, threads);
    return matrix;
  }

  @Override
  public Matrix table(StoredTensor tensor) {
    return new JvmMatrix(tensor);
  }

  /**
   * Whether weights of a type are packed at load, into memory of their own: {@link #linear} then
   * rounds activations, to 13 bits for Q8_0 and 8 for others, and the products of a block of
   * columns add up exactly.
   *
   * @param type the type
   * @return true for Q8_0, Q4_0, Q4_K, Q5_0, Q5_K and Q6_K; others are multiplied as they are
   *     stored
   */
  public static boolean packs(WeightType type) {
    return Packed.packs(type);
  }

  /**
   * The memory that packed weights take, as good as the same as in the file but for Q5_0 and Q5_K,
   * which take a fifth more.
   *
   * @param type a type that is packed
   * @param weights the number of weights, of whole blocks of rows and columns
   * @return the size in bytes
   */
  public static long packedBytes(WeightType type, long weights) {
    int columns = Packed.BLOCKS * Packed.COLUMNS;
    long unit = (long) columns * Packed.ROWS;
    return (weights + unit - 1) / unit * Packed.groupBytes(type, columns);
  }

  @Override
  public INDArray vector(StoredTensor tensor) {
    if (tensor.rows() != 1) {
      throw new IllegalArgumentException(
          "tensor %s: shape [%d, %d], expected a vector"
              .formatted(tensor.name(), tensor.rows(), tensor.columns()));
    }
    INDArray vector = Nd4j.createUninitialized(DataType.FLOAT, tensor.columns());
    Dequantize.rows(tensor, 0, 1, NativeArrays.floats(vector));
    return vector;
  }

  @Override
  public KeyValueStore newKeyValueStore(int layers, int keyValueHeads, int headSize) {
    return new JvmKeyValueStore(keyValueType, layers, keyValueHeads, headSize);
  }

  private static JvmMatrix own(Matrix matrix) {
    if (matrix instanceof JvmMatrix own) {
      return own;
    }
    throw new IllegalArgumentException(
        "a " + matrix.getClass().getSimpleName() + " was made by other tensor operations");
  }

  @Override
  public void embed(Matrix table, int[] ids, INDArray out) {
    try {
      JvmMatrix matrix = own(table);
      int rows = Arrays2d.rows(out);
      int columns = matrix.columns();
      long to = Arrays2d.address("out", out, rows, columns);
      for (int r = 0; r < rows; r++) {
        if (ids[r] < 0 || ids[r] >= matrix.rows()) {
          throw new IndexOutOfBoundsException(
              "id %d of %s, which has %d rows".formatted(ids[r], matrix.name(), matrix.rows()));
        }
        kernels.dequantize(matrix.type(), matrix.row(ids[r]), columns, to + 4L * r * columns, 64);
      }
    } finally {
      Reference.reachabilityFence(table);
      Reference.reachabilityFence(out);
    }
  }

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray out) {
    try {
      int rows = Arrays2d.rows(x);
      int n = Arrays2d.columns(x);
      long from = Arrays2d.address("x", x, rows, n);
      long w = Arrays2d.address("weight", weight, 1, n);
      long to = Arrays2d.address("out", out, rows, n);
      Workspace workspace = borrow();
      try {
        Scratch[] scratch = workspace.scratch;
        each(
            rows,
            n,
            (r, worker) -> {
              long memory = scratch[worker].reserve(Kernels.SCRATCH_BYTES);
              kernels.rmsNorm(from + 4L * r * n, w, n, epsilon, to + 4L * r * n, memory);
            });
      } finally {
        giveBack(workspace);
      }
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(weight);
      Reference.reachabilityFence(out);
    }
  }

  @Override
  public void layerNorm(INDArray x, INDArray weight, INDArray bias, float epsilon, INDArray out) {
    try {
      int rows = Arrays2d.rows(x);
      int n = Arrays2d.columns(x);
      long from = Arrays2d.address("x", x, rows, n);
      long w = Arrays2d.address("weight", weight, 1, n);
      long b = Arrays2d.address("bias", bias, 1, n);
      long to = Arrays2d.address("out", out, rows, n);
      Workspace workspace = borrow();
      try {
        Scratch[] scratch = workspace.scratch;
        each(
            rows,
            n,
            (r, worker) -> {
              long memory = scratch[worker].reserve(Kernels.SCRATCH_BYTES);
              kernels.layerNorm(from + 4L * r * n, w, b, n, epsilon, to + 4L * r * n, memory);
            });
      } finally {
        giveBack(workspace);
      }
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(weight);
      Reference.reachabilityFence(bias);
      Reference.reachabilityFence(out);
    }
  }

  @Override
  public void linear(INDArray x, List<Linear> layers, List<INDArray> outs) {
    try {
      int rows = Arrays2d.rows(x);
      int columns = Arrays2d.columns(x);
      Arrays2d.check("x", x);
      if (layers.size() != outs.size()) {
        throw new IllegalArgumentException(
            layers.size() + " linear layers and " + outs.size() + " outputs");
      }
      for (int i = 0; i < layers.size(); i++) {
        Linear layer = layers.get(i);
        JvmMatrix matrix = own(layer.weight());
        if (matrix.columns() != columns) {
          throw new IllegalArgumentException(
              "%s: [%d, %d] cannot be multiplied with rows of %d numbers"
                  .formatted(matrix.name(), matrix.rows(), matrix.columns(), columns));
        }
        if (packs(matrix.type()) && !matrix.isPacked()) {
          throw new IllegalArgumentException(matrix.name() + " is a table for lookups only");
        }
        Arrays2d.address("out", outs.get(i), rows, matrix.rows());
        INDArray bias = layer.bias();
        if (bias != null) {
          Arrays2d.address("bias", bias, 1, matrix.rows());
        }
      }
      Workspace workspace = borrow();
      try {
        workspace.linear.run(pool, threads, x, layers, outs);
      } finally {
        giveBack(workspace);
      }
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(layers);
      Reference.reachabilityFence(outs);
    }
  }

  @Override
  public void split(INDArray fused, int groups, INDArray query, INDArray key, INDArray value) {
    try {
      int rows = Arrays2d.rows(fused);
      int q = Arrays2d.columns(query);
      int k = Arrays2d.columns(key);
      int v = Arrays2d.columns(value);
      long from = Arrays2d.address("fused", fused, rows, q + k + v);
      long queries = Arrays2d.address("query", query, rows, q);
      long keys = Arrays2d.address("key", key, rows, k);
      long values = Arrays2d.address("value", value, rows, v);
      if (groups < 1 || q % groups != 0 || k % groups != 0 || v % groups != 0) {
        throw new IllegalArgumentException(
            "%d queries, %d keys and %d values in %d equal groups".formatted(q, k, v, groups));
      }
      for (int i = 0; i < rows * groups; i++) {
        from = take(from, queries, i, q / groups);
        from = take(from, keys, i, k / groups);
        from = take(from, values, i, v / groups);
      }
    } finally {
      Reference.reachabilityFence(fused);
      Reference.reachabilityFence(query);
      Reference.reachabilityFence(key);
      Reference.reachabilityFence(value);
    }
  }

  private static long take(long from, long to, int index, int count) {
    Memory.copy(from, to + 4L * index * count, 4L * count);
    return from + 4L * count;
  }

  @Override
  public void rotary(INDArray x, INDArray cos, INDArray sin, RotaryLayout layout) {
    try {
      int rows = Arrays2d.rows(x);
      int columns = Arrays2d.columns(x);
      int half = Arrays2d.columns(cos);
      long at = Arrays2d.address("x", x, rows, columns);
      long c = Arrays2d.address("cos", cos, rows, half);
      long s = Arrays2d.address("sin", sin, rows, half);
      if (half == 0 || columns % (2 * half) != 0) {
        throw new IllegalArgumentException(
            "rows of %d numbers do not consist of heads of 2 · %d".formatted(columns, half));
      }
      each(
          rows,
          columns,
          (r, _) -> {
            long row = at + 4L * r * columns;
            for (int h = 0; h < columns / (2 * half); h++) {
              long head = row + 8L * half * h;
              switch (layout) {
                case HALVES ->
                    kernels.rotateHalves(head, c + 4L * r * half, s + 4L * r * half, half);
                case PAIRS -> kernels.rotatePairs(head, c + 4L * r * half, s + 4L * r * half, half);
              }
            }
          });
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(cos);
      Reference.reachabilityFence(sin);
    }
  }

  @Override
  public void attention(
      int layer,
      INDArray query,
      INDArray key,
      INDArray value,
      AttentionBatch batch,
      float scale,
      @Nullable Alibi alibi,
      INDArray out) {
    try {
      int rows = batch.rows();
      if (rows == 0) {
        return;
      }
      JvmKeyValueStore first = own(batch.store(0));
      int headSize = first.headSize();
      int width = first.heads() * headSize;
      int queryWidth = Arrays2d.columns(query);
      int heads = queryWidth / headSize;
      long q = Arrays2d.address("query", query, rows, heads * headSize);
      long k = Arrays2d.address("key", key, rows, width);
      long v = Arrays2d.address("value", value, rows, width);
      long to = Arrays2d.address("out", out, rows, heads * headSize);
      if (heads % first.heads() != 0) {
        throw new IllegalArgumentException(
            "%d query heads cannot share %d key/value heads".formatted(heads, first.heads()));
      }
      if (alibi != null && alibi.slopes().length != heads) {
        throw new IllegalArgumentException(
            "%d linear-bias slopes for %d heads".formatted(alibi.slopes().length, heads));
      }
      for (int i = 0; i < batch.sequences(); i++) {
        JvmKeyValueStore store = own(batch.store(i));
        if (store.heads() != first.heads() || store.headSize() != headSize) {
          throw new IllegalArgumentException("key/value stores of different models in one batch");
        }
        int start = batch.start(i);
        int count = batch.end(i) - start;
        int past = batch.past(i);
        store.reserve(layer, past + count);
        long offset = 4L * start * width;
        each(
            first.heads(),
            count * headSize,
            (h, _) -> store.put(layer, h, past, count, k + offset, v + offset));
      }
      Workspace workspace = borrow();
      try {
        workspace.attention.run(pool, threads, layer, q, heads, headSize, batch, scale, alibi, to);
      } finally {
        giveBack(workspace);
      }
    } finally {
      Reference.reachabilityFence(query);
      Reference.reachabilityFence(key);
      Reference.reachabilityFence(value);
      Reference.reachabilityFence(out);
    }
  }

  private static JvmKeyValueStore own(KeyValueStore store) {
    if (store instanceof JvmKeyValueStore own) {
      return own;
    }
    throw new IllegalArgumentException(
        "a " + store.getClass().getSimpleName() + " was made by other tensor operations");
  }

  @Override
  public void siluGate(INDArray gate, INDArray up, INDArray out) {
    try {
      int rows = Arrays2d.rows(gate);
      int n = Arrays2d.columns(gate);
      long g = Arrays2d.address("gate", gate, rows, n);
      long u = Arrays2d.address("up", up, rows, n);
      long to = Arrays2d.address("out", out, rows, n);
      each(rows, n, (r, _) -> kernels.siluGate(g + 4L * r * n, u + 4L * r * n, n, to + 4L * r * n));
    } finally {
      Reference.reachabilityFence(gate);
      Reference.reachabilityFence(up);
      Reference.reachabilityFence(out);
    }
  }

  /**
   * Does something for each row: where there are many numbers several threads together, some rows
   * at a time.
   */
  private void each(int rows, int n, WorkerPool.Tasks body) {
    if ((long) rows * n < PARALLEL_FROM) {
      for (int r = 0; r < rows; r++) {
        body.run(r, 0);
      }
      return;
    }
    int together = Math.max(1, rows / (threads * TASKS_PER_THREAD));
    pool.run(
        (rows + together - 1) / together,
        threads,
        (task, worker) -> {
          for (int r = task * together; r < Math.min((task + 1) * together, rows); r++) {
            body.run(r, worker);
          }
        });
  }

  @Override
  public void gelu(INDArray x, INDArray out) {
    try {
      int rows = Arrays2d.rows(x);
      int n = Arrays2d.columns(x);
      long from = Arrays2d.address("x", x, rows, n);
      long to = Arrays2d.address("out", out, rows, n);
      each(rows, n, (r, _) -> kernels.gelu(from + 4L * r * n, n, to + 4L * r * n));
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(out);
    }
  }

  /** Without vectors: it is used once a text, not once a layer. */
  @Override
  public void tanh(INDArray x, INDArray out) {
    try {
      int rows = Arrays2d.rows(x);
      int n = Arrays2d.columns(x);
      long from = Arrays2d.address("x", x, rows, n);
      long to = Arrays2d.address("out", out, rows, n);
      long end = from + (long) Float.BYTES * rows * n;
      for (; from < end; from += Float.BYTES, to += Float.BYTES) {
        Memory.set(to, FloatMath.tanh(Memory.get(from)));
      }
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(out);
    }
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    try {
      int rows = Arrays2d.rows(a);
      int n = Arrays2d.columns(a);
      long left = Arrays2d.address("a", a, rows, n);
      long right = Arrays2d.address("b", b, rows, n);
      long to = Arrays2d.address("out", out, rows, n);
      each(
          rows,
          n,
          (r, _) -> kernels.add(left + 4L * r * n, right + 4L * r * n, n, to + 4L * r * n));
    } finally {
      Reference.reachabilityFence(a);
      Reference.reachabilityFence(b);
      Reference.reachabilityFence(out);
    }
  }

  @Override
  public void gather(INDArray x, int[] rows, INDArray out) {
    try {
      int count = Arrays2d.rows(out);
      int n = Arrays2d.columns(out);
      int available = Arrays2d.rows(x);
      long from = Arrays2d.address("x", x, available, n);
      long to = Arrays2d.address("out", out, count, n);
      for (int r = 0; r < count; r++) {
        if (rows[r] < 0 || rows[r] >= available) {
          throw new IndexOutOfBoundsException("row " + rows[r] + " of " + available);
        }
        Memory.copy(from + 4L * rows[r] * n, to + 4L * r * n, 4L * n);
      }
    } finally {
      Reference.reachabilityFence(x);
      Reference.reachabilityFence(out);
    }
  }
}
