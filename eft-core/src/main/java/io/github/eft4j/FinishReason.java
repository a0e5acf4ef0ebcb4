package io.github.eft4j;

/** Why a completion ended. */
public enum FinishReason {
  /** A token was drawn that ends the text. */
  END_OF_TEXT,
  /** The text reached one of the stop strings. */
  STOP_STRING,
  /** As many tokens were drawn as were asked for. */
  MAX_NEW_TOKENS,
  /** A model's context is full. */
  CONTEXT_FULL,
  /** The request was cancelled. */
  CANCELLED,
  /** The request's time was over. */
  DEADLINE,
  /** A model failed; see {@link CompletionFailedException}. */
  FAILED
}
