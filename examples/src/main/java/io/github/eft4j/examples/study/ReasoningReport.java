package io.github.eft4j.examples.study;

import io.github.eft4j.examples.study.ReasoningStudy.Answered;
import io.github.eft4j.reasoning.Cost;
import io.github.eft4j.reasoning.ReasoningResult;
import io.github.eft4j.reasoning.ScoredGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/** Writes what the reasoning study measured as Markdown, with a chart beside it. */
final class ReasoningReport {
  private static final int EXAMPLES = 4;
  private static final Proportion NONE = new Proportion(0, 1);
  private static final String CHART = "reasoning.png";

  private final Markdown page = new Markdown();

  private ReasoningReport() {}

  static void write(Path directory, List<String> header, ReasoningStudy study) throws IOException {
    Files.createDirectories(directory);
    ReasoningReport report = new ReasoningReport();
    report.page.line("# Reasoning, in miniature");
    report.page.line("");
    header.forEach(item -> report.page.line("- " + item));
    report.page.line("");
    report.page.line(
        """
        The questions take two facts, such as "What is the currency of the country whose capital \
        is Lima?": the first one has to be found against the direction in which text mostly speaks \
        of it (from the capital to the country). The small reasoner was taught to work such \
        questions out, on other entities, in a way that left its beliefs about facts as they were; \
        what it changed up-scales the large base model. An answer is right if it holds the right \
        value. Brackets hold exact 95 % intervals (Clopper–Pearson). Costs are means per question.\
        """);
    report.page.line("");
    report.page.line("![accuracy by method](" + CHART + ")");
    report.methods(study);
    report.page.line("");
    report.page.line(
        """
        Chain of thought, self-consistency (%d chains at temperature %s) and CoT-decoding (%d first \
        tokens) use the prompt of the deductive agent; Theorem-of-Thought asks three agents, \
        greedily, and goes by the judge `nli`.\
        """
            .formatted(ReasoningStudy.CHAINS, ReasoningStudy.TEMPERATURE, ReasoningStudy.CHAINS));
    report.agents(study);
    report.judge(study);
    report.examples(study);
    Files.writeString(directory.resolve("reasoning.md"), report.page.toString());
    chart(directory.resolve(CHART), study);
  }

  private static void chart(Path file, ReasoningStudy study) throws IOException {
    Map<String, List<Proportion>> shares = new LinkedHashMap<>();
    study
        .results()
        .forEach(
            (model, methods) ->
                shares.put(
                    model, methods.values().stream().map(ReasoningStudy::accuracy).toList()));
    List<String> methods = List.copyOf(study.results().values().iterator().next().keySet());
    Charts.bars(file, "Questions that take two facts", "share of right answers", methods, shares);
  }

  private void methods(ReasoningStudy study) {
    page.header("model", "method", "right", "decoding passes", "tokens", "NLI calls");
    study
        .results()
        .forEach(
            (model, methods) ->
                methods.forEach(
                    (method, answers) ->
                        page.row(
                            model.equals(Models.UP_SCALED) ? "**" + model + "**" : model,
                            method,
                            ReasoningStudy.accuracy(answers).toString(),
                            decimal(ReasoningStudy.mean(answers, Cost::decodingPasses)),
                            decimal(ReasoningStudy.mean(answers, Cost::tokens)),
                            decimal(ReasoningStudy.mean(answers, Cost::nliCalls)))));
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private void agents(ReasoningStudy study) {
    page.line("");
    page.line("## What Theorem-of-Thought chooses from");
    page.line("");
    page.line(
        """
        Right answers of each agent; how often most of the three are right; how often any of them \
        is, which no choice between them can exceed. Then the mean score of graphs whose answer is \
        right, and of the others: the wider apart, the better the judge can tell them.\
        """);
    List<String> names = new ArrayList<>(study.results().keySet());
    names.addFirst("");
    page.header(names.toArray(String[]::new));
    List<Map<String, Proportion>> columns =
        study.results().values().stream()
            .map(methods -> ReasoningStudy.agents(theorem(methods)))
            .toList();
    for (String name : columns.getFirst().keySet()) {
      List<String> cells =
          new ArrayList<>(
              columns.stream().map(c -> c.getOrDefault(name, NONE).toString()).toList());
      cells.addFirst(name);
      page.row(cells.toArray(String[]::new));
    }
    for (boolean right : new boolean[] {true, false}) {
      List<String> cells = new ArrayList<>();
      cells.add("mean score of " + (right ? "right" : "wrong") + " graphs");
      study
          .results()
          .values()
          .forEach(methods -> cells.add(score(ReasoningStudy.meanScore(theorem(methods), right))));
      page.row(cells.toArray(String[]::new));
    }
  }

  private static String score(OptionalDouble score) {
    return score.isEmpty() ? "–" : Proportion.decimals(score.getAsDouble());
  }

  private static List<Answered> theorem(Map<String, List<Answered>> methods) {
    return methods.getOrDefault(ReasoningStudy.THEOREM_OF_THOUGHT, List.of());
  }

  private void judge(ReasoningStudy study) {
    page.line("");
    page.line("## The judge");
    page.line("");
    page.line(
        """
        A tiny BERT, trained on pairs of steps about the facts: entailment if both are facts of \
        the same entity, neutral if of different ones, contradiction if they cannot both hold. Like \
        the base models it has read of all entities, so what it adds is partly knowledge of its \
        own; it has not seen these pairs. About entities that it has never seen, only the words \
        can tell.\
        """);
    Map<String, Map<String, Proportion>> accuracy = study.judgeAccuracy();
    List<String> names = new ArrayList<>(accuracy.values().iterator().next().keySet());
    names.addFirst("right about");
    page.header(names.toArray(String[]::new));
    accuracy.forEach(
        (pairs, shares) -> {
          List<String> cells =
              new ArrayList<>(shares.values().stream().map(Proportion::toString).toList());
          cells.addFirst(pairs);
          page.row(cells.toArray(String[]::new));
        });
  }

  private void examples(ReasoningStudy study) {
    page.line("");
    page.line("## Some graphs");
    page.line("");
    page.line("Of the up-scaled model, with the belief in each step:");
    List<Answered> answers = theorem(study.results().getOrDefault(Models.UP_SCALED, Map.of()));
    for (Answered answered : answers.subList(0, Math.min(EXAMPLES, answers.size()))) {
      page.line("");
      page.line(
          "**%s** (%s)".formatted(answered.hop().question(), answered.hop().sought().value()));
      page.line("");
      ReasoningResult result = (ReasoningResult) answered.answer();
      for (ScoredGraph graph : result.graphs()) {
        boolean wins = result.winner().filter(graph::equals).isPresent();
        List<String> steps = new ArrayList<>();
        for (int i = 1; i < graph.beliefs().size(); i++) {
          steps.add(
              "%s `%s`"
                  .formatted(
                      graph.graph().nodes().get(i), Proportion.decimals(graph.beliefs().get(i))));
        }
        page.line(
            "- %s, score %s: %s → %s"
                .formatted(
                    wins ? "**" + graph.agent() + "**" : graph.agent(),
                    Proportion.decimals(graph.score().value()),
                    String.join(" ", steps),
                    graph.trace().answer().orElse("no answer")));
      }
    }
  }
}
