package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.Completion;
import io.github.eft4j.CompletionFailedException;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.SpeculationStatistics;
import io.github.eft4j.TokenProbability;
import io.github.eft4j.TruncationReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Samples from a model or a combination of several. */
@Command(
    name = "sample",
    description = {
      "Continues prompts with one model, with a large model that is up-scaled by what fine-tuning"
          + " changed in a small one, or with any other combination.",
      "Streams the new text (or ids, where there is no tokenizer), or prints one JSON object a"
          + " completion: {\"ids\":[…],\"logProbs\":[…],\"text\":…,\"finishReason\":…}"
    })
final class SampleCommand extends EftCommand {
  /** How many batches are served before their completions are printed. */
  private static final int BATCHES_TOGETHER = 4;

  @Mixin private final SamplerOptions sampler = new SamplerOptions();

  @Mixin private final FormatOption format = new FormatOption();

  @Mixin private final TopLogProbabilities topLogProbabilities = new TopLogProbabilities();

  @ArgGroup(multiplicity = "1")
  private Prompts prompts;

  @Option(
      names = "-n",
      paramLabel = "N",
      defaultValue = "1",
      description = "The number of completions of a prompt (${DEFAULT-VALUE} unless given).")
  private int completions;

  @Option(
      names = "--json",
      description = {
        "Prints one JSON object a completion, at its end.",
        "Where a model is at an address it has also: \"truncation\":{\"bound\":…,\"askedAgain\":…}",
        "With --speculate it has also:"
            + " \"speculation\":{\"drafted\":…,\"checked\":…,\"accepted\":…,\"acceptance\":…}"
      })
  private boolean json;

  @Mixin private final ModelLoader loader = new ModelLoader();

  /** What is continued: one prompt, or a file of them. */
  static final class Prompts extends PromptOptions {
    @ArgGroup(exclusive = false)
    @Nullable Batch batch;
  }

  /** A file of prompts. */
  static final class Batch {
    @Option(
        names = "--prompts",
        required = true,
        paramLabel = "FILE",
        description = {
          "A file with a prompt on every line: plain text, or, if the first line begins with a"
              + " brace, JSON: {\"prompt\":TEXT} or {\"ids\":[ID,…]}",
          "Prints JSON, one completion a line, in the order of the prompts. Each is what its prompt"
              + " alone would give."
        })
    Path file;

    @Option(
        names = "--batch-size",
        paramLabel = "N",
        defaultValue = "8",
        description = "How many prompts are decoded together (${DEFAULT-VALUE} unless given).")
    int size;
  }

  @Override
  public void run() {
    Batch batch = prompts.batch;
    PromptFile file = batch == null ? null : PromptFile.read(batch.file);
    if (completions < 1) {
      throw new IllegalArgumentException("completions is " + completions + ", expected at least 1");
    }
    if (topLogProbabilities.isGiven() && !json && batch == null) {
      throw new IllegalArgumentException("--top-logprobs is for --json and --prompts");
    }
    SamplingOptions.Builder sampling = sampler.samplingOptions();
    topLogProbabilities.apply(sampling);
    SamplingOptions options = sampling.build(); // wrong ones are refused before models are loaded
    PrintWriter out = out();
    try (Interruption interruption = Interruption.watch();
        ModelLoader.Models models = loader.open()) {
      EftSampler.Builder builder = sampler.builder(models, options, format.get());
      BooleanSupplier cancelled = () -> interruption.requested() || out.checkError();
      if (file != null) {
        int batchSize = requireNonNull(batch).size;
        sample(file, builder.batchSize(batchSize).build(), batchSize, cancelled);
      } else {
        sample(prompts.get(), builder.build(), cancelled);
      }
    }
  }

