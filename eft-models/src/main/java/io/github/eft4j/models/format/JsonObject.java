package io.github.eft4j.models.format;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A JSON object of a model's file, whose values are checked as they are read. Errors name the file,
 * the key, what was found and what was expected.
 */
final class JsonObject {
  /** Above any configuration or index in the wild; keeps a wrong file from filling the memory. */
  private static final long MAX_FILE_BYTES = 100_000_000;

  private static final int MAX_SHOWN_CHARS = 80;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path file;
  private final String prefix;
  private final JsonNode node;

  private JsonObject(Path file, String prefix, JsonNode node) {
    this.file = file;
    this.prefix = prefix;
    this.node = node;
  }

  /** Reads a file that must exist and hold one JSON object. */
  static JsonObject read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ModelFormatException(
          file + (Files.exists(file) ? " is not a file" : " does not exist"));
    }
    long size = Files.size(file);
    if (size > MAX_FILE_BYTES) {
      throw new ModelFormatException(
          "%s has %d bytes, expected at most %d".formatted(file, size, MAX_FILE_BYTES));
    }
    return parse(file, ByteBuffer.wrap(Files.readAllBytes(file)));
  }

  /** Parses UTF-8 that lies in a file. */
  static JsonObject parse(Path file, ByteBuffer utf8) {
    JsonNode node;
    try {
      // The decoder reports malformed input, which Jackson would let pass in places.
      node = MAPPER.readTree(StandardCharsets.UTF_8.newDecoder().decode(utf8).toString());
    } catch (CharacterCodingException e) {
      throw new ModelFormatException(file + ": the JSON is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new ModelFormatException(
          "%s: malformed JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
    if (!node.isObject()) {
      throw new ModelFormatException(
          "%s: found JSON %s, expected an object".formatted(file, shown(node)));
    }
    return new JsonObject(file, "", node);
  }

  Path file() {
    return file;
  }

  /** The keys, in the file's order. */
  Iterable<String> keys() {
    return node::fieldNames;
  }

  /** The value of a key, for what has no fixed form; a missing node where there is none. */
  JsonNode value(String key) {
    return node.path(key);
  }

  /** Whether a key has a value other than null. */
  boolean has(String key) {
    return node.hasNonNull(key);
  }

  /** An error about the value of a key. */
  ModelFormatException error(String key, String expected) {
    JsonNode value = node.get(key);
    return new ModelFormatException(
        value == null
            ? "%s: key %s%s is missing, expected %s".formatted(file, prefix, key, expected)
            : "%s: %s%s is %s, expected %s".formatted(file, prefix, key, shown(value), expected));
  }

  /** The object of a key, or empty where it is missing or null. */
  Optional<JsonObject> object(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    return Optional.of(requiredObject(key));
  }

  JsonObject requiredObject(String key) {
    JsonNode value = node.path(key);
    if (!value.isObject()) {
      throw error(key, "an object");
    }
    return new JsonObject(file, prefix + key + ".", value);
  }

  /** The text of a key, or empty where it is missing or null. */
  Optional<String> string(String key) {
    return has(key) ? Optional.of(requiredString(key)) : Optional.empty();
  }

  String requiredString(String key) {
    JsonNode value = node.path(key);
    if (!value.isTextual()) {
      throw error(key, "a string");
    }
    return value.textValue();
  }

  /** The text of a key, which must be one of some, or empty where it is missing or null. */
  Optional<String> oneOf(String key, Collection<String> supported) {
    Optional<String> value = string(key);
    value.ifPresent(
        v -> {
          if (!supported.contains(v)) {
            throw error(key, "one of " + String.join(", ", supported));
          }
        });
    return value;
  }

  /** Checks that a key is missing, null, or an array of some strings. */
  void onlyItems(String key, Collection<String> supported) {
    if (!has(key)) {
      return;
    }
    JsonNode value = node.path(key);
    if (!value.isArray()) {
      throw error(key, "an array of strings");
    }
    for (JsonNode item : value) {
      if (!supported.contains(item.asText())) {
        throw error(key, "only " + String.join(" or ", supported));
      }
    }
  }

  /** The first of two names of a key that the file mentions, or the first. */
  String firstOf(String key, String olderKey) {
    return !node.has(key) && node.has(olderKey) ? olderKey : key;
  }

  boolean bool(String key, boolean absent) {
    JsonNode value = node.get(key);
    if (value == null) {
      return absent;
    }
    if (!value.isBoolean()) {
      throw error(key, "true or false");
    }
    return value.booleanValue();
  }

  /** A positive integer, or empty where the key is missing or null. */
  OptionalInt size(String key) {
    return has(key) ? OptionalInt.of(requiredSize(key)) : OptionalInt.empty();
  }

  /** A positive integer, or a number where the key is missing. */
  int size(String key, int absent) {
    return node.has(key) ? requiredSize(key) : absent;
  }

  int requiredSize(String key) {
    JsonNode value = node.path(key);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() <= 0) {
      throw error(key, "a positive integer");
    }
    return value.intValue();
  }

  /** A positive finite number, or empty where the key is missing or null. */
  OptionalDouble positive(String key) {
    return has(key) ? OptionalDouble.of(requiredPositive(key)) : OptionalDouble.empty();
  }

  /** A positive finite number, or another where the key is missing. */
  double positive(String key, double absent) {
    return node.has(key) ? requiredPositive(key) : absent;
  }

  double requiredPositive(String key) {
    double value = node.path(key).isNumber() ? node.path(key).doubleValue() : 0;
    if (!(value > 0) || Double.isInfinite(value)) {
      throw error(key, "a positive number");
    }
    return value;
  }

  /** A finite number from 0 on, or empty where the key is missing or null. */
  OptionalDouble nonNegative(String key) {
    if (!has(key)) {
      return OptionalDouble.empty();
    }
    double value = node.path(key).isNumber() ? node.path(key).doubleValue() : -1;
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw error(key, "a non-negative number");
    }
    return OptionalDouble.of(value);
  }

  /** An integer from 0 on, or empty where the key is missing or null. */
  OptionalInt natural(String key) {
    if (!has(key)) {
      return OptionalInt.empty();
    }
    OptionalLong value = natural(node.path(key));
    if (value.isEmpty() || value.getAsLong() > Integer.MAX_VALUE) {
      throw error(key, "a non-negative integer");
    }
    return OptionalInt.of((int) value.getAsLong());
  }

  /** An array of integers from 0 to 2⁶³ − 1. */
  long[] naturals(String key) {
    JsonNode value = node.path(key);
    if (!value.isArray()) {
      throw error(key, "an array of integers from 0 to 2^63 - 1");
    }
    long[] numbers = new long[value.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          natural(value.get(i))
              .orElseThrow(() -> error(key, "an array of integers from 0 to 2^63 - 1"));
    }
    return numbers;
  }

  /** One integer or an array of them, as token ids are given; none where missing or null. */
  int[] ids(String key) {
    if (!has(key)) {
      return new int[0];
    }
    JsonNode value = node.path(key);
    int[] ids = new int[value.isArray() ? value.size() : 1];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = value.isArray() ? value.get(i) : value;
      if (!id.isIntegralNumber() || !id.canConvertToInt()) {
        throw error(key, "a token id or an array of token ids");
      }
      ids[i] = id.intValue();
    }
    return ids;
  }

  /** Whether a key stands in the file, be it with null. */
  boolean mentions(String key) {
    return node.has(key);
  }

  private static OptionalLong natural(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToLong() && value.longValue() >= 0
        ? OptionalLong.of(value.longValue())
        : OptionalLong.empty();
  }

  private static String shown(JsonNode value) {
    String text = value.isMissingNode() ? "nothing" : value.toString();
    return text.length() <= MAX_SHOWN_CHARS ? text : text.substring(0, MAX_SHOWN_CHARS) + "…";
  }
}
