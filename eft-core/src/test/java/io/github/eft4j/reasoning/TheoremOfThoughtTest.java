package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.EftSampler;
import io.github.eft4j.reasoning.AgentFailure.Reason;
import io.github.eft4j.reasoning.ReasoningGraph.Edge;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TheoremOfThoughtTest {
  /** The reference values have four digits. */
  private static final double FOUR_DIGITS = 5e-5;

  private static final Judgement ENTAILED = new Judgement(1, 0, 0);
  private static final Judgement NEUTRAL = new Judgement(0, 1, 0);
  private static final Judgement CONTRADICTED = new Judgement(0, 0, 1);

  /** What each agent writes unless a test says otherwise. */
  private static final Map<String, String> TEXTS =
      Map.of(
          "abductive", "1. A1\n2. A2\n3. A3\n4. A4\nAnswer: from A",
          "deductive", "1. D1\n2. D2\n3. D3\n4. D4\nAnswer: from D",
          "inductive", "1. I1\n2. I2\n3. I3\n4. I4\nAnswer: from I");

  private static ScriptedModel writing(Map<String, String> texts) {
    return ScriptedModel.writing(
        prompt ->
            TEXTS.keySet().stream()
                .filter(agent -> prompt.contains(agent + " reasoning"))
                .map(agent -> texts.getOrDefault(agent, TEXTS.get(agent)))
                .collect(Collectors.joining()));
  }

  private static EftSampler sampler(Map<String, String> texts) {
    return writing(texts).sampler().maxNewTokens(2000).build();
  }

  /** The abductive agent's steps are neutral, the deductive one's entailed, and I2 excludes I3. */
  private static List<Judgement> judge(List<EntailmentModel.Pair> pairs) {
    return pairs.stream()
        .map(
            pair ->
                pair.premise().startsWith("A")
                    ? NEUTRAL
                    : pair.premise().equals("I2") ? CONTRADICTED : ENTAILED)
        .toList();
  }

  @Test
  void theGraphWithTheBestScoreAnswers() {
    ReasoningResult result =
        TheoremOfThought.builder(sampler(Map.of()), TheoremOfThoughtTest::judge)
            .build()
            .answer("Why?");
    assertThat(result.answer()).contains("from D");
    assertThat(result.failures()).isEmpty();
    assertThat(result.graphs())
        .extracting(ScoredGraph::agent)
        .containsExactly("abductive", "deductive", "inductive");
    assertScore(result.graphs().get(0), .0107);
    assertScore(result.graphs().get(1), .6337);
    assertScore(result.graphs().get(2), .3676);
    int tokens = TEXTS.values().stream().mapToInt(text -> text.length() + 1).sum();
    assertThat(result.cost()).isEqualTo(new Cost(3, tokens, 9, 9));
    ScoredGraph winner = result.winner().orElseThrow();
    assertThat(winner.graph().nodes()).containsExactly("D1", "D2", "D3", "D4");
    assertThat(winner.graph().edges())
        .containsExactly(new Edge(0, 1), new Edge(1, 2), new Edge(2, 3));
    assertThat(winner.judgements()).containsOnly(ENTAILED);
    assertThat(winner.trusts()).containsOnly(0.95);
  }

  private static void assertScore(ScoredGraph graph, double expected) {
    assertThat(graph.score().value()).isCloseTo(expected, within(FOUR_DIGITS));
  }

  @Test
  void whatThePaperLeavesOpenCanBeChosen() {
    ReasoningResult result =
        TheoremOfThought.builder(sampler(Map.of()), TheoremOfThoughtTest::judge)
            .agents(List.of(Agent.abductive()))
            .edges(trace -> List.of(new Edge(3, 0)))
            .trust(TrustModel.expectedValue(.8, .5, .3))
            .rootBelief(.25)
            .entropyUnit(EntropyUnit.BITS)
            .build()
            .answer("Why?");
    ScoredGraph graph = result.graphs().getFirst();
    assertThat(graph.beliefs()).containsExactly(.25, .25, .25, .25);
    assertThat(graph.score().meanEntropy()).isCloseTo(.8113, within(FOUR_DIGITS));
    assertThat(result.cost().nliCalls()).isEqualTo(1);
  }

  @Test
  void aTraceThatTheTemplateBeginsIsJudgedFromThere() {
    Agent agent = new Agent("mine", "{trace}1. {question}\n2.", TraceParser.numberedSteps());
    List<EntailmentModel.Pair> judged = new ArrayList<>();
    ReasoningResult result =
        TheoremOfThought.builder(
                ScriptedModel.writing(_ -> " It rains.\nSo the answer is rain")
                    .sampler()
                    .maxNewTokens(100)
                    .build(),
                pairs -> {
                  judged.addAll(pairs);
                  return judge(pairs);
                })
            .agents(List.of(agent))
            .build()
            .answer("Why is it wet?");
    assertThat(judged).containsExactly(new EntailmentModel.Pair("Why is it wet?", "It rains."));
    assertThat(result.answer()).contains("rain");
  }

  @Test
  void theAgentsDecodeAsOneBatch() {
    ScriptedModel model = writing(Map.of());
    TheoremOfThought.builder(
            model.sampler().maxNewTokens(2000).build(), TheoremOfThoughtTest::judge)
        .build()
        .answer("Why?");
    int longest = TEXTS.values().stream().mapToInt(String::length).max().orElseThrow() + 1;
    assertThat(model.forwardCalls).hasValue(longest);
    assertThat(model.openCaches).hasValue(0);
  }

  @Test
  void costsAreLinearInTheNumberOfSteps() {
    for (int steps = 1; steps <= 64; steps++) {
      String text =
          IntStream.rangeClosed(1, steps)
              .mapToObj(i -> i + ". A" + i)
              .collect(Collectors.joining("\n"));
      List<Integer> batches = new ArrayList<>();
      ReasoningResult result =
          TheoremOfThought.builder(
                  ScriptedModel.writing(_ -> text).sampler().maxNewTokens(2000).build(),
                  pairs -> {
                    batches.add(pairs.size());
                    return judge(pairs);
                  })
              .maxSteps(64)
              .build()
              .answer("Why?");
      assertThat(result.cost().nliCalls()).isEqualTo(3 * (steps - 1));
      assertThat(result.cost().beliefUpdates()).isEqualTo(3 * (steps - 1));
      assertThat(batches.stream().mapToInt(Integer::intValue).sum()).isEqualTo(3 * (steps - 1));
      assertThat(batches).hasSize(steps == 1 ? 0 : 3);
    }
  }

  @Test
  void stepsBeyondTheGreatestNumberAreLeftOut() {
    ReasoningResult result =
        TheoremOfThought.builder(sampler(Map.of()), TheoremOfThoughtTest::judge)
            .maxSteps(2)
            .build()
            .answer("Why?");
    assertThat(result.graphs()).allMatch(graph -> graph.beliefs().size() == 2);
    assertThat(result.cost().nliCalls()).isEqualTo(3);
    assertThat(result.answer()).contains("from D");
  }

  @Test
  void withoutANamedAnswerTheLastStepIsIt() {
    assertThat(answer(Map.of("deductive", "1. D1\n2. D2\n3. D3")).answer()).contains("D3");
  }

  @Test
  void ofEqualScoresTheFirstAgentWins() {
    ReasoningResult result =
        TheoremOfThought.builder(
                sampler(Map.of()), pairs -> pairs.stream().map(_ -> NEUTRAL).toList())
            .build()
            .answer("Why?");
    assertThat(result.answer()).contains("from A");
  }

  @Test
  void anEmptyTraceFailsItsAgentAlone() {
    assertDeductiveFails(
        answer(Map.of("deductive", "I do not know.")),
        Reason.NO_TRACE,
        "it wrote no steps: I do not know.");
    assertDeductiveFails(answer(Map.of("deductive", "")), Reason.NO_TRACE, "it wrote no steps: ");
  }

  @Test
  void aStepThatCitesALaterOrUnknownOneFailsItsAgentAlone() {
    assertDeductiveFails(
        answer(Map.of("deductive", "1. D1 (from step 2)\n2. D2")),
        Reason.INVALID_CITATION,
        "step 1 cites step 2, which does not come before it");
    assertDeductiveFails(
        answer(Map.of("deductive", "1. D1\n2. D2 (from steps 1 and 9)")),
        Reason.INVALID_CITATION,
        "step 2 cites step 9, which does not exist");
  }

  @Test
  void aCycleFailsItsAgentAlone() {
    ReasoningResult result =
        TheoremOfThought.builder(sampler(Map.of()), TheoremOfThoughtTest::judge)
            .edges(
                trace ->
                    trace.steps().getFirst().text().equals("D1")
                        ? List.of(new Edge(0, 1), new Edge(1, 0))
                        : EdgeRule.consecutive().edges(trace))
            .build()
            .answer("Why?");
    assertDeductiveFails(result, Reason.INVALID_GRAPH, "the edges close a cycle: [0, 1, 0]");
  }

  @Test
  void aFailingParserFailsItsAgentAlone() {
    List<Agent> agents = new ArrayList<>(Agent.standard());
    RuntimeException cause = new IllegalStateException("no idea");
    agents.set(
        1,
        new Agent(
            "deductive",
            Agent.deductive().template(),
            _ -> {
              throw cause;
            }));
    ReasoningResult result =
        TheoremOfThought.builder(sampler(Map.of()), TheoremOfThoughtTest::judge)
            .agents(agents)
            .build()
            .answer("Why?");
    assertDeductiveFails(result, Reason.NO_TRACE, "its parser failed: no idea");
    assertThat(result.failures().getFirst().cause()).isSameAs(cause);
  }

  @Test
  void aFailureOfTheJudgeFailsTheAgentsWhoseStepsItJudged() {
    ReasoningResult result =
        answer(
            pairs -> {
              if (pairs.getFirst().premise().startsWith("D")) {
                throw new IllegalArgumentException("the pair is too long");
              }
              return judge(pairs);
            });
    assertDeductiveFails(
        result, Reason.ENTAILMENT, "its steps could not be judged: the pair is too long");
    assertThat(result.cost().nliCalls()).isEqualTo(9);
    assertThat(result.cost().beliefUpdates()).isEqualTo(6);

    assertDeductiveFails(
        answer(
            pairs -> pairs.getFirst().premise().startsWith("D") ? List.of(NEUTRAL) : judge(pairs)),
        Reason.ENTAILMENT,
        "1 judgements were given for 3 pairs");
  }

  private static ReasoningResult answer(EntailmentModel entailment) {
    return TheoremOfThought.builder(sampler(Map.of()), entailment).build().answer("Why?");
  }

  private static ReasoningResult answer(Map<String, String> texts) {
    return TheoremOfThought.builder(sampler(texts), TheoremOfThoughtTest::judge)
        .build()
        .answer("Why?");
  }

  private static void assertDeductiveFails(ReasoningResult result, Reason reason, String message) {
    assertThat(result.failures()).hasSize(1);
    AgentFailure failure = result.failures().getFirst();
    assertThat(failure.agent()).isEqualTo("deductive");
    assertThat(failure.reason()).isEqualTo(reason);
    assertThat(failure.message()).isEqualTo(message);
    assertThat(result.graphs())
        .extracting(ScoredGraph::agent)
        .containsExactly("abductive", "inductive");
    assertThat(result.answer()).contains("from I");
  }

  @Test
  void aPromptThatCannotBeReadFailsItsAgentAlone() {
    List<Agent> agents = new ArrayList<>(Agent.standard());
    agents.set(1, new Agent("deductive", "\u1234 {question}", TraceParser.numberedSteps()));
    ScriptedModel model = writing(Map.of());
    ReasoningResult result =
        TheoremOfThought.builder(
                model.sampler().maxNewTokens(2000).build(), TheoremOfThoughtTest::judge)
            .agents(agents)
            .build()
            .answer("Why?");
    assertThat(result.failures()).hasSize(1);
    assertThat(result.failures().getFirst().reason()).isEqualTo(Reason.SAMPLING);
    assertThat(result.failures().getFirst().message())
        .startsWith("its text could not be sampled: token id 4660");
    assertThat(result.cost().decodingPasses()).isEqualTo(2);
    assertThat(result.answer()).contains("from I");
    assertThat(model.openCaches).hasValue(0);
  }

  @Test
  void anAgentThatIsNotDoneInTimeFailsAlone() {
    // The clock goes on as the deductive agent writes.
    AtomicLong nanos = new AtomicLong();
    UnaryOperator<String> texts =
        prompt -> {
          for (String agent : List.of("abductive", "inductive")) {
            if (prompt.contains(agent + " reasoning")) {
              return Objects.requireNonNull(TEXTS.get(agent));
            }
          }
          nanos.incrementAndGet();
          return "1. " + "D".repeat(500);
        };
    ReasoningResult result =
        TheoremOfThought.builder(
                ScriptedModel.writing(texts).sampler().maxNewTokens(2000).build(),
                TheoremOfThoughtTest::judge)
            .writingTimeout(Duration.ofNanos(200))
            .judgingTimeout(Duration.ofNanos(1))
            .nanoClock(nanos::get)
            .build()
            .answer("Why?");
    assertDeductiveFails(result, Reason.TIMEOUT, "the time for writing was over after 200 tokens");
  }

  @Test
  void agentsWhoseStepsAreNotJudgedInTimeFail() {
    AtomicLong nanos = new AtomicLong();
    ReasoningResult result =
        TheoremOfThought.builder(
                sampler(Map.of()),
                pairs -> {
                  nanos.addAndGet(60);
                  return judge(pairs);
                })
            .judgingTimeout(Duration.ofNanos(100))
            .nanoClock(nanos::get)
            .build()
            .answer("Why?");
    assertThat(result.graphs())
        .extracting(ScoredGraph::agent)
        .containsExactly("abductive", "deductive");
    assertThat(result.failures())
        .containsExactly(
            new AgentFailure(
                "inductive",
                Reason.TIMEOUT,
                "the time for judging was over before its steps were judged",
                null));
    assertThat(result.answer()).contains("from D");
    assertThat(result.cost().nliCalls()).isEqualTo(6);
  }

  @Test
  void whenAllAgentsFailThereIsNoAnswer() {
    ReasoningResult result =
        TheoremOfThought.builder(
                ScriptedModel.writing(_ -> "Who knows?").sampler().build(),
                TheoremOfThoughtTest::judge)
            .build()
            .answer("Why?");
    assertThat(result.answer()).isEmpty();
    assertThat(result.winner()).isEmpty();
    assertThat(result.failures()).hasSize(3);
    assertThat(result.cost()).isEqualTo(new Cost(3, 3 * "Who knows?".length() + 3, 0, 0));
  }

  @Test
  void refusesWhatCannotWork() {
    TheoremOfThought.Builder builder =
        TheoremOfThought.builder(sampler(Map.of()), TheoremOfThoughtTest::judge);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.build().answer(" "))
        .withMessage("the question is blank");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.agents(List.of()))
        .withMessage("there are no agents, expected at least one");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.agents(List.of(Agent.deductive(), Agent.deductive())))
        .withMessage("two agents have the same name: [deductive, deductive]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.maxSteps(0))
        .withMessage("maxSteps is 0, expected at least 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.writingTimeout(Duration.ZERO))
        .withMessage("writingTimeout is PT0S, expected above zero");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.judgingTimeout(Duration.ofSeconds(-1)))
        .withMessage("judgingTimeout is PT-1S, expected above zero");
  }
}
