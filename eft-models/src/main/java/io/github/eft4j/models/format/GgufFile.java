package io.github.eft4j.models.format;

import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A GGUF file of version 2 or 3, memory-mapped, with its metadata and tensors under their own names
 * (<a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the format's
 * description</a>):
 *
 * <pre>
 *  "GGUF", version, number of tensors, number of metadata pairs
 *  metadata pairs: key, type, value
 *  tensor infos: name, dimensions (fastest first), type, offset from the start of the tensor data
 *  padding to a multiple of general.alignment
 *  tensor data, each tensor at a multiple of the alignment
 * </pre>
 *
 * <p>Everything but the weights is checked when the file is opened. Safe for use by many threads at
 * once. Closing unmaps the file; tensors and metadata must not be used afterwards.
 */
public final class GgufFile implements AutoCloseable {
  private static final int MAGIC = 0x46554747; // "GGUF", little-endian
  private static final int DEFAULT_ALIGNMENT = 32;
  private static final int MAX_ALIGNMENT = 1 << 30;
  private static final int MAX_DIMENSIONS = 4;

  /** The least size of a metadata pair: key length, type, one byte of value. */
  private static final int LEAST_PAIR_BYTES = 8 + 4 + 1;

  /** The least size of a tensor info: name length, number of dimensions, type, offset. */
  private static final int LEAST_INFO_BYTES = 8 + 4 + 4 + 8;

  /**
   * Where a tensor lies.
   *
   * @param offset the byte at which it begins, from the start of the tensor data
   */
  private record Entry(TensorInfo info, WeightType type, long offset) {
    String name() {
      return info.name();
    }

    long end() {
      return offset + info.bytes();
    }
  }

  private final Path path;
  private final Arena arena;
  private final int version;
  private final GgufMetadata metadata;
  private final MemorySegment weights;
  private final Map<String, Entry> entries;

  private GgufFile(Path path, Arena arena, MemorySegment data) {
    this.path = path;
    this.arena = arena;
    GgufCursor cursor = new GgufCursor(path, data, 0);
    this.version = readVersion(cursor);
    long tensors = cursor.count("number of tensors", LEAST_INFO_BYTES);
    long pairs = cursor.count("number of metadata pairs", LEAST_PAIR_BYTES);
    this.metadata = GgufMetadata.read(path, data, cursor, pairs);
    long alignment = alignment();
    List<Entry> read = new ArrayList<>();
    for (long i = 0; i < tensors; i++) {
      read.add(readTensor(cursor, i, alignment));
    }
    this.weights = tensorData(data, cursor.position(), alignment);
    this.entries = checked(read);
    checkOverlaps();
  }

