package io.github.eft4j.examples.langchain4j;

import dev.langchain4j.memory.ChatMemory;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.langchain4j.EftStreamingChatModel;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A conversation with a large base model that is up-scaled by what fine-tuning changed in a small
 * one, through an AI service of LangChain4j that remembers what was said and streams its answers.
 */
public final class Chat {
  private static final int REMEMBERED_MESSAGES = 6;

  /** What LangChain4j implements. */
  interface Assistant {
    TokenStream answer(String question);
  }

  /**
   * Asks questions, and prints the answers as they are written.
   *
   * @param args the directory that holds large-base, small-tuned and small-base, then the questions
   */
  public static void main(String[] args) {
    ChatMemory memory = MessageWindowChatMemory.withMaxMessages(REMEMBERED_MESSAGES);
    List<String> questions = List.of(args).subList(1, args.length);
    ask(Path.of(args[0]), questions, memory, System.out::print);
  }

  static void ask(Path models, List<String> questions, ChatMemory memory, Consumer<String> out) {
    try (var large = LanguageModels.load(models.resolve("large-base"));
        var tuned = LanguageModels.load(models.resolve("small-tuned"));
        var base = LanguageModels.load(models.resolve("small-base"))) {
      var upScaled = LogitCombiner.upScale(large, tuned, base);
      var sampler =
          EftSampler.builder(upScaled)
              .temperature(0.7)
              .topP(0.95)
              .seed(42)
              .maxNewTokens(64)
              .build();
      var assistant =
          AiServices.builder(Assistant.class)
              .streamingChatModel(EftStreamingChatModel.builder(sampler).build())
              .chatMemory(memory)
              .build();
      for (String question : questions) {
        out.accept("> " + question + "\n");
        var answer = new CompletableFuture<ChatResponse>();
        assistant
            .answer(question)
            .onPartialResponse(out)
            .onCompleteResponse(answer::complete)
            .onError(answer::completeExceptionally)
            .start();
        answer.join();
        out.accept("\n");
      }
    }
  }

  private Chat() {}
}
