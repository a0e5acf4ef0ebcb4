package io.github.eft4j;

import java.util.Arrays;
import java.util.List;

/** What a completion continues: text, token ids or a conversation. */
public sealed interface Prompt {
  /**
   * A prompt of plain text.
   *
   * @param text the text
   * @return the prompt
   */
  static Prompt text(String text) {
    return new Text(text);
  }

  /**
   * A prompt of token ids, which every model reads as they are.
   *
   * @param ids the token ids
   * @return the prompt
   */
  static Prompt ids(int... ids) {
    return new Ids(Arrays.stream(ids).boxed().toList());
  }

  /**
   * A prompt that is a conversation, which each model reads through its own chat template.
   *
   * @param messages the messages, oldest first
   * @return the prompt
   */
  static Prompt chat(ChatMessage... messages) {
    return new Chat(List.of(messages));
  }

  /**
   * Plain text.
   *
   * @param text the text
   */
  record Text(String text) implements Prompt {}

  /**
   * Token ids.
   *
   * @param ids the token ids
   */
  record Ids(List<Integer> ids) implements Prompt {
    /** Copies the list. */
    public Ids {
      ids = List.copyOf(ids);
    }
  }

  /**
   * A conversation.
   *
   * @param messages the messages, oldest first
   */
  record Chat(List<ChatMessage> messages) implements Prompt {
    /** Copies the list. */
    public Chat {
      messages = List.copyOf(messages);
    }
  }
}
