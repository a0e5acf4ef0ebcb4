package io.github.eft4j.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.eft4j.ChatMessage;
import io.github.eft4j.ChatTemplate;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ChatTemplatesTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-02T15:04:05Z"), ZoneOffset.UTC);

  private static final Map<String, String> SPECIAL_TOKENS =
      Map.of("bos_token", "<s>", "eos_token", "</s>");

  @TempDir Path directory;

  /**
   * A template with a conversation and what Jinja 2 makes of them.
   *
   * @param template a file's name, or the template itself
   */
  record Case(String template, List<ChatMessage> messages, boolean prompt, JsonNode expected) {
    @Override
    public String toString() {
      return template + " " + messages.size() + (prompt ? " prompt" : "");
    }
  }

  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (JsonNode json : new ObjectMapper().readTree(resource("expected.json"))) {
      List<ChatMessage> messages = new ArrayList<>();
      for (JsonNode message : json.path("messages")) {
        messages.add(
            new ChatMessage(message.path("role").asText(), message.path("content").asText()));
      }
      cases.add(
          new Case(
              json.path("template").asText(),
              messages,
              json.path("add_generation_prompt").asBoolean(),
              json));
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void rendersAsJinja2(Case example) throws IOException {
    String template =
        example.template().endsWith(".jinja")
            ? resource(example.template())
            : example.template().replace('⏎', '\n');
    ChatTemplate chat = new JinjaChatTemplate("file", template, SPECIAL_TOKENS, CLOCK);
    if (example.expected().has("refusal")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> chat.render(example.messages(), example.prompt()))
          .withMessage(
              "file: the template refuses the conversation: "
                  + example.expected().path("refusal").asText());
    } else {
      assertThat(chat.render(example.messages(), example.prompt()))
          .isEqualTo(example.expected().path("text").asText());
    }
  }

  @Property(tries = 200)
  void messagesAreTextWhateverTheyLookLike(@ForAll String content) {
    ChatTemplate echo =
        new JinjaChatTemplate("file", "[{{ messages[0].content }}]", SPECIAL_TOKENS, CLOCK);
    assertThat(echo.render(List.of(ChatMessage.user(content)), false))
        .isEqualTo("[" + content + "]");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      textBlock =
          """
          {{ 7 * 7 }}
          {% raise_exception('no') %}
          {{ messages }}{# gone #}{% raw %}
          {{ '{{ 1 }}' }}
          <s>[INST] </s> &amp; <b>
          \\n \\u0041 '' ""
          """)
  void messagesAreNeverEvaluated(String content) throws IOException {
    ChatTemplate llama =
        new JinjaChatTemplate("file", resource("llama2-chat.jinja"), SPECIAL_TOKENS, CLOCK);
    assertThat(llama.render(List.of(ChatMessage.user(content)), true))
        .isEqualTo("<s>[INST] " + content + " [/INST]");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '¦',
      textBlock =
          """
          {{ 'a' * 3 }}                      ¦ the template cannot be rendered: Cannot coerce 'a'
          {{ 1 < 2 < 3 }}                    ¦ the template cannot be rendered: Error parsing
          {{ messages|nothing }}             ¦ no filter named 'nothing'
          {{ 1 if messages is nothing }}     ¦ no test named 'nothing'
          {{ nothing() }}                    ¦ Could not resolve function 'nothing'
          {{ 'a'.nothing() }}                ¦ strings have no method 'nothing'
          {{ 'a'.replace(1, 'b') }}          ¦ argument 1 of replace is not a string
          {{ 'a'.split(',', 'b') }}          ¦ argument 2 of split is not a number
          {{ ','.join(3) }}                  ¦ argument 1 of join is not a list
          {{ 'a'.split('') }}                ¦ empty separator
          {{ strftime_now('%Q') }}           ¦ strftime_now does not know %Q
          {{ 3|items }}                      ¦ items: not a mapping
          {% for m in messages %}{{ loop.previtem }}{% endfor %} ¦ 'previtem'
          {% nothing %}                      ¦ Unknown tag: nothing
          {% if true %}                      ¦ Missing end tag
          {% include 'other' %}              ¦ file
          {{ messages                        ¦ line 1: a tag that is not closed
          {{ ? }}                            ¦ line 1: unexpected character '?'
          {# x                               ¦ a comment is not closed
          {% raw %} x                        ¦ a raw block is not closed
          {% %}                              ¦ an empty block tag
          """)
  void whatCannotBeRenderedIsAnError(String template, String message) {
    ChatTemplate chat = new JinjaChatTemplate("file", template, SPECIAL_TOKENS, CLOCK);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> chat.render(List.of(ChatMessage.user("a")), true))
        .withMessageStartingWith("file: ")
        .withMessageContaining(message);
  }

  @Test
  void tellsTheTimeInTheFormsOfStrftime() {
    String template = "{{ strftime_now('%Y-%m-%d %H:%M:%S %y %j %B %b %A %a %I %p %z %%') }}";
    assertThat(new JinjaChatTemplate("file", template, Map.of(), CLOCK).render(List.of(), false))
        .isEqualTo("2026-01-02 15:04:05 26 002 January Jan Friday Fri 03 PM +0000 %");
  }

  @Test
  void theTemplateFileComesFirst() throws IOException {
    assertThat(ChatTemplates.read(directory)).isEmpty();
    config(
        "{\"bos_token\": {\"content\": \"<s>\"}, \"chat_template\": \"config {{ bos_token }}\"}");
    assertThat(read()).isEqualTo("config <s>");
    Files.writeString(directory.resolve("chat_template.jinja"), "file {{ bos_token }}\n");
    assertThat(read()).isEqualTo("file <s>");
  }

  @Test
  void takesTheDefaultOfSeveralTemplates() throws IOException {
    config(
        """
        {"chat_template": [{"name": "tool_use", "template": "tools"},
                           {"name": "default", "template": "default"}]}\
        """);
    assertThat(read()).isEqualTo("default");
    config("{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"tools\"}]}");
    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(this::read)
        .withMessageContaining("tokenizer_config.json: chat_template is neither a string nor");
  }

  @Test
  void errorsNameTheFile() throws IOException {
    config("{\"chat_template\": \"{{ raise_exception('only one turn') }}\"}");
    assertThatIllegalArgumentException()
        .isThrownBy(this::read)
        .withMessageEndingWith(
            "tokenizer_config.json: chat_template: the template refuses the conversation:"
                + " only one turn");
  }

  @Test
  void rendersTheTemplateOfTheTrainedModels() throws IOException {
    ChatTemplate template = ChatTemplates.read(SmallTokenizers.demo()).orElseThrow();
    assertThat(
            template.render(
                List.of(ChatMessage.user("What?"), ChatMessage.assistant("That.")), true))
        .isEqualTo("<|bos|>### User: What?\n### Assistant: That.<|endoftext|>\n### Assistant:");
  }

  private void config(String json) throws IOException {
    Files.writeString(directory.resolve("tokenizer_config.json"), json);
  }

  private String read() throws IOException {
    return ChatTemplates.read(directory).orElseThrow().render(List.of(), false);
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream =
        Objects.requireNonNull(ChatTemplatesTest.class.getResourceAsStream("/chat/" + name))) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
