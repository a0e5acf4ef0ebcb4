package io.github.eft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.UnmappableCharacterException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads text files and JSON, with errors that name the file. */
final class JsonFiles {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private JsonFiles() {}

  static String text(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (MalformedInputException | UnmappableCharacterException e) {
      throw new ModelFormatException(file + ": the file is not valid UTF-8", e);
    }
  }

  static JsonNode object(String source, String text) {
    JsonNode node;
    try {
      node = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new ModelFormatException(
          "%s: malformed JSON: %s".formatted(source, e.getOriginalMessage()), e);
    }
    if (!node.isObject()) {
      throw new ModelFormatException(
          "%s: found JSON of type %s, expected an object".formatted(source, node.getNodeType()));
    }
    return node;
  }
}
