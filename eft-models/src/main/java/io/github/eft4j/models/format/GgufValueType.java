package io.github.eft4j.models.format;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The types of metadata values; a type's number in the file is its ordinal. */
enum GgufValueType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(0),
  ARRAY(0),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final GgufValueType[] TYPES = values();

  private final int bytes;

  GgufValueType(int bytes) {
    this.bytes = bytes;
  }

  /** The type of a number in the file, or null if there is none. */
  static @Nullable GgufValueType of(long id) {
    return id >= 0 && id < TYPES.length ? TYPES[(int) id] : null;
  }

  /** The size of a value in bytes, or 0 where values differ in size. */
  int bytes() {
    return bytes;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
