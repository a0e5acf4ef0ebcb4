package io.github.eft4j.models.tokenizer;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.models.format.GgufVocabulary;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.Map;
import java.util.Optional;

/**
 * Chat templates in Jinja's language, rendered as Hugging Face renders them.
 *
 * <p>A template sees {@code messages}, {@code add_generation_prompt} and the special tokens, such
 * as {@code bos_token}, and may call {@code raise_exception} and {@code strftime_now}. The contents
 * of messages are text: they are neither evaluated nor escaped, and where they spell a special
 * token they do so in the rendered text too.
 *
 * <p>Templates are rendered by Jinjava, after a translation that covers what chat templates use.
 * What Jinjava cannot render as Jinja 2 does, such as {@code %} with strings or comparisons in a
 * chain, is an error when the template is rendered, with these exceptions: booleans, {@code none},
 * lists and mappings are written in Java's way, and what is undefined equals {@code none}.
 */
public final class ChatTemplates {
  private ChatTemplates() {}

  /**
   * Reads {@code chat_template.jinja}, or else the template in {@code tokenizer_config.json}, and
   * there the one named {@code default} where there are several.
   *
   * @param directory a Hugging Face model directory
   * @return the template, or empty if there is none; a malformed one throws when it is rendered
   * @throws ModelFormatException if {@code tokenizer_config.json} is malformed
   * @throws IOException if a file cannot be read
   */
  public static Optional<ChatTemplate> read(Path directory) throws IOException {
    TokenizerConfig config = TokenizerConfig.read(directory);
    Path file = directory.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      return Optional.of(of(file.toString(), JsonFiles.text(file), config.specialTokens()));
    }
    return config
        .chatTemplate()
        .map(template -> of(config.source() + ": chat_template", template, config.specialTokens()));
  }

  /**
   * Makes the template of a GGUF file.
   *
   * @param file the file, for messages
   * @param template the template that it holds; a malformed one throws when it is rendered
   * @param vocabulary its vocabulary, which tells the special tokens; empty if it has none
   * @return the template
   */
  public static ChatTemplate of(Path file, String template, Optional<GgufVocabulary> vocabulary) {
    Map<String, String> specialTokens =
        vocabulary.map(GgufTokenizer::specialTokens).orElse(Map.of());
    return of(file + ": tokenizer.chat_template", template, specialTokens);
  }

  private static ChatTemplate of(
      String source, String template, Map<String, String> specialTokens) {
    return new JinjaChatTemplate(
        source, template, specialTokens, Clock.system(ZoneId.systemDefault()));
  }
}
