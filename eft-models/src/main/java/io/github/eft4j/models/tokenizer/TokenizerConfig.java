package io.github.eft4j.models.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code tokenizer_config.json} says beside {@code tokenizer.json}.
 *
 * @param source the file, for messages
 * @param specialTokens the special tokens by their key, such as {@code bos_token}
 * @param addBeginOfText whether to begin a text with {@code bos_token}, or empty to leave that to
 *     {@code tokenizer.json}
 * @param addEndOfText whether to end a text with {@code eos_token}, or empty as above
 * @param chatTemplate the chat template in Jinja's language
 */
record TokenizerConfig(
    String source,
    Map<String, String> specialTokens,
    Optional<Boolean> addBeginOfText,
    Optional<Boolean> addEndOfText,
    Optional<String> chatTemplate) {
  static final String BEGIN_OF_TEXT = "bos_token";
  static final String END_OF_TEXT = "eos_token";

  private static final List<String> SPECIAL_TOKENS =
      List.of(
          BEGIN_OF_TEXT,
          END_OF_TEXT,
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private static final String CHAT_TEMPLATE = "chat_template";

  /** Those whose Python code begins texts with {@code bos_token} where the file says nothing. */
  private static final Set<String> LLAMA_CLASSES = Set.of("LlamaTokenizer", "LlamaTokenizerFast");

  TokenizerConfig {
    specialTokens = Map.copyOf(specialTokens);
  }

  /** Reads the file of a directory, which need not have one. */
  static TokenizerConfig read(Path directory) throws IOException {
    Path file = directory.resolve("tokenizer_config.json");
    if (!Files.exists(file)) {
      return new TokenizerConfig(
          file.toString(), Map.of(), Optional.empty(), Optional.empty(), Optional.empty());
    }
    return parse(file.toString(), JsonFiles.object(file.toString(), JsonFiles.text(file)));
  }

  private static TokenizerConfig parse(String source, JsonNode json) {
    Map<String, String> specialTokens = new LinkedHashMap<>();
    for (String key : SPECIAL_TOKENS) {
      JsonNode value = json.path(key);
      if (!value.isMissingNode() && !value.isNull()) {
        JsonNode token = value.isObject() ? value.path("content") : value;
        if (!token.isTextual()) {
          throw new ModelFormatException(
              "%s: %s is %s, expected a string or an object with the string \"content\""
                  .formatted(source, key, value));
        }
        specialTokens.put(key, token.textValue());
      }
    }
    boolean llama = LLAMA_CLASSES.contains(json.path("tokenizer_class").asText());
    return new TokenizerConfig(
        source,
        specialTokens,
        flag(source, json, "add_bos_token").or(() -> llama ? Optional.of(true) : Optional.empty()),
        flag(source, json, "add_eos_token").or(() -> llama ? Optional.of(false) : Optional.empty()),
        chatTemplate(source, json.path(CHAT_TEMPLATE)));
  }

  private static Optional<Boolean> flag(String source, JsonNode json, String key) {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    if (!value.isBoolean()) {
      throw new ModelFormatException(
          "%s: %s is %s, expected true or false".formatted(source, key, value));
    }
    return Optional.of(value.booleanValue());
  }

  /** The template, which is a string, or the one named "default" in a list. */
  private static Optional<String> chatTemplate(String source, JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    if (value.isTextual()) {
      return Optional.of(value.textValue());
    }
    for (JsonNode named : value) {
      if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
        return Optional.of(named.path("template").textValue());
      }
    }
    throw new ModelFormatException(
        source
            + ": "
            + CHAT_TEMPLATE
            + " is neither a string nor a list with a template named \"default\"");
  }
}
