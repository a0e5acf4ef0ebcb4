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
}
