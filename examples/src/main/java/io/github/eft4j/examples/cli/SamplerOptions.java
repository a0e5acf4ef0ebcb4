package io.github.eft4j.examples.cli;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.TruncationPolicy;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/**
 * What is sampled, and how: the options of a sampler, for any command that has one. How models read
 * the prompt is {@link FormatOption}'s.
 */
public final class SamplerOptions {
  @ArgGroup(multiplicity = "1")
  private ModelSource source;

  @ArgGroup private @Nullable Drawing drawing;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "R",
      description =
          "Multiplies the log-probability of tokens that the prompt or the completion has already;"
              + " above 1 discourages them.")
  private @Nullable Double repetitionPenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "F",
      description =
          "Is subtracted from a token's log-probability for each time that the completion has it"
              + " already.")
  private @Nullable Double frequencyPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "F",
      description =
          "Is subtracted from a token's log-probability if the completion has it already.")
  private @Nullable Double presencePenalty;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      description = "The greatest number of new tokens (256 unless given).")
  private @Nullable Integer maxNewTokens;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends at this text, which is left out. May be given several times.")
  private List<String> stopStrings = List.of();

  @Option(names = "--ignore-eos", description = "Goes on after a token that ends a text.")
  private boolean ignoreEndOfText;

  @Option(
      names = "--allow-extra-tokens",
      description = "Allows models to have ids at the end that the others lack.")
  private boolean allowExtraTokens;

  @Option(
      names = "--truncation-limit",
      paramLabel = "P",
      description =
          "Fails at a token where a model at an address tells so few probabilities that the"
              + " distribution drawn from might differ by more than P (total variation). Unless"
              + " given, a warning says so.")
  private @Nullable Double truncationLimit;

  @ArgGroup(exclusive = false)
  private @Nullable SpeculationOptions speculation;

  /** How tokens are drawn. */
  static final class Drawing {
    @Option(names = "--greedy", required = true, description = "Always takes the likeliest token.")
    boolean greedy;

    @ArgGroup(exclusive = false)
    @Nullable Chance chance;

    void apply(SamplingOptions.Builder options) {
      if (chance != null) {
        chance.apply(options);
      } else {
        options.greedy();
      }
    }
  }

  /** How tokens are drawn by chance. */
  static final class Chance {
    @Option(
        names = "--temperature",
        paramLabel = "T",
        description = "Divides log-probabilities; 0 is greedy (1 unless given).")
    @Nullable Double temperature;

    @Option(
        names = "--top-k",
        paramLabel = "K",
        description = "Keeps the K likeliest tokens; 0 keeps all.")
    @Nullable Integer topK;

    @Option(
        names = "--top-p",
        paramLabel = "P",
        description = "Keeps the fewest likeliest tokens whose probabilities reach P.")
    @Nullable Double topP;

    @Option(
        names = "--min-p",
        paramLabel = "M",
        description = "Keeps tokens at least M times as likely as the likeliest.")
    @Nullable Double minP;

    @Option(names = "--seed", paramLabel = "S", description = "Makes the draws reproducible.")
    @Nullable Long seed;

    void apply(SamplingOptions.Builder options) {
      ifGiven(temperature, options::temperature);
      ifGiven(topK, options::topK);
      ifGiven(topP, options::topP);
      ifGiven(minP, options::minP);
      ifGiven(seed, options::seed);
    }
  }

  private static <T> void ifGiven(@Nullable T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }

  /**
   * How tokens are drawn.
   *
   * @return the options, to be added to
   * @throws IllegalArgumentException if an option is out of its range
   */
  public SamplingOptions.Builder samplingOptions() {
    SamplingOptions.Builder options =
        SamplingOptions.builder()
            .ignoreEndOfText(ignoreEndOfText)
            .stopStrings(stopStrings.toArray(String[]::new));
    ifGiven(maxNewTokens, options::maxNewTokens);
    ifGiven(repetitionPenalty, options::repetitionPenalty);
    ifGiven(frequencyPenalty, options::frequencyPenalty);
    ifGiven(presencePenalty, options::presencePenalty);
    if (drawing != null) {
      drawing.apply(options);
    }
    return options;
  }

  /**
   * Loads the models.
   *
   * @param models loads them
   * @param options how tokens are drawn
   * @param format how models read the prompt
   * @return a builder of the sampler that the options describe
   * @throws IllegalArgumentException if an option is out of its range, the expression cannot be
   *     read, or it does not use a named model
   */
  public EftSampler.Builder builder(
      ModelLoader.Models models, SamplingOptions options, PromptFormat format) {
    String draft = speculation == null ? null : speculation.draft;
    LogitCombiner combiner = source.combiner(models, draft).prompted(format);
    EftSampler.Builder builder =
        EftSampler.builder(combiner).options(options).allowExtraTokens(allowExtraTokens);
    if (truncationLimit != null) {
      builder.truncation(TruncationPolicy.failAbove(truncationLimit));
    }
    return speculation == null ? builder : builder.speculation(speculation.get(source, models));
  }

  /** What is sampled. */
  ModelSource source() {
    return source;
  }

  boolean speculates() {
    return speculation != null;
  }
}
