package io.github.eft4j.examples.cli;

import io.github.eft4j.PromptFormat;
import java.util.Locale;
import picocli.CommandLine.Option;

/** How models read the prompt. */
public final class FormatOption {
  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = Format.Converter.class,
      defaultValue = "plain",
      description =
          "How models read the prompt: as it is (plain), through their chat template (chat), or"
              + " as a question (qa). ${DEFAULT-VALUE} unless given.")
  private Format format;

  /** The formats that there are. */
  enum Format {
    PLAIN,
    CHAT,
    QA;

    PromptFormat promptFormat() {
      return switch (this) {
        case PLAIN -> PromptFormat.plain();
        case CHAT -> PromptFormat.chatTemplate();
        case QA -> PromptFormat.questionAnswer();
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Reads it as users type it. */
    static final class Converter extends WordConverter<Format> {
      Converter() {
        super(Format.class);
      }
    }
  }

  /**
   * How models read the prompt.
   *
   * @return the format
   */
  public PromptFormat get() {
    return format.promptFormat();
  }
}
