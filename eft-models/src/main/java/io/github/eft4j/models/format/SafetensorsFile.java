package io.github.eft4j.models.format;

import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;

/**
 * One memory-mapped file in the <a
 * href="https://github.com/huggingface/safetensors#format">safetensors format</a>:
 *
 * <pre>
 * 8 bytes   n, the header's length, little-endian
 * n bytes   JSON: name → {dtype, shape, data_offsets: [begin, end]}, offsets from the header's end
 * the rest  the tensors, without holes or overlaps
 * </pre>
 */
final class SafetensorsFile {
  /** The format's own limit. */
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private static final ValueLayout.OfLong HEADER_LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final String METADATA = "__metadata__";

  private final Path path;
  private final MemorySegment data;
  private final Map<String, Entry> entries;

  /** A tensor, whose bytes are {@code begin} to {@code end - 1} of the data. */
  private record Entry(TensorInfo info, long begin, long end) {}

  private SafetensorsFile(Path path, MemorySegment data, Map<String, Entry> entries) {
    this.path = path;
    this.data = data;
    this.entries = entries;
  }

  /** Maps a file for as long as the arena lives, and checks its header. */
  static SafetensorsFile map(Path path, Arena arena) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new ModelFormatException(
          path + (Files.exists(path) ? " is not a file" : " does not exist"));
    }
    MemorySegment file;
    try (FileChannel channel = FileChannel.open(path)) {
      long size = channel.size();
      if (size < HEADER_LENGTH.byteSize()) {
        throw new ModelFormatException(
            "%s has %d bytes, expected at least the %d of a safetensors header's length"
                .formatted(path, size, HEADER_LENGTH.byteSize()));
      }
      file = channel.map(MapMode.READ_ONLY, 0, size, arena);
    }
    long afterLength = file.byteSize() - HEADER_LENGTH.byteSize();
    long length = file.get(HEADER_LENGTH, 0);
    if (length < 0 || length > MAX_HEADER_BYTES) {
      throw new ModelFormatException(
          "%s: the header's length is %s bytes, but safetensors allows at most %d"
              .formatted(path, Long.toUnsignedString(length), MAX_HEADER_BYTES));
    }
    if (length > afterLength) {
      throw new ModelFormatException(
          "%s is truncated: the header's length is %d bytes, but only %d follow"
              .formatted(path, length, afterLength));
    }
    MemorySegment header = file.asSlice(HEADER_LENGTH.byteSize(), length);
    MemorySegment data = file.asSlice(HEADER_LENGTH.byteSize() + length);
    Map<String, Entry> entries = new TreeMap<>();
    JsonObject json = JsonObject.parse(path, header.asByteBuffer());
    for (String name : json.keys()) {
      if (!name.equals(METADATA)) {
        entries.put(name, entry(path, name, json.requiredObject(name), data.byteSize()));
      }
    }
    checkLayout(path, entries, data.byteSize());
    return new SafetensorsFile(path, data, entries);
  }

  private static Entry entry(Path path, String name, JsonObject json, long dataBytes) {
    String dtype = json.requiredString("dtype");
    long[] shape = json.naturals("shape");
    long[] offsets = json.naturals("data_offsets");
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw json.error("data_offsets", "the first byte and the one behind the last");
    }
    long begin = offsets[0];
    long end = offsets[1];
    if (end > dataBytes) {
      throw json.error(
          "data_offsets",
          "at most the %d bytes of tensors that the file has; it may be truncated"
              .formatted(dataBytes));
    }
    // A type of a newer format version has a size that is not known here; nobody can ask for it.
    SafetensorsDtype.of(dtype)
        .ifPresent(
            known -> {
              if (bytes(json, shape, known) != end - begin) {
                throw new ModelFormatException(
                    "%s: tensor %s has %d bytes, but %s %s needs %d"
                        .formatted(
                            path,
                            name,
                            end - begin,
                            dtype,
                            shapeText(shape),
                            bytes(json, shape, known)));
              }
            });
    return new Entry(
        new TensorInfo(name, dtype, LongStream.of(shape).boxed().toList(), end - begin),
        begin,
        end);
  }

  private static long bytes(JsonObject json, long[] shape, SafetensorsDtype dtype) {
    try {
      long bits = dtype.bits();
      for (long size : shape) {
        bits = Math.multiplyExact(bits, size);
      }
      return bits / Byte.SIZE;
    } catch (ArithmeticException e) {
      throw json.error("shape", "sizes whose product fits 63 bits");
    }
  }

  /** Tensors must fill the data without holes or overlaps, as the format demands. */
  private static void checkLayout(Path path, Map<String, Entry> entries, long dataBytes) {
    List<Entry> inOrder = new ArrayList<>(entries.values());
    inOrder.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long end = 0;
    String before = "the header";
    for (Entry entry : inOrder) {
      if (entry.begin() < end) {
        throw new ModelFormatException(
            "%s: tensor %s begins at byte %d, but overlaps %s, which ends at byte %d"
                .formatted(path, entry.info().name(), entry.begin(), before, end));
      }
      if (entry.begin() > end) {
        throw new ModelFormatException(
            "%s: tensor %s begins at byte %d, but %s ends at byte %d: the bytes between belong to no tensor"
                .formatted(path, entry.info().name(), entry.begin(), before, end));
      }
      end = entry.end();
      before = "tensor " + entry.info().name();
    }
    if (end != dataBytes) {
      throw new ModelFormatException(
          "%s: %d bytes of tensors, but %s ends at byte %d: the bytes behind it belong to no tensor"
              .formatted(path, dataBytes, before, end));
    }
  }

  Path path() {
    return path;
  }

  /** The tensors, ordered by name. */
  List<TensorInfo> tensors() {
    return entries.values().stream().map(Entry::info).toList();
  }

  /** A tensor that is known to be in this file. */
  StoredTensor get(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new IllegalStateException(path + " has no tensor " + name);
    }
    TensorInfo info = entry.info();
    WeightType type =
        SafetensorsDtype.of(info.type())
            .flatMap(SafetensorsDtype::weightType)
            .orElseThrow(
                () ->
                    new ModelFormatException(
                        "%s: tensor %s has dtype %s, supported are F32, F16 and BF16"
                            .formatted(path, name, info.type())));
    List<Long> shape = info.shape();
    if (shape.isEmpty() || shape.size() > 2) {
      throw new ModelFormatException(
          "%s: tensor %s has shape %s, expected one or two dimensions"
              .formatted(path, name, shape));
    }
    long rows = shape.size() == 1 ? 1 : shape.getFirst();
    long columns = shape.getLast();
    if (rows < 1 || columns < 1 || rows > Integer.MAX_VALUE || columns > Integer.MAX_VALUE) {
      throw new ModelFormatException(
          "%s: tensor %s has shape %s, expected sizes from 1 to %d"
              .formatted(path, name, shape, Integer.MAX_VALUE));
    }
    return new StoredTensor(
        name,
        type,
        (int) rows,
        (int) columns,
        data.asSlice(entry.begin(), entry.end() - entry.begin()));
  }

  private static String shapeText(long[] shape) {
    return LongStream.of(shape).boxed().toList().toString();
  }
}
