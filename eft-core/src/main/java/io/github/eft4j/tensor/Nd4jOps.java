package io.github.eft4j.tensor;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastAddOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastSubOp;
import org.nd4j.linalg.api.ops.impl.reduce.floating.Mean;
import org.nd4j.linalg.api.ops.impl.reduce.floating.SquaredNorm;
import org.nd4j.linalg.api.ops.impl.transforms.custom.SoftMax;
import org.nd4j.linalg.api.ops.impl.transforms.floating.RSqrt;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Erf;
import org.nd4j.linalg.api.ops.impl.transforms.strict.Swish;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The tensor operations with ND4J's own ops, so that they run on whatever backend ND4J runs on. The
 * host's memory is touched only to upload weights, token ids and masks.
 *
 * <p>ND4J's temporary arrays live outside the heap and are closed here, not left to the garbage
 * collector.
 */
final class Nd4jOps implements TensorOps {
  /** Softmax turns a score that is so much lower than the others into exactly 0. */
  private static final float MASKED = -1e30f;

  /** A matrix in float32, whatever type it was stored in. */
  private record Nd4jMatrix(INDArray array) implements Matrix {
    @Override
    public int rows() {
      return Math.toIntExact(array.size(0));
    }

    @Override
    public int columns() {
      return Math.toIntExact(array.size(1));
    }

    @Override
    public WeightType type() {
      return WeightType.F32;
    }

    @Override
    public void close() {
      if (array.closeable()) {
        array.close();
      }
    }
  }

  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public INDArray allocate(int rows, int columns) {
    return Nd4j.createUninitializedDetached(DataType.FLOAT, 'c', rows, columns);
  }

  @Override
  public Matrix matrix(StoredTensor tensor) {
    return new Nd4jMatrix(upload(tensor, tensor.rows(), tensor.columns()));
  }

  @Override
  public INDArray vector(StoredTensor tensor) {
    return upload(tensor, tensor.columns());
  }

  private static INDArray upload(StoredTensor tensor, long... shape) {
    boolean inPlace =
        tensor.type() == WeightType.F32
            && tensor.data().isNative()
            && tensor.data().address() % Float.BYTES == 0
            && Nd4j.getEnvironment().isCPU();
    if (inPlace) {
      FloatPointer pointer = new MappedFloats(tensor);
      return Nd4j.create(
          Nd4j.createBuffer(pointer, pointer.capacity(), DataType.FLOAT),
          shape,
          Nd4j.getStrides(shape, 'c'),
          0,
          'c');
    }
    INDArray array = Nd4j.createUninitializedDetached(DataType.FLOAT, 'c', shape);
    Dequantize.rows(tensor, 0, tensor.rows(), NativeArrays.floats(array));
    NativeArrays.changed(array);
    return array;
  }

  /** Memory that ND4J reads in place and never frees. */
  private static final class MappedFloats extends FloatPointer {
    /** Keeps the memory mapped where its arena leaves that to the garbage collector. */
    @SuppressWarnings({"unused", "FieldCanBeLocal"})
    private final StoredTensor tensor;

    MappedFloats(StoredTensor tensor) {
      super((Pointer) null);
      this.tensor = tensor;
      address = tensor.data().address();
      limit = tensor.data().byteSize() / Float.BYTES;
      capacity = limit;
    }
  }

  @Override
  public KeyValueStore newKeyValueStore(int layers, int keyValueHeads, int headSize) {
    return new Nd4jKeyValueStore(layers, keyValueHeads, headSize);
  }

  @Override
  public void embed(Matrix table, int[] ids, INDArray out) {
    gather(((Nd4jMatrix) table).array(), ids, out);
  }

  @Override
  public void gather(INDArray x, int[] rows, INDArray out) {
    int count = Math.toIntExact(out.size(0));
    try (INDArray indices = Nd4j.createFromArray(Arrays.copyOf(rows, count))) {
      Nd4j.exec(
          DynamicCustomOp.builder("gather")
              .addInputs(x, indices)
              .addOutputs(out)
              .addIntegerArguments(0)
              .build());
    }
  }

