package io.github.eft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.models.format.ModelFormatException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The tokens of a {@code tokenizer.json}, by id. */
final class Vocabulary {
  /** Above any vocabulary in the wild; keeps a wrong file from filling the memory. */
  private static final int MAX_ID = (1 << 24) - 1;

  private static final int BYTES = 256;

  private final String source;
  private @Nullable String[] tokens = new String[0];
  private final Map<String, Integer> ids = new HashMap<>();
  private final BitSet special = new BitSet();

  /** The id of each byte's token, or nothing if the decoder does not know such tokens. */
  private final int @Nullable [] byteIds;

  /** The byte that each id in {@link #byteIds} stands for. */
  private final Map<Integer, Byte> bytes = new HashMap<>();

  Vocabulary(String source, JsonNode tokenizer) {
    this.source = source;
    JsonNode vocabulary = tokenizer.path("model").path("vocab");
    if (vocabulary.isObject()) {
      for (var entry : vocabulary.properties()) {
        put(entry.getValue(), entry.getKey());
      }
    } else if (vocabulary.isArray()) {
      // Unigram: [[token, score], ...]
      int id = 0;
      for (JsonNode pair : vocabulary) {
        put(id++, text(pair.path(0), "model.vocab"));
      }
    } else {
      throw new ModelFormatException(
          source + ": model.vocab is neither an object nor a list of tokens with their scores");
    }
    for (JsonNode added : tokenizer.path("added_tokens")) {
      int id = put(added.path("id"), text(added.path("content"), "added_tokens.content"));
      special.set(id, added.path("special").asBoolean());
    }
    this.byteIds = hasType(tokenizer.path("decoder"), "ByteFallback") ? findBytes() : null;
  }

  private String text(JsonNode value, String key) {
    if (!value.isTextual()) {
      throw new ModelFormatException(
          "%s: a token in %s is %s, expected a string".formatted(source, key, value));
    }
    return value.textValue();
  }

  private int put(JsonNode id, String token) {
    if (!id.isIntegralNumber() || !id.canConvertToInt()) {
      throw new ModelFormatException(
          "%s: token \"%s\" has id %s, expected 0 to %d".formatted(source, token, id, MAX_ID));
    }
    return put(id.intValue(), token);
  }

  private int put(int id, String token) {
    if (id < 0 || id > MAX_ID) {
      throw new ModelFormatException(
          "%s: token \"%s\" has id %d, expected 0 to %d".formatted(source, token, id, MAX_ID));
    }
    if (id >= tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(id + 1, tokens.length + tokens.length / 2));
    }
    tokens[id] = token;
    ids.put(token, id);
    return id;
  }

  private static boolean hasType(JsonNode component, String type) {
    if (component.path("type").asText().equals(type)) {
      return true;
    }
    for (JsonNode part : component.path("decoders")) {
      if (hasType(part, type)) {
        return true;
      }
    }
    return false;
  }

  private int @Nullable [] findBytes() {
    int[] found = new int[BYTES];
    for (int b = 0; b < BYTES; b++) {
      Integer id = ids.get("<0x%02X>".formatted(b));
      if (id == null) {
        bytes.clear();
        return null;
      }
      found[b] = id;
      bytes.put(id, (byte) b);
    }
    return found;
  }

  int size() {
    int size = tokens.length;
    while (size > 0 && tokens[size - 1] == null) {
      size--;
    }
    return size;
  }

  Optional<String> token(int id) {
    return id < tokens.length ? Optional.ofNullable(tokens[id]) : Optional.empty();
  }

  /** The id of a special token that {@code tokenizer_config.json} names. */
  Optional<Integer> id(String token) {
    return Optional.ofNullable(ids.get(token));
  }

  boolean isSpecial(int id) {
    return special.get(id);
  }

  /** The ids of the tokens for each of 256 bytes, or nothing if there are no such tokens. */
  int @Nullable [] byteIds() {
    return byteIds;
  }

  /** The byte that a token stands for, or null if it is no token of {@link #byteIds}. */
  @Nullable Byte byteOf(int id) {
    return bytes.get(id);
  }
}
