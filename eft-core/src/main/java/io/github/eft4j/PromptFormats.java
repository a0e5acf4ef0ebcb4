package io.github.eft4j;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The formats that come with the library. */
final class PromptFormats {
  private PromptFormats() {}

  static final PromptFormat PLAIN = PromptFormats::plain;
  static final PromptFormat CHAT_TEMPLATE = (prompt, model) -> chat(prompt, List.of(), model);
  static final PromptFormat QUESTION_ANSWER = new Around("Question: ", "\nAnswer:");

  record WithSystem(String system) implements PromptFormat {
    @Override
    public int[] encode(Prompt prompt, LanguageModel model) {
      return chat(prompt, List.of(ChatMessage.system(system)), model);
    }
  }

  record Around(String before, String after) implements PromptFormat {
    @Override
    public int[] encode(Prompt prompt, LanguageModel model) {
      String text =
          switch (prompt) {
            case Prompt.Text(String t) -> t;
            case Prompt.Chat(List<ChatMessage> messages) ->
                messages.stream()
                    .map(m -> m.role() + ": " + m.content())
                    .collect(Collectors.joining("\n"));
            case Prompt.Ids _ ->
                throw new IllegalArgumentException(
                    "a prompt of token ids cannot be put between text for model " + model.name());
          };
      return tokenizer(model).encode(before + text + after, true);
    }
  }

  private static int[] plain(Prompt prompt, LanguageModel model) {
    return switch (prompt) {
      case Prompt.Text(String text) -> tokenizer(model).encode(text, true);
      case Prompt.Ids(List<Integer> ids) -> ids.stream().mapToInt(Integer::intValue).toArray();
      case Prompt.Chat _ -> chat(prompt, List.of(), model);
    };
  }

  private static int[] chat(Prompt prompt, List<ChatMessage> first, LanguageModel model) {
    List<ChatMessage> messages =
        switch (prompt) {
          case Prompt.Text(String text) -> List.of(ChatMessage.user(text));
          case Prompt.Chat(List<ChatMessage> all) -> all;
          case Prompt.Ids _ ->
              throw new IllegalArgumentException(
                  "a prompt of token ids cannot go through the chat template of model "
                      + model.name());
        };
    ChatTemplate template =
        model
            .chatTemplate()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "model " + model.name() + " has no chat template: give its prompt format"));
    String text = template.render(Stream.concat(first.stream(), messages.stream()).toList(), true);
    return tokenizer(model).encode(text, false);
  }

  private static Tokenizer tokenizer(LanguageModel model) {
    return model
        .tokenizer()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "model " + model.name() + " has no tokenizer: give the prompt as token ids"));
  }
}
