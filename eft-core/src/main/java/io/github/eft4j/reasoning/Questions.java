package io.github.eft4j.reasoning;

import io.github.eft4j.EftSampler;
import io.github.eft4j.Tokenizer;

/** What the reasoners share: questions are text, and so are answers. */
final class Questions {
  private Questions() {}

  static void check(String question) {
    if (question.isBlank()) {
      throw new IllegalArgumentException("the question is blank");
    }
  }

  /** The tokenizer that a sampler turns tokens into text with. */
  static Tokenizer tokenizer(EftSampler sampler) {
    return sampler.combiner().models().stream()
        .flatMap(model -> model.tokenizer().stream())
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "reasoning needs text, but no model of "
                        + sampler.combiner()
                        + " has a tokenizer"));
  }
}
