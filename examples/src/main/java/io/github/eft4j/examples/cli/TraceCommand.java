package io.github.eft4j.examples.cli;

import io.github.eft4j.Completion;
import io.github.eft4j.CompletionTrace;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.html.TracePage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows how a text came about. */
@Command(
    name = "trace",
    description = {
      "Continues a prompt as eft sample does, and draws how the text came about as a web page: each"
          + " token coloured by how far the combination moved it away from one model (the one that"
          + " drafts, else TUNED, else the first; the page can switch), the likeliest candidates"
          + " with every model's log-probabilities, and which drafted tokens were accepted.",
      "The page is one file that needs nothing beside itself."
    })
final class TraceCommand extends EftCommand {
  @ArgGroup(multiplicity = "1")
  private PromptOptions prompt;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FILE",
      description = "Where to write the page. A file that exists is replaced.")
  private Path out;

  @Option(
      names = "--candidates",
      paramLabel = "N",
      defaultValue = "8",
      description =
          "How many of the likeliest tokens to show beside each new one (${DEFAULT-VALUE} unless"
              + " given).")
  private int candidates;

  @Mixin private final SamplerOptions sampling = new SamplerOptions();

  @Mixin private final FormatOption format = new FormatOption();

  @Mixin private final ModelLoader loader = new ModelLoader();

  @Override
  public void run() {
    Path directory = out.toAbsolutePath().getParent();
    if (Files.isDirectory(out) || directory == null || !Files.isDirectory(directory)) {
      throw new IllegalArgumentException(
          "--out is " + out + ", expected a file in a directory that exists");
    }
    try (Interruption interruption = Interruption.watch();
        ModelLoader.Models models = loader.open()) {
      EftSampler sampler =
          sampling
              .builder(models, sampling.samplingOptions().trace(candidates).build(), format.get())
              .build();
      Completion completion =
          sampler.sample(SampleRequest.of(prompt.get()).cancelledWhen(interruption::requested));
      Optional<Tokenizer> tokenizer =
          sampler.combiner().models().stream().flatMap(m -> m.tokenizer().stream()).findFirst();
      String page =
          TracePage.html(
              sampler.combiner().toString(),
              text(prompt.get(), tokenizer),
              completion,
              from(completion.trace().orElseThrow(), sampler.combiner().models(), models),
              id -> tokenizer.flatMap(t -> t.token(id)).orElse("id " + id));
      Files.writeString(out, page);
      out().printf("%s: %d tokens%n", out, completion.tokenIds().size());
      out().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The model that shifts are counted from at first. */
  private int from(CompletionTrace trace, List<LanguageModel> combined, ModelLoader.Models models) {
    int tuned =
        sampling.source().usualDraft().map(path -> combined.indexOf(models.load(path))).orElse(0);
    return trace.drafter().orElse(Math.max(tuned, 0)); // a model may cancel out
  }

  private static String text(Prompt prompt, Optional<Tokenizer> tokenizer) {
    return switch (prompt) {
      case Prompt.Text(String text) -> text;
      case Prompt.Ids(List<Integer> ids) ->
          tokenizer
              .map(t -> t.decode(ids.stream().mapToInt(Integer::intValue).toArray(), false))
              .orElseGet(() -> ids.stream().map(String::valueOf).collect(Collectors.joining(" ")));
      case Prompt.Chat chat -> throw new IllegalStateException("no option gives " + chat);
    };
  }
}
