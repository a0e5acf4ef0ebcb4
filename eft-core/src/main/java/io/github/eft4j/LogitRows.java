package io.github.eft4j;

import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Memory for the logits of one pass of one model. */
final class LogitRows implements AutoCloseable {
  private @Nullable INDArray array;
  private @Nullable INDArray view;
  private MemorySegment memory = MemorySegment.NULL;
  private List<LikeliestTokens> lists = List.of();
  private final int vocabulary;

  LogitRows(int vocabulary) {
    this.vocabulary = vocabulary;
  }

  INDArray rows(int count) {
    if (array == null || array.rows() < count) {
      close();
      array = Nd4j.createUninitialized(DataType.FLOAT, count, vocabulary);
      view = array;
    }
    INDArray current = view;
    if (current == null || current.rows() != count) {
      current = NativeArrays.rows(array, 0, count);
      view = current;
    }
    return current;
  }

  /** Makes the logits of a finished pass readable. */
  void read(INDArray logits) {
    memory = NativeArrays.floats(logits);
  }

  /** Takes the lists that a pass gave in place of logits; rows have a likely value for the rest. */
  void read(INDArray logits, List<LikeliestTokens> lists) {
    read(logits);
    this.lists = new ArrayList<>(lists);
    for (int i = 0; i < lists.size(); i++) {
      lists.get(i).write(row(i), lists.get(i).evenUnlisted());
    }
  }

  LikeliestTokens list(int index) {
    return lists.get(index);
  }

  /** Puts a longer list in place of a row's. */
  void setList(int index, LikeliestTokens list) {
    lists.set(index, list);
  }

  MemorySegment row(int index) {
    long bytes = (long) Float.BYTES * vocabulary;
    return memory.asSlice(index * bytes, bytes);
  }

  @Override
  public void close() {
    if (array != null) {
      array.close();
    }
  }
}
