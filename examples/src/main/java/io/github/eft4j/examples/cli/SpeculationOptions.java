package io.github.eft4j.examples.cli;

import io.github.eft4j.Speculation;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Whether and how a small model drafts. */
final class SpeculationOptions {
  @Option(
      names = "--speculate",
      required = true,
      description =
          "Lets a small model draft blocks of tokens, which the others check in one pass each:"
              + " faster, and the same distribution.")
  boolean speculate;

  @Option(
      names = "--draft",
      paramLabel = "MODEL|NAME",
      description = "The model that drafts. The one of --tuned unless given.")
  @Nullable String draft;

  @Option(
      names = "--draft-length",
      paramLabel = "N",
      description =
          "The number of tokens in a block, at most 64. Unless given, as many as measurements say"
              + " are fastest.")
  @Nullable Integer draftLength;

  @Option(
      names = "--acceptance",
      paramLabel = "RULE",
      converter = Acceptance.Converter.class,
      defaultValue = "coupled",
      description =
          "How drafted tokens are accepted: so that the seed gives the same text as without"
              + " --speculate (coupled), or so that most are accepted (ratio). ${DEFAULT-VALUE}"
              + " unless given.")
  Acceptance acceptance;

  /** How drafted tokens are accepted. */
  enum Acceptance {
    COUPLED(Speculation.AcceptanceRule.COUPLED),
    RATIO(Speculation.AcceptanceRule.RATIO);

    private final Speculation.AcceptanceRule rule;

    Acceptance(Speculation.AcceptanceRule rule) {
      this.rule = rule;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }

    /** Reads it as users type it. */
    static final class Converter extends WordConverter<Acceptance> {
      Converter() {
        super(Acceptance.class);
      }
    }
  }

  /**
   * Loads the model that drafts.
   *
   * @param source what is sampled
   * @param models loads it
   * @return how to speculate
   * @throws IllegalArgumentException if no model is given, or the length is out of its range
   */
  Speculation get(ModelSource source, ModelLoader.Models models) {
    String path =
        draft != null
            ? source.path(draft)
            : source
                .usualDraft()
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "--speculate needs --draft, the model that drafts, where there is no"
                                + " --tuned"));
    Speculation speculation = Speculation.draftWith(models.load(path)).withRule(acceptance.rule);
    return draftLength == null ? speculation : speculation.withBlockLength(draftLength);
  }
}
