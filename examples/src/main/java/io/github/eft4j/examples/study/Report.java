package io.github.eft4j.examples.study;

import io.github.eft4j.examples.facts.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/** Writes what was measured as Markdown, with charts beside it. */
final class Report {
  private static final int EXAMPLES = 6;

  private final Path directory;
  private final Markdown page = new Markdown();

  private Report(Path directory) {
    this.directory = directory;
  }

  /**
   * Writes the report.
   *
   * @param directory where to
   * @param header how it came about, one item a line
   * @param families the results by family of models
   * @param others the greedy answers of models that were trained in the same way, by family and
   *     name
   */
  static void write(
      Path directory,
      List<String> header,
      Map<String, Results> families,
      Map<String, Map<String, Map<String, Outcome>>> others)
      throws IOException {
    Files.createDirectories(directory);
    Report report = new Report(directory);
    report.page.line("# What up-scaling does, in miniature");
    report.page.line("");
    header.forEach(item -> report.page.line("- " + item));
    report.page.line("");
    report.page.line(
        """
        *Factuality* is the share of answers that hold the right fact, *helpfulness* the share that \
        have the polite assistant's form (a sentence about some fact, the closing words, the end of \
        the text), *on topic* the share that speak of what was asked, right or wrong. A base model \
        that says the right thing without the closing words is factual, and not helpful. \
        *Up-scaled* is large base + (small tuned − small base), *down-scaled* is small base + \
        (large tuned − large base). Brackets hold exact 95 % intervals (Clopper–Pearson), after \
        "recovered" a bootstrap interval. No model was fine-tuned on the entities of these \
        questions; all were pre-trained on text about them. How they are trained was chosen on \
        questions about yet other entities (`--split validation`).\
        """);
    for (Map.Entry<String, Results> family : families.entrySet()) {
      report.family(family.getKey(), family.getValue());
    }
    if (!others.isEmpty()) {
      report.page.line("");
      report.page.line("## Trained again");
      report.page.line("");
      report.page.line(
          "Greedy answers of models that were trained in the same way. Bold is what lies outside"
              + " the interval of the models above.");
    }
    for (Map.Entry<String, Map<String, Map<String, Outcome>>> family : others.entrySet()) {
      Results results = Objects.requireNonNull(families.get(family.getKey()));
      report.trainedAgain(family.getKey(), results.greedy(), family.getValue());
    }
    Files.writeString(directory.resolve("README.md"), report.page.toString());
  }

  private void chart(String name) {
    page.line("");
    page.line("![" + name.replace('-', ' ') + "](" + name + ".png)");
  }

  private void family(String family, Results results) throws IOException {
    String prefix = family.toLowerCase(Locale.ROOT) + "-";
    page.line("");
    page.line("## " + family);
    page.header("model", "size");
    results.models().forEach((name, words) -> page.row(name, words));
    Charts.compare(
        directory.resolve(prefix + "models.png"),
        family + ": greedy answers to " + results.questions().size() + " questions",
        results.greedy());
    chart(prefix + "models");
    page.line("");
    page.line("Greedy:");
    table(results.greedy());
    page.line("");
    page.line("Drawn at temperature 1:");
    table(results.drawn());
    beta(prefix, results);
    if (!results.byLambda().isEmpty()) {
      lambda(prefix, results);
    }
    topP(prefix, results);
    speed(prefix, results);
    examples(results);
  }

  private void table(Map<String, Outcome> outcomes) {
    page.header("", "factuality", "helpfulness", "both", "on topic");
    outcomes.forEach(
        (name, outcome) ->
            page.row(
                name.equals(Models.UP_SCALED) ? "**" + name + "**" : name,
                outcome.factuality().toString(),
                outcome.helpfulness().toString(),
                outcome.both().toString(),
                outcome.onTopic().toString()));
    Recovery.ofFactuality(outcomes)
        .ifPresent(
            recovery -> {
              page.line("");
              page.line(
                  "Share of the factuality gap from small tuned to large tuned that up-scaling"
                      + " recovered: "
                      + recovery
                      + ".");
            });
  }

  private void beta(String prefix, Results results) throws IOException {
    page.line("");
    page.line("### Strength of what fine-tuning changed");
    page.line("");
    page.line("`large base + β (small tuned − small base)`, greedy:");
    List<Charts.Curve> curves = List.of(Charts.Curve.FACTUAL, Charts.Curve.HELPFUL);
    sweep("β", results.byBeta(), curves);
    Charts.sweep(
        directory.resolve(prefix + "beta.png"), "Up-scaling by β", "β", results.byBeta(), curves);
    chart(prefix + "beta");
  }

  private void lambda(String prefix, Results results) throws IOException {
    page.line("");
    page.line("### Reward interpolation");
    page.line("");
    page.line(
        "`large base + λ (small tuned − small base) + (1 − λ) (small terse − small base)`,"
            + " greedy:");
    List<Charts.Curve> curves =
        List.of(Charts.Curve.HELPFUL, Charts.Curve.TERSE, Charts.Curve.FACTUAL);
    sweep("λ", results.byLambda(), curves);
    page.line("");
    page.line(
        "From λ = 0 to 1 the polite form "
            + trend(results, Outcome::helpfulness, 1)
            + ", the terse form "
            + trend(results, Outcome::terseness, -1)
            + ".");
    Charts.sweep(
        directory.resolve(prefix + "lambda.png"),
        "Reward interpolation by λ",
        "λ (0: terse, 1: polite)",
        results.byLambda(),
        curves);
    chart(prefix + "lambda");
  }