  /**
   * Opens a file.
   *
   * @param path the file
   * @return the file's content
   * @throws IOException if it cannot be read
   * @throws ModelFormatException if it is not a GGUF file or damaged
   */
  public static GgufFile open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return new GgufFile(
          path, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
    } catch (IOException | RuntimeException e) {
      arena.close();
      throw e;
    }
  }

  private int readVersion(GgufCursor cursor) {
    long magic = cursor.uint32("magic number");
    if (magic != MAGIC) {
      throw new ModelFormatException(
          "%s: not a GGUF file: begins with the bytes %08x, expected %08x"
              .formatted(path, Integer.reverseBytes((int) magic), Integer.reverseBytes(MAGIC)));
    }
    long version = cursor.uint32("version");
    if (version != 2 && version != 3) {
      long swapped = Integer.toUnsignedLong(Integer.reverseBytes((int) version));
      throw new ModelFormatException(
          "%s: GGUF version %s is not supported, expected 2 or 3"
              .formatted(path, swapped <= 3 ? swapped + " in big-endian byte order" : version));
    }
    return (int) version;
  }

  private long alignment() {
    long alignment = metadata.integer("general.alignment").orElse(DEFAULT_ALIGNMENT);
    if (alignment <= 0 || alignment > MAX_ALIGNMENT || Long.bitCount(alignment) != 1) {
      throw new ModelFormatException(
          "%s: general.alignment is %d, expected a power of two up to %d"
              .formatted(path, alignment, MAX_ALIGNMENT));
    }
    return alignment;
  }

  private static MemorySegment tensorData(MemorySegment data, long headerEnd, long alignment) {
    long padding = -headerEnd & (alignment - 1);
    // A file without tensors may end without padding.
    return data.asSlice(Math.min(headerEnd + padding, data.byteSize()));
  }

  private Map<String, Entry> checked(List<Entry> read) {
    Map<String, Entry> byName = new TreeMap<>();
    for (Entry entry : read) {
      long bytes = entry.info.bytes();
      if (bytes > weights.byteSize() || entry.offset > weights.byteSize() - bytes) {
        throw new ModelFormatException(
            "%s: tensor %s has %d bytes at offset %d, but the file holds %d bytes of tensor data"
                .formatted(path, entry.name(), bytes, entry.offset, weights.byteSize()));
      }
      if (byName.putIfAbsent(entry.name(), entry) != null) {
        throw new ModelFormatException(path + ": tensor " + entry.name() + " occurs twice");
      }
    }
    return byName;
  }

  private Entry readTensor(GgufCursor cursor, long index, long alignment) {
    String name = cursor.string("name of tensor " + index);
    long rank = cursor.uint32("number of dimensions of tensor " + name);
    if (rank > MAX_DIMENSIONS) {
      throw new ModelFormatException(
          "%s: tensor %s has %d dimensions, expected at most %d"
              .formatted(path, name, rank, MAX_DIMENSIONS));
    }
    List<Long> shape = new ArrayList<>();
    long weights = 1;
    for (int i = 0; i < rank; i++) {
      long dimension = cursor.uint64("dimension " + i + " of tensor " + name);
      if (dimension <= 0 || weights > Long.MAX_VALUE / Long.BYTES / dimension) {
        throw new ModelFormatException(
            "%s: dimension %d of tensor %s is %s, expected a positive number (%d weights before it)"
                .formatted(path, i, name, Long.toUnsignedString(dimension), weights));
      }
      weights *= dimension;
      shape.addFirst(dimension);
    }
    long id = cursor.uint32("type of tensor " + name);
    WeightType type = GgufTensorType.of(id);
    if (type == null) {
      throw new ModelFormatException(
          "%s: tensor %s has type %d, supported are %s"
              .formatted(path, name, id, GgufTensorType.supported()));
    }
    long columns = rank == 0 ? 1 : shape.getLast();
    if (columns % type.blockSize() != 0) {
      throw new ModelFormatException(
          "%s: tensor %s has rows of %d weights, not a multiple of the %d weights of a %s block"
              .formatted(path, name, columns, type.blockSize(), type));
    }
    long offset = cursor.uint64("offset of tensor " + name);
    if (offset < 0 || offset % alignment != 0) {
      throw new ModelFormatException(
          "%s: tensor %s begins at offset %s, expected a multiple of the alignment %d"
              .formatted(path, name, Long.toUnsignedString(offset), alignment));
    }
    return new Entry(new TensorInfo(name, type.name(), shape, type.bytes(weights)), type, offset);
  }

  private void checkOverlaps() {
    List<Entry> inOrder = new ArrayList<>(entries.values());
    inOrder.sort(Comparator.comparingLong(Entry::offset));
    for (int i = 1; i < inOrder.size(); i++) {
      Entry before = inOrder.get(i - 1);
      Entry after = inOrder.get(i);
      if (before.end() > after.offset) {
        throw new ModelFormatException(
            "%s: tensors %s (bytes %d to %d of the tensor data) and %s (from byte %d) overlap"
                .formatted(
                    path, before.name(), before.offset, before.end(), after.name(), after.offset));
      }
    }
  }

  /**
   * The file.
   *
   * @return its path
   */
  public Path path() {
    return path;
  }

  /**
   * The version of the format.
   *
   * @return 2 or 3
   */
  public int version() {
    return version;
  }

  /**
   * What the file says about the model.
   *
   * @return the key/value pairs
   */
  public GgufMetadata metadata() {
    return metadata;
  }

  /**
   * All tensors under their GGUF names, such as {@code blk.0.attn_q.weight}.
   *
   * @return the tensors, ordered by name
   */
  public Collection<TensorInfo> tensors() {
    return entries.values().stream().map(Entry::info).toList();
  }

  /**
   * Whether there is a tensor of a GGUF name.
   *
   * @param name the tensor's name
   * @return true if there is one
   */
  public boolean contains(String name) {
    return entries.containsKey(name);
  }

  /**
   * A tensor, without a copy. A vector is a matrix of one row.
   *
   * @param name the tensor's GGUF name
   * @return the tensor
   * @throws ModelFormatException if there is no such tensor, it has neither one nor two dimensions,
   *     or a dimension above the greatest int
   */
  public StoredTensor tensor(String name) {
    @Nullable Entry entry = entries.get(name);
    if (entry == null) {
      throw new ModelFormatException(path + ": there is no tensor " + name);
    }
    List<Long> shape = entry.info.shape();
    if (shape.size() != 1 && shape.size() != 2) {
      throw new ModelFormatException(
          "%s: tensor %s has shape %s, expected 1 or 2 dimensions".formatted(path, name, shape));
    }
    long rows = shape.size() == 1 ? 1 : shape.getFirst();
    long columns = shape.getLast();
    if (rows > Integer.MAX_VALUE || columns > Integer.MAX_VALUE) {
      throw new ModelFormatException(
          "%s: tensor %s has shape %s, expected dimensions below 2^31"
              .formatted(path, name, shape));
    }
    return new StoredTensor(
        name,
        entry.type,
        (int) rows,
        (int) columns,
        weights.asSlice(entry.offset, entry.info.bytes()));
  }

  /**
   * The model's shape.
   *
   * @return the configuration
   * @throws ModelFormatException if the architecture is not supported, a key is missing, or the
   *     metadata contradict themselves or the tensors
   */
  public ModelConfig config() {
    return GgufConfigReader.read(this);
  }

  /**
   * How to generate text with the model.
   *
   * @return the ids that begin, end and fill up texts
   * @throws ModelFormatException if an id is not one
   */
  public GenerationConfig generation() {
    return new GenerationConfig(
        GgufVocabulary.endOfTextIds(this),
        GgufVocabulary.id(this, GgufVocabulary.BEGIN_OF_TEXT),
        GgufVocabulary.id(this, GgufVocabulary.PADDING),
        Optional.empty());
  }

  /**
   * The vocabulary.
   *
   * @return what a tokenizer is built from, or empty if the file has no tokens
   * @throws ModelFormatException if a key has a value of the wrong type, or the values do not fit
   *     together
   */
  public Optional<GgufVocabulary> vocabulary() {
    return GgufVocabulary.of(this);
  }

  /**
   * The chat template, in Jinja's language.
   *
   * @return the template, or empty if the file has none
   * @throws ModelFormatException if it is not a string
   */
  public Optional<String> chatTemplate() {
    return metadata.string("tokenizer.chat_template");
  }

  /**
   * The tensors under the names that Hugging Face checkpoints give them. Closing them closes this
   * file.
   *
   * @return the tensors
   * @throws ModelFormatException as {@link #config}
   */
  public TensorSource checkpointTensors() {
    return new GgufTensors(this, GgufTensorNames.of(config()));
  }

  /** Unmaps the file. Closing twice has no effect. */
  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
