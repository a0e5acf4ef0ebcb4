package io.github.eft4j.models.format;

import io.github.eft4j.tensor.StoredTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;

/** The tensors of a directory's {@code model.safetensors}, or of the shards that an index names. */
public final class Safetensors implements TensorSource {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  /** No path: an index must not reach outside its directory. */
  private static final Pattern SHARD_NAME = Pattern.compile("[^/\\\\\\x00]+\\.safetensors");

  private final Path named;
  private final Arena arena;
  private final Map<String, TensorInfo> tensors;
  private final Map<String, SafetensorsFile> files;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Safetensors(
      Path named,
      Arena arena,
      Map<String, TensorInfo> tensors,
      Map<String, SafetensorsFile> files) {
    this.named = named;
    this.arena = arena;
    this.tensors = tensors;
    this.files = files;
  }

  /**
   * Maps the weights of a model and checks the headers. Weights are not read.
   *
   * @param directory the model's directory
   * @return the tensors, to be closed by the caller
   * @throws ModelFormatException if a file is missing or damaged, or the index and the shards
   *     contradict each other
   * @throws IOException if a file cannot be read
   */
  public static Safetensors open(Path directory) throws IOException {
    Path single = directory.resolve(SINGLE);
    Path index = directory.resolve(INDEX);
    if (Files.exists(single)) {
      return map(single, List.of(single), Map.of());
    }
    if (Files.exists(index)) {
      Map<String, Path> shardOf = readIndex(index);
      return map(index, new LinkedHashSet<>(shardOf.values()), shardOf);
    }
    throw new ModelFormatException("%s has neither %s nor %s".formatted(directory, SINGLE, INDEX));
  }

  /** The shard that an index names for each tensor. */
  private static Map<String, Path> readIndex(Path index) throws IOException {
    JsonObject weightMap = JsonObject.read(index).requiredObject("weight_map");
    Map<String, Path> shardOf = new TreeMap<>();
    for (String name : weightMap.keys()) {
      String shard = weightMap.requiredString(name);
      if (!SHARD_NAME.matcher(shard).matches()) {
        throw weightMap.error(name, "the name of a .safetensors file in the same directory");
      }
      Path path = index.resolveSibling(shard);
      if (!Files.exists(path)) {
        throw new ModelFormatException(
            "%s: the shard %s that holds tensor %s does not exist".formatted(index, shard, name));
      }
      shardOf.put(name, path);
    }
    return shardOf;
  }

  private static Safetensors map(Path named, Collection<Path> paths, Map<String, Path> shardOf)
      throws IOException {
    Arena arena = Arena.ofShared();
    try {
      Map<String, TensorInfo> tensors = new TreeMap<>();
      Map<String, SafetensorsFile> files = new TreeMap<>();
      for (Path path : paths) {
        SafetensorsFile file = SafetensorsFile.map(path, arena);
        for (TensorInfo tensor : file.tensors()) {
          tensors.put(tensor.name(), tensor);
          SafetensorsFile other = files.put(tensor.name(), file);
          if (other != null) {
            throw new ModelFormatException(
                "tensor %s is both in %s and in %s".formatted(tensor.name(), other.path(), path));
          }
        }
      }
      shardOf.forEach(
          (name, shard) -> {
            SafetensorsFile file = files.get(name);
            if (file == null || !file.path().equals(shard)) {
              throw new ModelFormatException(
                  "%s: tensor %s is not in %s, where the index has it"
                      .formatted(named, name, shard.getFileName()));
            }
          });
      return new Safetensors(named, arena, tensors, files);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  @Override
  public Collection<TensorInfo> tensors() {
    return Collections.unmodifiableCollection(tensors.values());
  }

  @Override
  public boolean contains(String name) {
    return files.containsKey(name);
  }

  @Override
  public Path fileOf(String name) {
    SafetensorsFile file = files.get(name);
    return file == null ? named : file.path();
  }

  @Override
  public StoredTensor get(String name) {
    SafetensorsFile file = files.get(name);
    if (file == null) {
      throw new ModelFormatException("%s: tensor %s is missing".formatted(named, name));
    }
    return file.get(name);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
    }
  }
}
