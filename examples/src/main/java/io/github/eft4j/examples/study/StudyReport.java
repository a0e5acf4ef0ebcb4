package io.github.eft4j.examples.study;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Runs all parts of the study, and writes what came of them. */
public final class StudyReport {
  private final Study study;
  private final int speedQuestions;
  private final Consumer<String> progress;
  private final Map<String, Results> families = new LinkedHashMap<>();
  private final Map<String, Map<String, Map<String, Outcome>>> others = new LinkedHashMap<>();

  /**
   * Begins a report without results.
   *
   * @param study puts the questions
   * @param speedQuestions the number of questions that speculation is timed on
   * @param progress is told what is done next
   */
  public StudyReport(Study study, int speedQuestions, Consumer<String> progress) {
    this.study = study;
    this.speedQuestions = speedQuestions;
    this.progress = progress;
  }

  /**
   * Measures everything on the models of one family.
   *
   * @param family the family's name
   * @param descriptions a few words on each model, by name
   * @param models the models
   */
  public void add(String family, Map<String, String> descriptions, Models models) {
    begin(family, "greedy answers");
    Map<String, Outcome> greedy = study.compare(models, 0);
    begin(family, "drawn answers");
    Map<String, Outcome> drawn = study.compare(models, 1);
    begin(family, "up-scaling by beta");
    Map<Double, Outcome> byBeta = study.sweep(Results.BETAS, models::upScaled);
    begin(family, "reward interpolation");
    Map<Double, Outcome> byLambda =
        models
            .smallTerse()
            .map(terse -> study.sweep(Results.LAMBDAS, lambda -> mix(models, terse, lambda)))
            .orElseGet(Map::of);
    begin(family, "conservative up-scaling");
    Map<Double, Outcome> byTopP = study.sweep(Results.TOP_PS, p -> conservative(models, p));
    begin(family, "speculation");
    families.put(
        family,
        new Results(
            descriptions,
            study.questions(),
            greedy,
            drawn,
            byBeta,
            byLambda,
            byTopP,
            study.speculate(models, 0, speedQuestions, Results.BLOCK_LENGTHS),
            study.speculate(models, 1, speedQuestions, Results.BLOCK_LENGTHS)));
  }

  private void begin(String family, String part) {
    progress.accept(family + ": " + part);
  }

  private static LogitCombiner mix(Models models, LanguageModel terse, double lambda) {
    return LogitCombiner.interpolate(
        models.largeBase(), models.smallTuned(), terse, models.smallBase(), lambda);
  }

  private static LogitCombiner conservative(Models models, double topP) {
    return LogitCombiner.conservative(
        models.largeBase(), models.smallTuned(), models.smallBase(), topP);
  }

  /**
   * Adds the greedy answers of models that were trained in the same way.
   *
   * @param family the family's name, which {@link #add} was called with
   * @param name what the report calls this training
   * @param models the models
   */
  public void addOther(String family, String name, Models models) {
    begin(family, name);
    others.computeIfAbsent(family, f -> new LinkedHashMap<>()).put(name, study.compare(models, 0));
  }

  /**
   * Writes the report and its charts.
   *
   * @param directory where to
   * @param command the command that made it
   * @throws IOException if that fails
   */
  public void write(Path directory, String command) throws IOException {
    List<String> header = circumstances(command, study.questions().size());
    Report.write(directory, header, families, others);
  }

  /** How a report came about. */
  static List<String> circumstances(String command, int questions) throws IOException {
    return List.of(
        "date: " + LocalDate.now(ZoneOffset.UTC),
        "command: `" + command + "`",
        "processor: %s, %d cores; Java %s"
            .formatted(processor(), Runtime.getRuntime().availableProcessors(), Runtime.version()),
        "questions: " + questions);
  }

  private static String processor() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    if (Files.isReadable(file)) {
      try (Stream<String> lines = Files.lines(file)) {
        return lines
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      }
    }
    return System.getProperty("os.arch");
  }
}
