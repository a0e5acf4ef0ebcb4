package io.github.eft4j.bench;

import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.SplittableRandom;

/** A checkpoint that has every tensor that a model asks for: small random numbers in float32. */
final class RandomTensors implements TensorSource {
  /** About what keeps activations of the size that they have in trained models. */
  private static final double LARGEST = 0.05;

  private final Arena arena = Arena.ofShared();
  private final SplittableRandom random = new SplittableRandom(42);

  @Override
  public StoredTensor required(String name, int rows, int columns) {
    MemorySegment data = arena.allocate((long) Float.BYTES * rows * columns, Float.BYTES);
    for (long i = 0; i < (long) rows * columns; i++) {
      data.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-LARGEST, LARGEST));
    }
    return new StoredTensor(name, WeightType.F32, rows, columns, data);
  }

  @Override
  public StoredTensor required(String name, int size) {
    return required(name, 1, size);
  }

  @Override
  public StoredTensor get(String name) {
    throw new UnsupportedOperationException(name + " has no shape unless one is asked for");
  }

  @Override
  public Collection<TensorInfo> tensors() {
    return List.of();
  }

  @Override
  public boolean contains(String name) {
    return false;
  }

  @Override
  public Path fileOf(String name) {
    return Path.of("random");
  }

  @Override
  public void close() {
    arena.close();
  }
}