  private static String trend(Results results, Function<Outcome, Proportion> value, int direction) {
    List<Double> values =
        results.byLambda().values().stream().map(o -> value.apply(o).value()).toList();
    double worst = 0;
    for (int i = 1; i < values.size(); i++) {
      worst = Math.max(worst, direction * (values.get(i - 1) - values.get(i)));
    }
    String verb = direction > 0 ? "rises" : "falls";
    return worst == 0
        ? verb + " all the way"
        : "does not always "
            + verb.substring(0, verb.length() - 1)
            + " (by up to "
            + Proportion.decimals(worst)
            + " the other way)";
  }

  private void topP(String prefix, Results results) throws IOException {
    page.line("");
    page.line("### Conservative up-scaling");
    page.line("");
    page.line(
        "Up-scaled within the smallest set of tokens that has probability p under small tuned,"
            + " greedy; 1 is up-scaling as above:");
    List<Charts.Curve> curves = List.of(Charts.Curve.FACTUAL, Charts.Curve.HELPFUL);
    sweep("p", results.byTopP(), curves);
    Charts.sweep(
        directory.resolve(prefix + "top-p.png"),
        "Conservative up-scaling by p",
        "p",
        results.byTopP(),
        curves);
    chart(prefix + "top-p");
  }

  private void sweep(String setting, Map<Double, Outcome> outcomes, List<Charts.Curve> curves) {
    page.header(cells(setting, curves.stream().map(Charts.Curve::name)));
    outcomes.forEach(
        (value, outcome) ->
            page.row(
                cells(
                    Double.toString(value),
                    curves.stream().map(c -> c.value().apply(outcome).toString()))));
  }

  private void speed(String prefix, Results results) throws IOException {
    page.line("");
    page.line("### Speculation");
    page.line("");
    page.line("Small tuned drafts for the up-scaled model, one question at a time:");
    page.header(
        "temperature",
        "drafted tokens a pass",
        "accepted of those compared",
        "tokens a pass of the large model",
        "tokens/s",
        "same tokens as without");
    speedRows("0", results.greedySpeed());
    speedRows("1", results.drawnSpeed());
    Charts.speed(
        directory.resolve(prefix + "speculation.png"), results.greedySpeed(), results.drawnSpeed());
    chart(prefix + "speculation");
  }

  private void speedRows(String temperature, List<Study.Speed> speeds) {
    for (Study.Speed speed : speeds) {
      boolean none = speed.blockLength() == 0;
      page.row(
          temperature,
          none ? "none" : Integer.toString(speed.blockLength()),
          none ? "" : Proportion.decimals(speed.acceptance()),
          String.format(Locale.ROOT, "%.2f", (double) speed.tokens() / speed.passes()),
          String.format(Locale.ROOT, "%.0f", speed.tokensPerSecond()),
          none ? "" : speed.asWithout() ? "yes" : "**no**");
    }
  }

  private void examples(Results results) {
    page.line("");
    page.line("### Some answers");
    page.line("");
    page.line("Greedy, to the first questions:");
    for (int i = 0; i < Math.min(EXAMPLES, results.questions().size()); i++) {
      Question question = results.questions().get(i);
      page.line("");
      page.line("**" + question.text() + "** (" + question.fact().value() + ")");
      page.line("");
      for (Map.Entry<String, Outcome> entry : results.greedy().entrySet()) {
        String answer = entry.getValue().completions().get(i).text().strip();
        page.line("- " + entry.getKey() + ": " + answer.replace("\n", " ⏎ "));
      }
    }
  }

  private void trainedAgain(
      String family, Map<String, Outcome> these, Map<String, Map<String, Outcome>> others) {
    for (Charts.Curve curve : List.of(Charts.Curve.FACTUAL, Charts.Curve.HELPFUL)) {
      Function<Outcome, Proportion> value = curve.value();
      page.line("");
      page.line(family + ", " + curve.name() + ":");
      page.header(cells("", these.keySet().stream()));
      page.row(
          cells("the models above", these.values().stream().map(o -> value.apply(o).toString())));
      others.forEach(
          (name, outcomes) ->
              page.row(
                  cells(
                      name,
                      these.entrySet().stream()
                          .map(
                              entry ->
                                  beside(
                                      value.apply(entry.getValue()),
                                      Optional.ofNullable(outcomes.get(entry.getKey()))
                                          .map(value))))));
    }
    List<String> recovered = new ArrayList<>();
    others.forEach(
        (name, outcomes) ->
            Recovery.ofFactuality(outcomes)
                .ifPresent(recovery -> recovered.add(name + " " + recovery)));
    if (!recovered.isEmpty()) {
      page.line("");
      page.line(
          "Share of the factuality gap that up-scaling recovered: "
              + String.join(", ", recovered)
              + ".");
    }
  }

  private static String[] cells(String first, Stream<String> others) {
    return Stream.concat(Stream.of(first), others).toArray(String[]::new);
  }

  private static String beside(Proportion here, Optional<Proportion> there) {
    if (there.isEmpty()) {
      return "–";
    }
    double value = there.get().value();
    String text = Proportion.decimals(value);
    return here.low() <= value && value <= here.high() ? text : "**" + text + "**";
  }
}
