package io.github.eft4j.models.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The key/value pairs at the head of a GGUF file. All of them are walked once when the file is
 * opened, so that a damaged one is found; a value is decoded when it is asked for. Integers of
 * every width serve where an integer is wanted, and both widths of floating-point numbers where one
 * of these is.
 */
public final class GgufMetadata {
  /** Arrays of arrays are allowed, but nobody writes deep ones; the bound keeps the stack safe. */
  private static final int MAX_NESTING = 8;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * Where a value lies.
   *
   * @param type its type
   * @param element the type of its elements if it is an array, else null
   * @param offset the byte at which it begins; for an array, at which its elements begin
   * @param count the number of elements; 1 if it is not an array
   */
  private record Value(
      GgufValueType type, @Nullable GgufValueType element, long offset, long count) {
    @Override
    public String toString() {
      return element == null ? type.toString() : "an array of " + element;
    }
  }

  private final Path file;
  private final MemorySegment data;
  private final Map<String, Value> values;

  private GgufMetadata(Path file, MemorySegment data, Map<String, Value> values) {
    this.file = file;
    this.data = data;
    this.values = values;
  }

  /** Walks the pairs. The cursor stands at the first one, and afterwards behind the last one. */
  static GgufMetadata read(Path file, MemorySegment data, GgufCursor cursor, long count) {
    Map<String, Value> values = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      String key = cursor.string("metadata key " + i);
      Value value = value(file, cursor, key);
      if (values.putIfAbsent(key, value) != null) {
        throw new ModelFormatException(file + ": metadata key " + key + " occurs twice");
      }
    }
    return new GgufMetadata(file, data, values);
  }

  private static Value value(Path file, GgufCursor cursor, String key) {
    GgufValueType type = type(file, cursor, key);
    long at = cursor.position();
    if (type != GgufValueType.ARRAY) {
      skip(file, cursor, type, 1, key, 0);
      return new Value(type, null, at, 1);
    }
    GgufValueType element = type(file, cursor, key);
    long count = cursor.count("number of elements of " + key, leastBytes(element));
    at = cursor.position();
    skip(file, cursor, element, count, key, 1);
    return new Value(type, element, at, count);
  }

  private static void skip(
      Path file, GgufCursor cursor, GgufValueType type, long count, String key, int nesting) {
    if (nesting > MAX_NESTING) {
      throw new ModelFormatException(
          "%s: %s is an array nested more than %d deep".formatted(file, key, MAX_NESTING));
    }
    switch (type) {
      case STRING -> {
        for (long i = 0; i < count; i++) {
          cursor.skipString(key);
        }
      }
      case ARRAY -> {
        for (long i = 0; i < count; i++) {
          GgufValueType element = type(file, cursor, key);
          long elements = cursor.count("number of elements of " + key, leastBytes(element));
          skip(file, cursor, element, elements, key, nesting + 1);
        }
      }
      default -> cursor.skip(count * type.bytes(), key);
    }
  }

  private static GgufValueType type(Path file, GgufCursor cursor, String key) {
    long id = cursor.uint32("type of " + key);
    GgufValueType type = GgufValueType.of(id);
    if (type == null) {
      throw new ModelFormatException(
          "%s: %s has the unknown value type %d, expected 0 to %d"
              .formatted(file, key, id, GgufValueType.values().length - 1));
    }
    return type;
  }

  /** The least size of an element: strings begin with a length, arrays with a type and a length. */
  private static int leastBytes(GgufValueType type) {
    return switch (type) {
      case STRING -> 8;
      case ARRAY -> 12;
      default -> type.bytes();
    };
  }

  /**
   * All keys.
   *
   * @return the keys, in the file's order
   */
  public Set<String> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /**
   * Reads a string.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not a string
   */
  public Optional<String> string(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (value.type != GgufValueType.STRING) {
      throw wrongType(key, value, "a string");
    }
    return Optional.of(new GgufCursor(file, data, value.offset).string(key));
  }

  /**
   * Reads an integer of any width.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not an integer, or greater than the greatest long
   */
  public OptionalLong integer(String key) {
    Value value = values.get(key);
    return value == null
        ? OptionalLong.empty()
        : OptionalLong.of(integer(key, value, value.type, value.offset));
  }

  /**
   * Reads a floating-point number of either width.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not a floating-point number
   */
  public OptionalDouble number(String key) {
    Value value = values.get(key);
    return value == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(number(key, value, value.type, value.offset));
  }

  /**
   * Reads a truth value.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not a boolean
   */
  public Optional<Boolean> bool(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (value.type != GgufValueType.BOOL) {
      throw wrongType(key, value, "a bool");
    }
    return Optional.of(data.get(ValueLayout.JAVA_BYTE, value.offset) != 0);
  }

  /**
   * Reads an array of strings.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not an array of strings
   */
  public Optional<List<String>> strings(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    if (value.element != GgufValueType.STRING) {
      throw wrongType(key, value, "an array of string");
    }
    GgufCursor cursor = new GgufCursor(file, data, value.offset);
    List<String> strings = new ArrayList<>();
    for (long i = 0; i < value.count; i++) {
      strings.add(cursor.string(key));
    }
    return Optional.of(Collections.unmodifiableList(strings));
  }

  /**
   * Reads an array of integers of any width.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not an array of integers of at most 32 bits
   */
  public Optional<int[]> integers(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    GgufValueType element = element(key, value, "an array of integers");
    int[] integers = new int[length(key, value)];
    for (int i = 0; i < integers.length; i++) {
      long integer = integer(key, value, element, value.offset + (long) i * element.bytes());
      if (integer != (int) integer) {
        throw new ModelFormatException(
            "%s: element %d of %s is %d, expected at most 32 bits"
                .formatted(file, i, key, integer));
      }
      integers[i] = (int) integer;
    }
    return Optional.of(integers);
  }

  /**
   * Reads an array of floating-point numbers, rounded to single precision.
   *
   * @param key the key
   * @return the value, or empty if there is no such key
   * @throws ModelFormatException if the value is not an array of floating-point numbers
   */
  public Optional<float[]> floats(String key) {
    Value value = values.get(key);
    if (value == null) {
      return Optional.empty();
    }
    GgufValueType element = element(key, value, "an array of floating-point numbers");
    float[] floats = new float[length(key, value)];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) number(key, value, element, value.offset + (long) i * element.bytes());
    }
    return Optional.of(floats);
  }

  private GgufValueType element(String key, Value value, String expected) {
    if (value.element == null) {
      throw wrongType(key, value, expected);
    }
    return value.element;
  }

  private int length(String key, Value value) {
    if (value.count > Integer.MAX_VALUE - 8) {
      throw new ModelFormatException(
          "%s: %s has %d elements, more than an array holds".formatted(file, key, value.count));
    }
    return (int) value.count;
  }

  private long integer(String key, Value value, GgufValueType type, long at) {
    return switch (type) {
      case UINT8 -> Byte.toUnsignedLong(data.get(ValueLayout.JAVA_BYTE, at));
      case INT8 -> data.get(ValueLayout.JAVA_BYTE, at);
      case UINT16 -> Short.toUnsignedLong(data.get(SHORT, at));
      case INT16 -> data.get(SHORT, at);
      case UINT32 -> Integer.toUnsignedLong(data.get(INT, at));
      case INT32 -> data.get(INT, at);
      case INT64 -> data.get(LONG, at);
      case UINT64 -> {
        long integer = data.get(LONG, at);
        if (integer < 0) {
          throw new ModelFormatException(
              "%s: %s is %s, expected at most %d"
                  .formatted(file, key, Long.toUnsignedString(integer), Long.MAX_VALUE));
        }
        yield integer;
      }
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> throw wrongType(key, value, "an integer");
    };
  }

  private double number(String key, Value value, GgufValueType type, long at) {
    return switch (type) {
      case FLOAT32 -> data.get(FLOAT, at);
      case FLOAT64 -> data.get(DOUBLE, at);
      default -> throw wrongType(key, value, "a floating-point number");
    };
  }

  private ModelFormatException wrongType(String key, Value value, String expected) {
    return new ModelFormatException(
        "%s: %s is %s, expected %s".formatted(file, key, value, expected));
  }
}
