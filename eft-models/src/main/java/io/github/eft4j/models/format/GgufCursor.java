package io.github.eft4j.models.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads a GGUF file's header from front to back and never beyond its end. */
final class GgufCursor {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final MemorySegment data;
  private long position;

  GgufCursor(Path file, MemorySegment data, long position) {
    this.file = file;
    this.data = data;
    this.position = position;
  }

  long position() {
    return position;
  }

  long remaining() {
    return data.byteSize() - position;
  }

  /** Reads an unsigned 32-bit number. */
  long uint32(String what) {
    return Integer.toUnsignedLong(data.get(INT, take(4, what)));
  }

  /** Reads 64 bits; a number above the greatest long comes out negative. */
  long uint64(String what) {
    return data.get(LONG, take(8, what));
  }

  /**
   * Reads a 64-bit count of things that follow, and refuses one that the rest of the file cannot
   * hold, so that nobody makes room for it.
   *
   * @param leastBytes the least size of each of them in bytes
   */
  long count(String what, long leastBytes) {
    long count = uint64(what);
    if (count < 0 || count > remaining() / leastBytes) {
      throw new ModelFormatException(
          "%s: %s is %s, but the %d bytes left hold at most %d"
              .formatted(
                  file, what, Long.toUnsignedString(count), remaining(), remaining() / leastBytes));
    }
    return count;
  }

  /** Reads a string: its length in bytes, then UTF-8. */
  String string(String what) {
    long length = stringLength(what);
    byte[] bytes = data.asSlice(take(length, what), length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  void skipString(String what) {
    take(stringLength(what), what);
  }

  private long stringLength(String what) {
    long length = uint64(what);
    if (length < 0 || length > remaining()) {
      throw new ModelFormatException(
          "%s: %s has a string of %s bytes at byte %d, but the file ends at byte %d"
              .formatted(file, what, Long.toUnsignedString(length), position, data.byteSize()));
    }
    return length;
  }

  void skip(long bytes, String what) {
    take(bytes, what);
  }

  private long take(long bytes, String what) {
    if (bytes > remaining()) {
      throw new ModelFormatException(
          "%s: %s at byte %d needs %d bytes, but the file ends at byte %d"
              .formatted(file, what, position, bytes, data.byteSize()));
    }
    long at = position;
    position += bytes;
    return at;
  }
}
