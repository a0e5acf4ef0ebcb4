package io.github.eft4j.examples.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.github.eft4j.Prompt;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file with a prompt on every line: plain text, or JSON if the first line begins with a brace.
 *
 * @param path the file
 * @param prompts the prompts; that of line n at n − 1
 */
record PromptFile(Path path, List<Prompt> prompts) {
  /**
   * Reads a file.
   *
   * @param path the file
   * @return its prompts
   * @throws IllegalArgumentException if a line is no prompt, with the number of that line, or there
   *     is none
   */
  static PromptFile read(Path path) {
    JsonFactory factory = new JsonFactory();
    List<Prompt> prompts = new ArrayList<>();
    // A byte becomes a character, so that what is not UTF-8 is found in the line that it is in.
    try (BufferedReader lines = Files.newBufferedReader(path, ISO_8859_1)) {
      boolean json = false;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        try {
          String text = decode(line.getBytes(ISO_8859_1));
          if (text.isBlank()) {
            throw new IllegalArgumentException("expected a prompt, found an empty line");
          }
          json |= prompts.isEmpty() && text.startsWith("{");
          prompts.add(json ? parse(factory, text) : Prompt.text(text));
        } catch (IllegalArgumentException e) {
          throw inLine(path, prompts.size() + 1, e);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    if (prompts.isEmpty()) {
      throw new IllegalArgumentException(path + " has no prompts");
    }
    return new PromptFile(path, prompts);
  }

  /** Says in which line a prompt is that was refused. */
  IllegalArgumentException refused(int prompt, IllegalArgumentException why) {
    return inLine(path, prompt + 1, why);
  }

  private static IllegalArgumentException inLine(
      Path path, int line, IllegalArgumentException why) {
    return new IllegalArgumentException(
        "%s, line %d: %s".formatted(path, line, why.getMessage()), why);
  }

  private static String decode(byte[] line) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("not UTF-8", e);
    }
  }

  private static Prompt parse(JsonFactory factory, String line) throws IOException {
    try (JsonParser json = factory.createParser(line)) {
      expect(json, json.nextToken(), JsonToken.START_OBJECT);
      String key = json.nextFieldName();
      Prompt prompt =
          switch (key) {
            case "prompt" -> text(json);
            case "ids" -> ids(json);
            case null, default -> throw unexpected(key == null ? line : "the key \"" + key + '"');
          };
      expect(json, json.nextToken(), JsonToken.END_OBJECT);
      expect(json, json.nextToken(), null);
      return prompt;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static Prompt text(JsonParser json) throws IOException {
    expect(json, json.nextToken(), JsonToken.VALUE_STRING);
    return Prompt.text(json.getText());
  }

  private static Prompt ids(JsonParser json) throws IOException {
    expect(json, json.nextToken(), JsonToken.START_ARRAY);
    List<Integer> ids = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      expect(json, json.currentToken(), JsonToken.VALUE_NUMBER_INT);
      ids.add(json.getIntValue());
    }
    return new Prompt.Ids(ids);
  }

  private static void expect(
      JsonParser json, @Nullable JsonToken found, @Nullable JsonToken expected) throws IOException {
    if (found != expected) {
      throw unexpected(found == null ? "the end" : "'" + json.getText() + "'");
    }
  }

  private static IllegalArgumentException unexpected(String found) {
    return new IllegalArgumentException(
        "expected {\"prompt\": TEXT} or {\"ids\": [ID, ...]}, found " + found);
  }
}