  @Override
  public void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray out) {
    try (INDArray scale = inverseRootMeanSquare(x, epsilon)) {
      Nd4j.exec(new BroadcastMulOp(x, scale, out, 0));
    }
    Nd4j.exec(new BroadcastMulOp(out, weight, out, 1));
  }

  /** ND4J's own layer norm has no epsilon. */
  @Override
  public void layerNorm(INDArray x, INDArray weight, INDArray bias, float epsilon, INDArray out) {
    try (INDArray mean = Nd4j.exec(new Mean(x, 1))) {
      Nd4j.exec(new BroadcastSubOp(x, mean, out, 0));
    }
    rmsNorm(out, weight, epsilon, out);
    Nd4j.exec(new BroadcastAddOp(out, bias, out, 1));
  }

  private static INDArray inverseRootMeanSquare(INDArray x, float epsilon) {
    INDArray squares = Nd4j.exec(new SquaredNorm(x, 1));
    squares.divi(x.size(1)).addi(epsilon);
    return Nd4j.exec(new RSqrt(squares, squares));
  }

  @Override
  public void linear(INDArray x, List<Linear> layers, List<INDArray> outs) {
    for (int i = 0; i < layers.size(); i++) {
      Linear layer = layers.get(i);
      INDArray out = outs.get(i);
      INDArray weight = ((Nd4jMatrix) layer.weight()).array();
      if (x.size(0) == 1) {
        // For one row, two to three times as fast as the general product.
        Nd4j.getBlasWrapper().level2().gemv('c', 'n', 1, weight, vectorOf(x), 0, vectorOf(out));
      } else {
        Nd4j.gemm(x, weight, out, false, true, 1, 0);
      }
      if (layer.bias() != null) {
        Nd4j.exec(new BroadcastAddOp(out, layer.bias(), out, 1));
      }
    }
  }

  private static INDArray vectorOf(INDArray row) {
    return NativeArrays.view(row, 0, new long[] {row.length()}, new long[] {1});
  }

  /** With a row for each group, the parts are plain columns. */
  @Override
  public void split(INDArray fused, int groups, INDArray query, INDArray key, INDArray value) {
    INDArray rows = matrixOf(fused, fused.size(1) / groups);
    long from = 0;
    for (INDArray part : List.of(query, key, value)) {
      long columns = part.size(1) / groups;
      long[] shape = {rows.size(0), columns};
      matrixOf(part, columns)
          .assign(NativeArrays.view(rows, from, shape, new long[] {rows.size(1), 1}));
      from += columns;
    }
  }

  /** The same numbers in rows of another length. */
  private static INDArray matrixOf(INDArray array, long columns) {
    long rows = array.length() / columns;
    return NativeArrays.view(array, 0, new long[] {rows, columns}, new long[] {columns, 1});
  }

  @Override
  public void rotary(INDArray x, INDArray cos, INDArray sin, RotaryLayout layout) {
    long rows = x.size(0);
    long columns = x.size(1);
    long half = cos.size(1);
    long[] shape = {rows, columns / (2 * half), half};
    long step = layout == RotaryLayout.HALVES ? 1 : 2;
    long[] stride = {columns, 2 * half, step};
    INDArray a = NativeArrays.view(x, 0, shape, stride);
    INDArray b = NativeArrays.view(x, layout == RotaryLayout.HALVES ? half : 1, shape, stride);
    try (INDArray aCos = temporary(shape);
        INDArray aSin = temporary(shape);
        INDArray bSin = temporary(shape)) {
      Nd4j.exec(new BroadcastMulOp(a, cos, aCos, 0, 2));
      Nd4j.exec(new BroadcastMulOp(a, sin, aSin, 0, 2));
      Nd4j.exec(new BroadcastMulOp(b, sin, bSin, 0, 2));
      Nd4j.exec(new BroadcastMulOp(b, cos, b, 0, 2));
      aCos.subi(bSin, a);
      b.addi(aSin);
    }
  }

  private static INDArray temporary(long... shape) {
    return Nd4j.createUninitializedDetached(DataType.FLOAT, 'c', shape);
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
    for (int s = 0; s < batch.sequences(); s++) {
      int from = batch.start(s);
      int to = batch.end(s);
      Nd4jKeyValueStore store = (Nd4jKeyValueStore) batch.store(s);
      Nd4jKeyValueStore.HeadVectors keys = store.keys(layer);
      Nd4jKeyValueStore.HeadVectors values = store.values(layer);
      keys.append(NativeArrays.rows(key, from, to), batch.past(s));
      values.append(NativeArrays.rows(value, from, to), batch.past(s));
      int total = batch.past(s) + to - from;
      attend(
          NativeArrays.rows(query, from, to),
          keys.first(total),
          values.first(total),
          scale,
          alibi,
          NativeArrays.rows(out, from, to));
    }
  }

  /**
   * Attends in one sequence. The queries that share a key/value head are the rows of one product:
   * {@code [keyValueHeads, rows · group, headSize]} with {@code group = heads / keyValueHeads}.
   *
   * @param query the last rows' queries, {@code [rows, heads · headSize]}
   * @param keys {@code [keyValueHeads, total, headSize]}
   * @param values {@code [keyValueHeads, total, headSize]}
   */
  private static void attend(
      INDArray query,
      INDArray keys,
      INDArray values,
      float scale,
      @Nullable Alibi alibi,
      INDArray out) {
    long rows = query.size(0);
    long keyValueHeads = keys.size(0);
    long total = keys.size(1);
    long headSize = keys.size(2);
    long group = query.size(1) / (keyValueHeads * headSize);
    long[] byHead = {keyValueHeads, rows, group, headSize};
    long[] rowMajor = {group * headSize, query.size(1), headSize, 1};
    try (INDArray queries = temporary(keyValueHeads, rows * group, headSize);
        INDArray scores = temporary(keyValueHeads, rows * group, total);
        INDArray attended = temporary(keyValueHeads, rows * group, headSize)) {
      queries.reshape(byHead).assign(NativeArrays.view(query, 0, byHead, rowMajor));
      matmul(queries, keys, true, scores);
      INDArray scoresByRow = scores.reshape(keyValueHeads, rows, group, total);
      if (alibi != null) {
        try (INDArray bias = alibiBias(alibi, keyValueHeads, group, total)) {
          Nd4j.exec(new BroadcastAddOp(scoresByRow, bias, scoresByRow, 0, 2, 3));
        }
      }
      scores.muli(scale);
      if (rows > 1) {
        try (INDArray mask = causalMask(rows, total)) {
          Nd4j.exec(new BroadcastAddOp(scoresByRow, mask, scoresByRow, 1, 3));
        }
      }
      Nd4j.exec(new SoftMax(scores, scores, 2));
      matmul(scores, values, false, attended);
      NativeArrays.view(out, 0, byHead, rowMajor).assign(attended.reshape(byHead));
    }
  }

  private static void matmul(INDArray a, INDArray b, boolean transposeB, INDArray out) {
    Nd4j.exec(
        DynamicCustomOp.builder("matmul")
            .addInputs(a, b)
            .addOutputs(out)
            .addIntegerArguments(0, transposeB ? 1 : 0, 0)
            .build());
  }

  /** What keeps row r, at position total - rows + r, from reading later positions. */
  private static INDArray causalMask(long rows, long total) {
    float[] mask = new float[Math.toIntExact(rows * total)];
    int at = 0;
    for (long r = 0; r < rows; r++) {
      for (long position = 0; position < total; position++) {
        mask[at++] = position > total - rows + r ? MASKED : 0;
      }
    }
    return Nd4j.createFromArray(mask).reshape(rows, total);
  }

  private static INDArray alibiBias(Alibi alibi, long keyValueHeads, long group, long total) {
    float[] bias = new float[Math.toIntExact(keyValueHeads * group * total)];
    int at = 0;
    for (int head = 0; head < keyValueHeads * group; head++) {
      for (int position = 0; position < total; position++) {
        bias[at++] = alibi.bias(head, position);
      }
    }
    return Nd4j.createFromArray(bias).reshape(keyValueHeads, group, total);
  }

  @Override
  public void siluGate(INDArray gate, INDArray up, INDArray out) {
    try (INDArray silu = temporary(gate.shape())) {
      Nd4j.exec(new Swish(gate, silu));
      silu.muli(up, out);
    }
  }

  @Override
  public void gelu(INDArray x, INDArray out) {
    try (INDArray cdf = temporary(x.shape())) {
      x.muli(Math.sqrt(0.5), cdf);
      Nd4j.exec(new Erf(cdf, cdf));
      cdf.addi(1).muli(0.5).muli(x, out);
    }
  }

  @Override
  public void add(INDArray a, INDArray b, INDArray out) {
    a.addi(b, out);
  }
}
