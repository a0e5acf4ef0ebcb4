package io.github.eft4j.models.format;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The types of metadata values. */
enum GgufValueType {
  UINT8(0, 1),
  INT8(1, 1),
  UINT16(2, 2),
  INT16(3, 2),
  UINT32(4, 4),
  INT32(5, 4),
  FLOAT32(6, 4),
  BOOL(7, 1),
  STRING(8, 0),
  ARRAY(9, 0),
  UINT64(10, 8),
  INT64(11, 8),
  FLOAT64(12, 8);

  private final int id;
  private final int bytes;

  GgufValueType(int id, int bytes) {
    this.id = id;
    this.bytes = bytes;
  }

  /** The type of a number in the file, or null if there is none. */
  static @Nullable GgufValueType of(long id) {
    for (GgufValueType type : values()) {
      if (type.id == id) {
        return type;
      }
    }
    return null;
  }

  /** The type's number in the file. */
  int id() {
    return id;
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
