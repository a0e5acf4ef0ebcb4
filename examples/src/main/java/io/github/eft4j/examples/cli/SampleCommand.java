package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.Completion;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Samples from a model or an up-scaled combination of three. */
@Command(
    name = "sample",
    description = {
      "Continues a prompt with one model, or with a large model that is up-scaled by what"
          + " fine-tuning changed in a small one.",
      "Streams the new text (or ids, where there is no tokenizer), or prints one JSON object:"
          + " {\"ids\":[…],\"logProbs\":[…],\"text\":…,\"finishReason\":…}"
    })
final class SampleCommand extends EftCommand {
  @ArgGroup(multiplicity = "1")
  private Source source;

  @ArgGroup(multiplicity = "1")
  private PromptOptions prompt;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = Format.Converter.class,
      defaultValue = "plain",
      description =
          "How models read the prompt: as it is (plain), through their chat template (chat), or"
              + " as a question (qa). ${DEFAULT-VALUE} unless given.")
  private Format format;

  @ArgGroup private @Nullable Drawing drawing;

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

  @Option(names = "--json", description = "Prints one JSON object at the end.")
  private boolean json;

  @Mixin private final ModelLoader loader = new ModelLoader();

  /** What is sampled. */
  static final class Source {
    @Option(
        names = "--model",
        required = true,
        paramLabel = "MODEL",
        description = "The one model to sample from.")
    @Nullable Path model;

    @ArgGroup(exclusive = false)
    @Nullable UpScaling upScaling;

    LogitCombiner combiner(ModelLoader.Models models) {
      return upScaling != null
          ? upScaling.combiner(models)
          : LogitCombiner.of(models.load(requireNonNull(model)));
    }
  }

  /** The up-scaled combination. */
  static final class UpScaling {
    @Option(
        names = "--large",
        required = true,
        paramLabel = "MODEL",
        description = "A large pre-trained model.")
    Path large;

    @Option(
        names = "--tuned",
        required = true,
        paramLabel = "MODEL",
        description = "A small fine-tuned model.")
    Path tuned;

    @Option(
        names = "--base",
        required = true,
        paramLabel = "MODEL",
        description = "The small model that --tuned was made from.")
    Path base;

    @Option(
        names = "--beta",
        paramLabel = "BETA",
        defaultValue = "1.0",
        description =
            "The weight of what fine-tuning changed: LARGE + BETA * (TUNED - BASE)."
                + " ${DEFAULT-VALUE} unless given.")
    double beta;

    LogitCombiner combiner(ModelLoader.Models models) {
      return LogitCombiner.upScale(models.load(large), models.load(tuned), models.load(base), beta);
    }
  }

  /** What is continued. */
  static final class PromptOptions {
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

  /** How tokens are drawn. */
  static final class Drawing {
    @Option(names = "--greedy", required = true, description = "Always takes the likeliest token.")
    boolean greedy;

    @ArgGroup(exclusive = false)
    @Nullable Chance chance;
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

  /** How a model reads the prompt. */
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

  private static <T> void ifGiven(@Nullable T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }

  @Override
  public void run() {
    SamplingOptions options = options();
    PrintWriter out = out();
    try (Interruption interruption = Interruption.watch();
        ModelLoader.Models models = loader.open()) {
      LogitCombiner combiner = source.combiner(models).prompted(format.promptFormat());
      EftSampler sampler =
          EftSampler.builder(combiner).options(options).allowExtraTokens(allowExtraTokens).build();
      SampleRequest request =
          SampleRequest.of(prompt.get())
              .cancelledWhen(() -> interruption.requested() || out.checkError());
      if (json) {
        Completion completion = sampler.sample(request);
        Json.printLine(out, generator -> write(generator, completion));
      } else {
        boolean hasText = combiner.models().stream().anyMatch(m -> m.tokenizer().isPresent());
        sampler.sample(request.withListener(hasText ? new TextPrinter(out) : new IdPrinter(out)));
        out.println();
        out.flush();
      }
    }
  }

  private SamplingOptions options() {
    SamplingOptions.Builder options =
        SamplingOptions.builder()
            .ignoreEndOfText(ignoreEndOfText)
            .stopStrings(stopStrings.toArray(String[]::new));
    ifGiven(maxNewTokens, options::maxNewTokens);
    if (drawing != null && drawing.chance != null) {
      drawing.chance.apply(options);
    } else if (drawing != null) {
      options.greedy();
    }
    UpScaling upScaling = source.upScaling;
    if (upScaling != null && !Double.isFinite(upScaling.beta)) {
      throw new ParameterException(
          spec.commandLine(), "--beta is " + upScaling.beta + ", expected a finite number");
    }
    return options.build();
  }

  private static void write(JsonGenerator json, Completion completion) throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("ids");
    for (int id : completion.tokenIds()) {
      json.writeNumber(id);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("logProbs");
    for (double logProbability : completion.logProbabilities()) {
      json.writeNumber(logProbability);
    }
    json.writeEndArray();
    json.writeStringField("text", completion.text());
    json.writeStringField(
        "finishReason", completion.finishReason().name().toLowerCase(Locale.ROOT));
    json.writeEndObject();
  }

  /** Prints text as it becomes certain. */
  private record TextPrinter(PrintWriter out) implements CompletionListener {
    @Override
    public void onText(String text) {
      out.print(text);
      out.flush();
    }
  }

  /** Prints ids where no model has a tokenizer. */
  private record IdPrinter(PrintWriter out) implements CompletionListener {
    @Override
    public void onToken(int id, double logProbability) {
      out.print(id + " ");
      out.flush();
    }
  }
}
