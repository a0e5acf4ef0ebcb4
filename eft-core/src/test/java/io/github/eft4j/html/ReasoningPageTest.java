package io.github.eft4j.html;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.reasoning.AgentFailure;
import io.github.eft4j.reasoning.BeliefPropagation;
import io.github.eft4j.reasoning.Cost;
import io.github.eft4j.reasoning.EntropyUnit;
import io.github.eft4j.reasoning.GraphScore;
import io.github.eft4j.reasoning.Judgement;
import io.github.eft4j.reasoning.ReasoningGraph;
import io.github.eft4j.reasoning.ReasoningGraph.Edge;
import io.github.eft4j.reasoning.ReasoningResult;
import io.github.eft4j.reasoning.ScoredGraph;
import io.github.eft4j.reasoning.Step;
import io.github.eft4j.reasoning.Trace;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ReasoningPageTest {
  private static ScoredGraph graph(String agent, List<Step> steps, List<Edge> edges, double trust) {
    ReasoningGraph graph = new ReasoningGraph(steps.stream().map(Step::text).toList(), edges);
    List<Double> trusts = edges.stream().map(_ -> trust).toList();
    List<Double> beliefs = BeliefPropagation.STANDARD.propagate(graph, trusts).values();
    return new ScoredGraph(
        agent,
        new Trace(steps, Optional.of("so <it> is")),
        graph,
        edges.stream().map(_ -> new Judgement(.7, .2, .1)).toList(),
        trusts,
        beliefs,
        GraphScore.of(beliefs, EntropyUnit.NATS));
  }

  private static Step step(int number, String text) {
    return new Step(number, text, List.of());
  }

  private static ReasoningResult result() {
    return new ReasoningResult(
        List.of(
            graph("weak", List.of(step(1, "a"), step(2, "b")), List.of(new Edge(0, 1)), 0.6),
            graph(
                "strong",
                List.of(step(1, "<b>bold</b> & \"quoted\""), step(3, "b"), step(4, "c")),
                List.of(new Edge(0, 1), new Edge(1, 2), new Edge(0, 2)),
                0.95)),
        List.of(new AgentFailure("lost", AgentFailure.Reason.NO_TRACE, "it wrote <nothing>", null)),
        new Cost(3, 120, 4, 3));
  }

  private static long count(String html, String part) {
    return Pattern.compile(Pattern.quote(part)).matcher(html).results().count();
  }

  @Test
  void showsEveryGraphWithItsNodesEdgesAndScore() {
    String html = ReasoningPage.html("Is it so?", result());
    assertThat(html).startsWith("<!DOCTYPE html>").contains("<h1>Is it so?</h1>");
    assertThat(count(html, "<svg ")).isEqualTo(2);
    assertThat(count(html, "<g class=\"node\">")).isEqualTo(5);
    assertThat(count(html, "<g class=\"edge weak\">")).isEqualTo(1);
    assertThat(count(html, "<g class=\"edge strong\">")).isEqualTo(3);
    assertThat(html)
        .contains("belief 0.95", ">0.95 entailment<", ">0.60 entailment<", "4. c")
        .contains("3 decoding passes, 120 tokens, 4 NLI calls, 3 belief updates")
        .contains("<h2>lost</h2>", "Failed: it wrote &lt;nothing&gt;");
  }

  @Test
  void marksTheWinnerAlone() {
    String html = ReasoningPage.html("Is it so?", result());
    assertThat(count(html, "<article class=\"winner\">")).isEqualTo(1);
    Matcher winner =
        Pattern.compile("<article class=\"winner\"><h2>([a-z]+)<span class=\"badge\">")
            .matcher(html);
    assertThat(winner.find()).isTrue();
    assertThat(winner.group(1)).isEqualTo("strong");
    assertThat(html).contains("Answer: <strong>so &lt;it&gt; is</strong>");
  }

  @Test
  void whatAgentsWroteIsTextAndNothingElse() {
    String html = ReasoningPage.html("<script>alert('x')</script>\u0007\ud800", result());
    assertThat(html)
        .contains("<h1>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\ufffd\ufffd</h1>")
        .contains("&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;")
        .doesNotContain("<script", "<b>");
  }

  @Test
  void needsNothingBesideItself() {
    assertThat(ReasoningPage.html("Is it so?", result()))
        .doesNotContain("http:", "https:", "src=", "href=", "@import", "url(")
        .contains("prefers-color-scheme: dark");
  }

  @Test
  void elementsAreClosedInOrder() {
    String html = ReasoningPage.html("Is it so?", result());
    ArrayDeque<String> open = new ArrayDeque<>();
    Matcher tag = Pattern.compile("<(/?)([a-zA-Z0-9]+)[^>]*?(/?)>").matcher(html);
    while (tag.find()) {
      String name = tag.group(2);
      if (!tag.group(1).isEmpty()) {
        assertThat(open.pop()).isEqualTo(name);
      } else if (tag.group(3).isEmpty() && !List.of("meta", "br").contains(name)) {
        open.push(name);
      }
    }
    assertThat(open).isEmpty();
  }

  @Test
  void longTextsAreWrapped() {
    String words = "word ".repeat(40).strip();
    String unbroken = "x".repeat(200);
    ScoredGraph graph =
        graph("one", List.of(step(1, words), step(2, unbroken)), List.of(new Edge(0, 1)), 0.1);
    String html =
        ReasoningPage.html(
            "Is it so?", new ReasoningResult(List.of(graph), List.of(), new Cost(1, 1, 1, 1)));
    List<String> lines =
        Pattern.compile("<text x=\"\\d+\" y=\"\\d+\">([^<]*)</text>")
            .matcher(html)
            .results()
            .map(match -> match.group(1))
            .toList();
    assertThat(lines).allMatch(line -> line.length() <= 54);
    assertThat(String.join("", lines)).contains("x".repeat(150));
    assertThat(lines.stream().collect(Collectors.joining(" "))).contains("1. " + words);
    assertThat(html).contains("<g class=\"edge against\">");
  }

  @Test
  void withoutAnAnswerItSaysSo() {
    assertThat(
            ReasoningPage.html(
                "Is it so?", new ReasoningResult(List.of(), List.of(), new Cost(0, 0, 0, 0))))
        .contains("No agent came to an answer.");
  }
}
