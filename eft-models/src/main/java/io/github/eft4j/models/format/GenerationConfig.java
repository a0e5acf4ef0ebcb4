package io.github.eft4j.models.format;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What a model's publishers say of generating text with it, from {@code generation_config.json}
 * and, where that is silent, {@code config.json}.
 *
 * @param endOfTextIds the ids that end a text, possibly none
 * @param beginningOfTextId the id that begins a text
 * @param paddingId the id that fills up short texts
 * @param sampling how to sample; empty without a {@code generation_config.json}
 */
public record GenerationConfig(
    Set<Integer> endOfTextIds,
    OptionalInt beginningOfTextId,
    OptionalInt paddingId,
    Optional<SamplingDefaults> sampling) {
  /** Copies the ids. */
  public GenerationConfig {
    endOfTextIds = Set.copyOf(endOfTextIds);
  }
}
