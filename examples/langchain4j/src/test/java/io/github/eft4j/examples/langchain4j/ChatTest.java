package io.github.eft4j.examples.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.memory.ChatMemory;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ChatTest {
  private static final Path MODELS = Path.of("../models");

  @Test
  void answersAreStreamedAndRemembered() {
    ChatMemory memory = MessageWindowChatMemory.withMaxMessages(10);
    List<String> parts = new ArrayList<>();
    List<String> questions = List.of("What is the capital of Finland?", "And of Norway?");
    Chat.ask(MODELS, questions, memory, parts::add);

    List<ChatMessage> messages = memory.messages();
    assertThat(messages).hasSize(4);
    String first = ((AiMessage) messages.get(1)).text();
    String second = ((AiMessage) messages.get(3)).text();
    assertThat(messages.get(0)).isEqualTo(UserMessage.from(questions.get(0)));
    assertThat(messages.get(2)).isEqualTo(UserMessage.from(questions.get(1)));
    assertThat(String.join("", parts))
        .isEqualTo("> %s\n%s\n> %s\n%s\n", questions.get(0), first, questions.get(1), second);
    assertThat(parts).hasSizeGreaterThan(10);

    // What the second answer continues is the whole conversation.
    try (var large = LanguageModels.load(MODELS.resolve("large-base"));
        var tuned = LanguageModels.load(MODELS.resolve("small-tuned"));
        var base = LanguageModels.load(MODELS.resolve("small-base"))) {
      assertThat(
              EftSampler.builder(LogitCombiner.upScale(large, tuned, base))
                  .temperature(0.7)
                  .topP(0.95)
                  .seed(42)
                  .maxNewTokens(64)
                  .build()
                  .sample(
                      Prompt.chat(
                          io.github.eft4j.ChatMessage.user(questions.get(0)),
                          io.github.eft4j.ChatMessage.assistant(first),
                          io.github.eft4j.ChatMessage.user(questions.get(1))))
                  .text())
          .isEqualTo(second);
    }
  }
}
