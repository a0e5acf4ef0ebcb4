package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.reasoning.AgentFailure;
import io.github.eft4j.reasoning.BeliefPropagation;
import io.github.eft4j.reasoning.Cost;
import io.github.eft4j.reasoning.EntropyUnit;
import io.github.eft4j.reasoning.GraphScore;
import io.github.eft4j.reasoning.Judgement;
import io.github.eft4j.reasoning.ReasoningGraph;
import io.github.eft4j.reasoning.ReasoningResult;
import io.github.eft4j.reasoning.ScoredGraph;
import io.github.eft4j.reasoning.Trace;
import io.github.eft4j.reasoning.TraceParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReasonCommandTest {
  private static final String QUESTION =
      "What is an official language of the country whose capital is Bucharest?";

  private static final String ANSWER = "Romanian.";

  @TempDir private Path directory;

  private String[] reason(String options) throws IOException {
    return ("reason --nli " + TinyNli.in(directory) + " --question Why? " + options).split(" ", -1);
  }

  /** The small models know nothing of numbered steps, so that no agent comes to an answer. */
  @Test
  void asksEveryAgentAndDrawsWhatCameOfIt() throws IOException {
    Path html = directory.resolve("page.html");
    EftRun run =
        eft(
            reason(
                "--large models/large-base --tuned models/small-tuned --base models/small-base"
                    + " --greedy --max-new-tokens 8 --json --html "
                    + html));
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    JsonNode json = run.json();
    assertThat(json.get("answer").isNull()).isTrue();
    assertThat(json.get("failures").valueStream().map(f -> f.get("agent").asText()))
        .containsExactly("abductive", "deductive", "inductive");
    assertThat(json.get("failures").get(0).get("reason").asText()).isEqualTo("no_trace");
    assertThat(json.get("cost").get("decodingPasses").asInt()).isEqualTo(3);
    assertThat(json.get("cost").get("tokens").asInt()).isBetween(3, 24);
    assertThat(Files.readString(html)).contains("<h1>Why?</h1>", "No agent came to an answer.");
  }

  /** The shipped reasoner, agents and judge. One agent invents its facts, and the judge sees it. */
  @Test
  void worksOutAQuestionThatTakesTwoFacts() throws IOException {
    Path html = directory.resolve("page.html");
    EftRun run =
        eft(
            "reason",
            "--large",
            "models/large-base",
            "--tuned",
            "models/small-reasoner",
            "--base",
            "models/small-base",
            "--nli",
            "models/nli",
            "--agents",
            "models/small-reasoner/agents.json",
            "--question",
            QUESTION,
            "--greedy",
            "--max-new-tokens",
            "80",
            "--json",
            "--html",
            html.toString());
    assertThat(run.err()).isEmpty();
    JsonNode json = run.json();
    assertThat(json.get("answer").asText()).isEqualTo(ANSWER);
    assertThat(json.get("failures")).isEmpty();
    assertThat(json.get("cost").get("decodingPasses").asInt()).isEqualTo(3);
    int edges = 0;
    for (JsonNode graph : json.get("graphs")) {
      JsonNode steps = graph.get("steps");
      assertThat(steps.get(0).get("text").asText()).isEqualTo(QUESTION);
      assertThat(graph.get("edges")).hasSizeLessThanOrEqualTo(steps.size() - 1);
      edges += graph.get("edges").size();
      if (!graph.get("answer").asText().equals(ANSWER)) {
        assertThat(graph.get("edges"))
            .anyMatch(e -> e.get("label").asText().equals("contradiction"));
      }
      if (graph.get("agent").asText().equals(json.get("winner").asText())) {
        assertThat(graph.get("edges").get(0).get("label").asText()).isEqualTo("entailment");
      }
    }
    assertThat(json.get("cost").get("nliCalls").asInt()).isEqualTo(edges).isPositive();
    assertThat(Files.readString(html)).contains("<h1>" + QUESTION + "</h1>", ANSWER);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "[]|expected {NAME: TEMPLATE, ...}, found '['",
        "{}|has no agents",
        "{'a': 1}|expected {NAME: TEMPLATE, ...}, found '1'",
        "{'a': 'b'}|the template of agent a has no {question}: b",
        "{'a': '{question}'} x|is not JSON",
        "{'a': '{question}', 'a': '{question}'}|is not JSON: Duplicate field 'a'"
      })
  void saysWhatIsWrongWithAgents(String content, String message) throws IOException {
    Path file = Files.writeString(directory.resolve("agents.json"), content.replace('\'', '"'));
    EftRun run = eft(reason("--model models/small-base --agents " + file));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains(message).hasLineCount(1);
  }

  private static ReasoningResult result() {
    Trace trace =
        TraceParser.numberedSteps().parse("1. It rains.\n3. It is wet.\nAnswer: the rain");
    ReasoningGraph graph =
        new ReasoningGraph(
            List.of("It rains.", "It is wet."), List.of(new ReasoningGraph.Edge(0, 1)));
    List<Double> beliefs = BeliefPropagation.STANDARD.propagate(graph, List.of(0.95)).values();
    return new ReasoningResult(
        List.of(
            new ScoredGraph(
                "deductive",
                trace,
                graph,
                List.of(new Judgement(1, 0, 0)),
                List.of(0.95),
                beliefs,
                GraphScore.of(beliefs, EntropyUnit.BITS))),
        List.of(
            new AgentFailure("inductive", AgentFailure.Reason.TIMEOUT, "the time was over", null)),
        new Cost(2, 30, 1, 1));
  }

  @Test
  void printsTheAnswerAndTheBeliefInEachStep() {
    StringWriter out = new StringWriter();
    PrintWriter printer = new PrintWriter(out);
    ReasonCommand.print(printer, result());
    printer.flush();
    assertThat(out.toString())
        .isEqualToNormalizingNewlines(
            """
            Answer: the rain

            deductive: score 0.0818 (winner)
              0.5000  1. It rains.
              0.9500  3. It is wet.

            inductive failed: the time was over

            2 decoding passes, 30 tokens, 1 NLI calls, 1 belief updates
            """);
  }

  @Test
  void writesTheGraphsAsJson() {
    StringWriter out = new StringWriter();
    Json.printLine(new PrintWriter(out), json -> ReasonCommand.write(json, result()));
    JsonNode json = new EftRun(0, out.toString(), "").json();
    assertThat(json.get("answer").asText()).isEqualTo("the rain");
    assertThat(json.get("winner").asText()).isEqualTo("deductive");
    JsonNode graph = json.get("graphs").get(0);
    assertThat(graph.get("entropyUnit").asText()).isEqualTo("bits");
    assertThat(graph.get("steps").get(1).get("number").asInt()).isEqualTo(3);
    assertThat(graph.get("steps").get(1).get("belief").asDouble())
        .isEqualTo(BeliefPropagation.update(0.5, 0.95));
    assertThat(graph.get("edges").toString())
        .isEqualTo("[{\"from\":1,\"to\":3,\"label\":\"entailment\",\"trust\":0.95}]");
    assertThat(json.get("failures").get(0).get("reason").asText()).isEqualTo("timeout");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "--model models/small-base --max-steps 0|--max-steps is 0, expected at least 1",
        "--model models/small-base --trust none|'none' is not one of: hard, expected",
        "--model models/small-base --entropy bytes|'bytes' is not one of: nats, bits",
        "--model models/small-base --nli models/small-base|expected bert or roberta",
        "--greedy|Missing required argument"
      })
  void saysWhatIsWrongInOneLine(String options, String message) throws IOException {
    String[] arguments = reason(options);
    if (options.contains("--nli")) {
      arguments = ("reason --question Why? " + options).split(" ", -1);
    }
    EftRun run = eft(arguments);
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).startsWith("eft: ").contains(message).hasLineCount(1);
  }
}
