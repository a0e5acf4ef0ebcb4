package io.github.eft4j.examples.facts;

/** What the facts of an entity serve for, after all models have read of it in pre-training. */
public enum Split {
  /** Fine-tuning. */
  TUNING,
  /** Choosing between recipes. */
  VALIDATION,
  /** The figures that are reported. */
  TEST
}
