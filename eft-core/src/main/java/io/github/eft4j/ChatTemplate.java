package io.github.eft4j;

import java.util.List;

/** Writes a conversation as the text that a chat model was trained on. */
@FunctionalInterface
public interface ChatTemplate {
  /**
   * Renders a conversation. The text spells the special tokens that belong to it, so it is encoded
   * without adding any.
   *
   * @param messages the messages, oldest first
   * @param addGenerationPrompt whether to end with the words that open the model's answer
   * @return the text
   * @throws IllegalArgumentException if the template refuses the conversation or cannot be rendered
   */
  String render(List<ChatMessage> messages, boolean addGenerationPrompt);
}
