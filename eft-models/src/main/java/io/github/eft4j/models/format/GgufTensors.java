package io.github.eft4j.models.format;

import io.github.eft4j.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;

/** The tensors of a GGUF file under their Hugging Face names. */
final class GgufTensors implements TensorSource {
  private final GgufFile file;
  private final GgufTensorNames names;

  GgufTensors(GgufFile file, GgufTensorNames names) {
    this.file = file;
    this.names = names;
  }

  @Override
  public Collection<TensorInfo> tensors() {
    return file.tensors().stream()
        .map(t -> new TensorInfo(names.fromGguf(t.name()), t.type(), t.shape(), t.bytes()))
        .sorted(Comparator.comparing(TensorInfo::name))
        .toList();
  }

  @Override
  public boolean contains(String name) {
    return file.contains(names.toGguf(name));
  }

  @Override
  public Path fileOf(String name) {
    return file.path();
  }

  @Override
  public StoredTensor get(String name) {
    return file.tensor(names.toGguf(name));
  }

  @Override
  public void close() {
    file.close();
  }
}
