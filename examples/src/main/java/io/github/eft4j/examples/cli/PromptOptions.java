package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import io.github.eft4j.Prompt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is continued. */
class PromptOptions {
  @Option(
      names = "--prompt",
      required = true,
      paramLabel = "TEXT",
      description = "The text to continue.")
  @Nullable String text;

  @Option(
      names = "--ids",
      required = true,
      split = ",",
      splitSynopsisLabel = ",",
      paramLabel = "ID",
      description = "The token ids to continue.")
  int @Nullable [] ids;

  Prompt get() {
    return text != null ? Prompt.text(text) : Prompt.ids(requireNonNull(ids));
  }
}
