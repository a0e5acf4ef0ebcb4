package io.github.eft4j.examples.cli;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.study.ReasoningStudy;
import io.github.eft4j.models.NliModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Compares Theorem-of-Thought with what it is compared with in the literature. */
@Command(
    name = "study-reasoning",
    description = {
      "Compares Theorem-of-Thought with chain of thought, self-consistency and CoT-decoding, on the"
          + " small models that come with the examples, and writes a report with a chart.",
      "The questions take two facts, about entities that no model was fine-tuned on."
    })
final class ReasoningStudyCommand extends EftCommand {
  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The directory that the report, reasoning.md, and its chart are written to.")
  private Path out;

  @Option(
      names = "--models",
      paramLabel = "DIR",
      defaultValue = "${sys:eft.models:-examples/models}",
      description =
          "The directory that holds large-base, small-base, small-reasoner and the judge nli.")
  private Path directory;

  @Mixin private final QuestionOptions which = new QuestionOptions();

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "What sampled chains come from (${DEFAULT-VALUE} unless given).")
  private long seed;

  @Mixin private final ModelLoader loader = new ModelLoader();

  @Override
  public void run() {
    List<MultiHop> questions = which.first(MultiHop.of(which.split()));
    try (ModelLoader.Models models = loader.open();
        NliModel judge = NliModel.load(directory.resolve("nli"), models.ops())) {
      ReasoningStudy study = new ReasoningStudy(questions, judge, seed, this::progress);
      study.addAll(
          load(models, "large-base"), load(models, "small-reasoner"), load(models, "small-base"));
      study.write(
          out, "eft " + String.join(" ", spec.commandLine().getParseResult().originalArgs()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out().println("The report is " + out.resolve("reasoning.md") + ".");
  }

  private LanguageModel load(ModelLoader.Models models, String name) {
    return models.load(directory.resolve(name).toString());
  }

  private void progress(String what) {
    out().println(what + " ...");
    out().flush();
  }
}
