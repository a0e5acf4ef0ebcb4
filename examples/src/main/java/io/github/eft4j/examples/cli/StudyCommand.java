package io.github.eft4j.examples.cli;

import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.examples.facts.Question;
import io.github.eft4j.examples.study.Family;
import io.github.eft4j.examples.study.Models;
import io.github.eft4j.examples.study.Study;
import io.github.eft4j.examples.study.StudyReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Measures what up-scaling does. */
@Command(
    name = "study",
    description = {
      "Measures what up-scaling, down-scaling, reward interpolation and speculation do, on the"
          + " small models that come with the examples, and writes a report with charts.",
      "The questions are about entities that no model was fine-tuned on."
    })
final class StudyCommand extends EftCommand {
  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "The directory that the report, README.md, and its charts are written to.")
  private Path out;

  @Option(
      names = "--models",
      paramLabel = "DIR",
      defaultValue = "${sys:eft.models:-examples/models}",
      description =
          "The directory that holds large-base, small-base and small-tuned, if need be also"
              + " small-terse and large-tuned, and the same with falcon- in front.")
  private Path directory;

  @Option(
      names = "--also",
      paramLabel = "DIR",
      description =
          "A directory with the same models, trained again, whose main figures the report puts"
              + " beside the others. May be given several times.")
  private List<Path> others = List.of();

  @Option(
      names = "--family",
      paramLabel = "FAMILY",
      converter = FamilyConverter.class,
      description = "The family of models: ${COMPLETION-CANDIDATES}. Unless given, all there are.")
  private List<Family> families = List.of();

  @Mixin private final QuestionOptions which = new QuestionOptions();

  @Option(
      names = "--speed-questions",
      paramLabel = "N",
      defaultValue = "40",
      description =
          "The number of questions that speculation is timed on (${DEFAULT-VALUE} unless given).")
  private int speedQuestions;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "" + Study.MAX_NEW_TOKENS,
      description = "The greatest length of an answer, in tokens (${DEFAULT-VALUE} unless given).")
  private int maxNewTokens;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "What drawn answers come from (${DEFAULT-VALUE} unless given).")
  private long seed;

  @Mixin private final ModelLoader loader = new ModelLoader();

  /** Reads a family as users type it. */
  static final class FamilyConverter extends WordConverter<Family> {
    FamilyConverter() {
      super(Family.class);
    }
  }

  @Override
  public void run() {
    requirePositive("--speed-questions", speedQuestions);
    requirePositive("--max-new-tokens", maxNewTokens);
    List<Question> questions = which.first(Facts.all().questions(which.split()));
    Study study = new Study(questions, maxNewTokens, seed);
    StudyReport report = new StudyReport(study, speedQuestions, this::progress);
    List<Family> measured = families();
    others.forEach(other -> requireModels(other, measured));
    for (Family family : measured) {
      measure(
          family,
          directory,
          models -> report.add(family.title(), family.describe(directory), models));
      for (Path other : others.stream().filter(family::isIn).toList()) {
        measure(family, other, models -> report.addOther(family.title(), other.toString(), models));
      }
    }
    try {
      report.write(
          out, "eft " + String.join(" ", spec.commandLine().getParseResult().originalArgs()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out().println("The report is " + out.resolve("README.md") + ".");
  }

  private void requirePositive(String option, int value) {
    if (value < 1) {
      throw new ParameterException(
          spec.commandLine(), option + " is " + value + ", expected at least 1");
    }
  }

  private List<Family> families() {
    List<Family> there = new ArrayList<>(families);
    if (there.isEmpty()) {
      there.add(Family.LLAMA); // whose absence is an error
      if (Family.FALCON.isIn(directory)) {
        there.add(Family.FALCON);
      }
    }
    return there;
  }

  private void requireModels(Path other, List<Family> measured) {
    if (measured.stream().noneMatch(family -> family.isIn(other))) {
      throw new ParameterException(
          spec.commandLine(),
          "--also %s holds none of the models of --models %s".formatted(other, directory));
    }
  }

  private void measure(Family family, Path from, Consumer<Models> measurement) {
    try (ModelLoader.Models models = loader.open()) {
      measurement.accept(family.load(from, path -> models.load(path.toString())));
    }
  }

  private void progress(String what) {
    out().println(what + " ...");
    out().flush();
  }
}
