package io.github.eft4j.tensor;

/** Which two numbers of a head a rotary embedding rotates together. */
public enum RotaryLayout {
  /** Numbers {@code i} and {@code i + headSize / 2}, as in Hugging Face checkpoints. */
  HALVES,
  /** Numbers {@code 2i} and {@code 2i + 1}, as in Llama's GGUF files. */
  PAIRS
}
