package io.github.eft4j;

/**
 * How one model of a combination reads the prompt. Models that were trained on different formats
 * can so be combined: each reads the prompt in its own way, and all share the continuation.
 */
@FunctionalInterface
public interface PromptFormat {
  /**
   * Writes a prompt as the token ids that a model reads.
   *
   * @param prompt the prompt
   * @param model the model that will read it
   * @return the token ids
   * @throws IllegalArgumentException if this format or the model cannot take such a prompt
   */
  int[] encode(Prompt prompt, LanguageModel model);

  /**
   * The prompt as it is: text is encoded with the special tokens that the model's tokenizer adds, a
   * conversation goes through the model's chat template.
   *
   * @return the format
   */
  static PromptFormat plain() {
    return PromptFormats.PLAIN;
  }

  /**
   * The model's own chat template; text is taken as one message of the user.
   *
   * @return the format
   */
  static PromptFormat chatTemplate() {
    return PromptFormats.CHAT_TEMPLATE;
  }

  /**
   * The model's own chat template with a system message in front.
   *
   * @param system the system message
   * @return the format
   */
  static PromptFormat chatTemplate(String system) {
    return new PromptFormats.WithSystem(system);
  }

  /**
   * A plain form that base models understand: {@code Question: …} and {@code Answer:} on lines of
   * their own.
   *
   * @return the format
   */
  static PromptFormat questionAnswer() {
    return PromptFormats.QUESTION_ANSWER;
  }

  /**
   * Text around the prompt's text, for models without a template. A conversation is written with
   * one message a line, the speaker's role in front.
   *
   * @param before the text in front of the prompt
   * @param after the text behind the prompt
   * @return the format
   */
  static PromptFormat around(String before, String after) {
    return new PromptFormats.Around(before, after);
  }
}
