package io.github.eft4j.models;

import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Tells a listener how much of a checkpoint a model has asked for. Closing it closes the whole
 * checkpoint. Used by one thread.
 */
final class ProgressTensors implements TensorSource {
  private final Checkpoint checkpoint;
  private final TensorSource tensors;
  private final LoadProgress progress;
  private final long totalBytes;
  private final Set<String> given = new HashSet<>();
  private long givenBytes;

  ProgressTensors(Checkpoint checkpoint, LoadProgress progress) {
    this.checkpoint = checkpoint;
    this.tensors = checkpoint.tensors();
    this.progress = progress;
    this.totalBytes = tensors.tensors().stream().mapToLong(TensorInfo::bytes).sum();
  }

  /** Reports that nothing is left to load. */
  void finish() {
    progress.loaded(totalBytes, totalBytes);
  }

  @Override
  public StoredTensor get(String name) {
    StoredTensor tensor = tensors.get(name);
    // What was given before has been loaded by now.
    progress.loaded(givenBytes, totalBytes);
    if (given.add(name)) {
      givenBytes += tensor.data().byteSize();
    }
    return tensor;
  }

  @Override
  public Collection<TensorInfo> tensors() {
    return tensors.tensors();
  }

  @Override
  public boolean contains(String name) {
    return tensors.contains(name);
  }

  @Override
  public Path fileOf(String name) {
    return tensors.fileOf(name);
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
