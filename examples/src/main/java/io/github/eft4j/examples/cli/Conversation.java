package io.github.eft4j.examples.cli;

import io.github.eft4j.ChatMessage;
import io.github.eft4j.Completion;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SampleRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What was said in a chat, as far as the models' context holds it. */
final class Conversation {
  private final EftSampler sampler;
  private final List<ChatMessage> system;

  /** Questions and answers in turn, oldest first. */
  private List<ChatMessage> exchanges = List.of();

  /**
   * Begins a conversation.
   *
   * @param sampler what answers
   * @param system what the models are told first, or nothing
   * @throws IllegalArgumentException if a model cannot read such a conversation
   */
  Conversation(EftSampler sampler, List<ChatMessage> system) {
    this.sampler = sampler;
    this.system = List.copyOf(system);
    // What is cancelled is checked all the same.
    var _ = sampler.sample(request(List.of(ChatMessage.user("Hello"))).cancelledWhen(() -> true));
  }

  /**
   * An answer.
   *
   * @param completion what was sampled
   * @param forgotten how many of the oldest exchanges made room for it
   */
  record Answer(Completion completion, int forgotten) {}

  /**
   * Asks, and remembers the question and what there is of the answer. Where the context does not
   * hold the conversation and an answer, the oldest exchanges are forgotten.
   *
   * @param question what is asked
   * @param listener hears of the answer
   * @param cancelled ends the answer
   * @return the answer
   * @throws IllegalArgumentException if a model cannot read the question, however little it
   *     remembers; the conversation is then as it was
   */
  Answer ask(String question, CompletionListener listener, BooleanSupplier cancelled) {
    List<ChatMessage> messages = new ArrayList<>(exchanges);
    messages.add(ChatMessage.user(question));
    while (messages.size() > 1 && !leavesRoom(messages)) {
      messages.subList(0, 2).clear();
    }
    Completion completion =
        sampler.sample(request(messages).withListener(listener).cancelledWhen(cancelled));
    int forgotten = (exchanges.size() + 1 - messages.size()) / 2;
    String answer = completion.text().strip();
    if (answer.isEmpty()) {
      messages.removeLast(); // a model that sees itself say nothing does it again
    } else {
      messages.add(ChatMessage.assistant(answer));
    }
    exchanges = messages;
    return new Answer(completion, forgotten);
  }

  void forget() {
    exchanges = List.of();
  }

  private SampleRequest request(List<ChatMessage> messages) {
    return SampleRequest.of(prompt(messages));
  }

  private Prompt.Chat prompt(List<ChatMessage> messages) {
    List<ChatMessage> all = new ArrayList<>(system);
    all.addAll(messages);
    return new Prompt.Chat(all);
  }

  /** Whether all models can read the messages and write an answer of half a context at most. */
  private boolean leavesRoom(List<ChatMessage> messages) {
    Prompt prompt = prompt(messages);
    return sampler.combiner().models().stream()
        .allMatch(
            model -> {
              int room = Math.min(sampler.options().maxNewTokens(), model.contextLength() / 2);
              int length = PromptFormat.chatTemplate().encode(prompt, model).length;
              return length <= model.contextLength() - room;
            });
  }
}