  private void sample(Prompt prompt, EftSampler sampler, BooleanSupplier cancelled) {
    PrintWriter out = out();
    SampleRequest request = SampleRequest.of(prompt).cancelledWhen(cancelled);
    boolean hasText = sampler.combiner().models().stream().anyMatch(m -> m.tokenizer().isPresent());
    if (json) {
      print(orWhatThereIs(() -> sampler.sample(request, completions)));
    } else if (completions == 1) {
      Completion completion =
          sampler.sample(request.withListener(hasText ? new TextPrinter(out) : new IdPrinter(out)));
      out.println();
      warn(completion);
    } else {
      // They are decoded together, so that none can be streamed.
      List<Completion> all = sampler.sample(request, completions);
      for (int i = 0; i < all.size(); i++) {
        out.printf("%s--- %d of %d ---%n", i == 0 ? "" : "\n", i + 1, all.size());
        out.println(
            hasText
                ? all.get(i).text()
                : all.get(i).tokenIds().stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(" ")));
      }
      all.forEach(this::warn);
    }
    out.flush();
  }

  /** Serves the prompts of a file, a few batches at a time: only theirs are kept in memory. */
  private void sample(
      PromptFile file, EftSampler sampler, int batchSize, BooleanSupplier cancelled) {
    List<Prompt> all = file.prompts();
    check(file, sampler);
    int most = Math.clamp((long) BATCHES_TOGETHER * batchSize / completions, 1, all.size());
    try (TerminalBar bar =
        TerminalBar.onTerminal(
            file.path().toString(), TerminalBar.Unit.PROMPTS, spec.commandLine().getErr())) {
      for (int from = 0; from < all.size() && !cancelled.getAsBoolean(); from += most) {
        int done = from;
        CompletionListener progress =
            new CompletionListener() {
              @Override
              public void onToken(int id, double logProbability) {
                bar.show(done, all.size());
              }
            };
        List<SampleRequest> requests =
            all.subList(from, Math.min(from + most, all.size())).stream()
                .map(p -> SampleRequest.of(p).cancelledWhen(cancelled).withListener(progress))
                .toList();
        List<Completion> served =
            completions == 1
                ? orWhatThereIs(() -> sampler.sampleAll(requests))
                : requests.stream()
                    .flatMap(r -> orWhatThereIs(() -> sampler.sample(r, completions)).stream())
                    .toList();
        bar.makeRoom(() -> print(served));
      }
    }
  }

  /** Finds a prompt that cannot be served before any other is: one that is cancelled is checked. */
  private static void check(PromptFile file, EftSampler sampler) {
    for (int i = 0; i < file.prompts().size(); i++) {
      try {
        sampler.sample(SampleRequest.of(file.prompts().get(i)).cancelledWhen(() -> true));
      } catch (IllegalArgumentException e) {
        throw file.refused(i, e);
      }
    }
  }

  /** Samples, and if that fails prints first what was written until then. */
  private List<Completion> orWhatThereIs(Supplier<List<Completion>> sampled) {
    try {
      return sampled.get();
    } catch (CompletionFailedException e) {
      print(e.completions());
      throw e;
    }
  }

  private void print(List<Completion> completions) {
    for (Completion completion : completions) {
      Json.printLine(out(), generator -> write(generator, completion));
    }
  }

  /** Says how far a completion may be from the combination's own distribution. */
  private void warn(Completion completion) {
    double bound = completion.truncation().distributionBound();
    if (bound > 0) {
      spec.commandLine()
          .getErr()
          .printf(
              Locale.ROOT,
              "eft: a model tells too few probabilities: the text's distribution may differ by"
                  + " %.3g (total variation); see the server's limit, such as --max-logprobs%n",
              bound);
    }
  }

  private void write(JsonGenerator json, Completion completion) throws IOException {
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
    TruncationReport truncation = completion.truncation();
    if (!truncation.distributionBounds().isEmpty()) {
      json.writeObjectFieldStart("truncation");
      json.writeNumberField("bound", truncation.distributionBound());
      json.writeNumberField("askedAgain", truncation.askedAgain());
      json.writeEndObject();
    }
    if (topLogProbabilities.isGiven()) {
      writeTop(json, completion.topLogProbabilities());
    }
    if (sampler.speculates()) {
      SpeculationStatistics drafts = completion.speculation();
      json.writeObjectFieldStart("speculation");
      json.writeNumberField("drafted", drafts.drafted());
      json.writeNumberField("checked", drafts.checked());
      json.writeNumberField("accepted", drafts.accepted());
      if (drafts.checked() == 0) {
        json.writeNullField("acceptance");
      } else {
        json.writeNumberField("acceptance", drafts.acceptance());
      }
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void writeTop(JsonGenerator json, List<List<TokenProbability>> tokens)
      throws IOException {
    json.writeArrayFieldStart("topLogProbs");
    for (List<TokenProbability> likeliest : tokens) {
      json.writeStartArray();
      for (TokenProbability token : likeliest) {
        json.writeStartObject();
        json.writeNumberField("id", token.id());
        json.writeNumberField("logProb", token.logProbability());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    json.writeEndArray();
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
