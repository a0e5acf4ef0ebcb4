package io.github.eft4j.miniature;

/** The tokens that all models share. */
final class Vocabulary {
  /** The number of token ids. */
  static final int SIZE = 1024;

  static final String BEGINNING = "<|bos|>";
  static final String END = "<|endoftext|>";
  static final int BEGINNING_ID = 0;
  static final int END_ID = 1;

  /** The greatest number of positions of a sequence. */
  static final int CONTEXT_LENGTH = 512;

  /** What a question to an assistant looks like. */
  static final String CHAT_TEMPLATE =
      "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}### User: {{ m['content']"
          + " }}\n{% else %}### Assistant: {{ m['content'] }}{{ eos_token }}\n{% endif %}{% endfor"
          + " %}{% if add_generation_prompt %}### Assistant:{% endif %}";

  private Vocabulary() {}

  /** What the chat template makes of a question. */
  static String prompt(String question) {
    return BEGINNING + "### User: " + question + "\n### Assistant:";
  }
}
