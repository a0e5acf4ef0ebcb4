package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class AgentTest {
  @Test
  void promptsNameTheQuestionAndTheNumberOfSteps() {
    assertThat(Agent.standard())
        .extracting(Agent::name)
        .containsExactly("abductive", "deductive", "inductive");
    for (Agent agent : Agent.standard()) {
      assertThat(agent.prompt("Why?", 5))
          .contains(agent.name() + " reasoning", "at most 5 short steps")
          .endsWith("Question: Why?\n")
          .doesNotContain("{");
    }
  }

  @Test
  void whatLooksLikeAPlaceholderInAQuestionStays() {
    assertThat(Agent.stepByStep().prompt("What does {steps} mean?", 3))
        .endsWith("Question: What does {steps} mean?\n");
  }

  @Test
  void templatesNeedAPlaceForTheQuestion() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Agent("mine", "Think!", TraceParser.numberedSteps()))
        .withMessage("the template of agent mine has no {question}: Think!");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Agent(" ", "{question}", TraceParser.numberedSteps()))
        .withMessage("an agent's name is blank");
  }

  @Test
  void theTemplateCanBeginTheTrace() {
    Agent agent =
        new Agent(
            "mine",
            "Think in {steps} steps.\n{trace}1. {question}\n2.",
            TraceParser.numberedSteps());
    assertThat(agent.prompt("What is {trace}?", 3))
        .isEqualTo("Think in 3 steps.\n1. What is {trace}?\n2.");
    Trace trace = agent.trace("What is {trace}?", 3, " A mark.\nSo the answer is a mark");
    assertThat(trace.steps()).extracting(Step::text).containsExactly("What is {trace}?", "A mark.");
    assertThat(trace.answer()).contains("a mark");
    assertThat(Agent.deductive().trace("1. Why?", 3, "1. So.").steps())
        .extracting(Step::text)
        .containsExactly("So.");
  }

  @Test
  void theTraceBeginsOnce() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new Agent("mine", "{trace}{question}{trace}", TraceParser.numberedSteps()))
        .withMessage(
            "the template of agent mine has more than one {trace}: {trace}{question}{trace}");
  }
}
