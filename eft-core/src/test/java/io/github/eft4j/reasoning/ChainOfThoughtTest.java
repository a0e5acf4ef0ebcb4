package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.EftSampler;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ChainOfThoughtTest {
  /** Logits are float32. */
  private static final double ROUNDING = 1e-5;

  /** What is far less likely than anything else. */
  private static final float NEVER = -60;

  private static float[] row(Object... charactersAndProbabilities) {
    float[] row = new float[ScriptedModel.VOCABULARY];
    Arrays.fill(row, NEVER);
    for (int i = 0; i < charactersAndProbabilities.length; i += 2) {
      row[(Character) charactersAndProbabilities[i]] =
          (float) Math.log((Double) charactersAndProbabilities[i + 1]);
    }
    return row;
  }

  /** Begins with one of some characters, and goes on with what belongs to it. */
  private static ScriptedModel branching(float[] first, List<String> texts, String unsure) {
    return new ScriptedModel(
        (_, written) -> {
          if (written.isEmpty()) {
            return first;
          }
          String text =
              texts.stream().filter(t -> t.charAt(0) == written.charAt(0)).findFirst().orElse("?");
          if (written.length() >= text.length()) {
            return row((char) ScriptedModel.END, 1.0);
          }
          char next = text.charAt(written.length());
          return unsure.indexOf(next) >= 0 ? row(next, 0.6, '~', 0.4) : row(next, 1.0);
        });
  }

  @Test
  void greedyTakesTheLikeliestChain() {
    Reasoner reasoner =
        ChainOfThought.of(
                ScriptedModel.writing(_ -> "1. Since it is.\nAnswer: yes").sampler().build())
            .greedy();
    Reasoner.Answer answer = reasoner.answer("Is it?");
    assertThat(answer.answer()).contains("yes");
    assertThat(answer.cost())
        .isEqualTo(new Cost(1, "1. Since it is.\nAnswer: yes".length() + 1, 0, 0));
  }

  @Test
  void theTemplateCanBeginTheChain() {
    Agent agent = new Agent("mine", "{question}\n{trace}1.", TraceParser.numberedSteps());
    Reasoner.Answer answer =
        ChainOfThought.of(
                ScriptedModel.writing(_ -> " It is.").sampler().maxNewTokens(50).build(), agent, 8)
            .branching(1)
            .answer("Is it?");
    assertThat(answer.answer()).contains("It is.");
  }

  @Test
  void theLastStepIsTheAnswerWhereNoneIsNamed() {
    EftSampler sampler = ScriptedModel.writing(_ -> "1. A\n2. B").sampler().build();
    assertThat(ChainOfThought.of(sampler).greedy().answer("Is it?").answer()).contains("B");
    EftSampler silent = ScriptedModel.writing(_ -> "no idea").sampler().build();
    assertThat(ChainOfThought.of(silent).greedy().answer("Is it?").answer()).isEmpty();
  }

  @Test
  void theMajorityOfSampledChainsWins() {
    ScriptedModel model =
        branching(
            row('a', 0.5, 'A', 0.3, 'n', 0.2),
            List.of("answer: Yes.", "Answer: yes", "nothing"),
            "");
    int chains = 40;
    SampledAnswer answer =
        (SampledAnswer)
            ChainOfThought.of(model.sampler().build()).selfConsistency(chains).answer("Is it?");
    assertThat(answer.candidates()).hasSize(chains);
    assertThat(answer.candidates())
        .extracting(SampledAnswer.Candidate::answer)
        .contains(Optional.of("Yes."), Optional.of("yes"), Optional.empty());
    assertThat(answer.answer()).get().isIn("Yes.", "yes");
    assertThat(answer.cost().decodingPasses()).isEqualTo(chains);
    assertThat(model.openCaches).hasValue(0);
  }

  @Test
  void votesOfEqualAnswersAddUp() {
    SampledAnswer answer =
        SampledAnswer.vote(
            List.of(
                candidate("no", 1.5),
                candidate("South  America.", 1),
                new SampledAnswer.Candidate("?", Optional.empty(), 9),
                candidate("south america", 1)),
            7);
    assertThat(answer.answer()).contains("South  America.");
    assertThat(answer.cost()).isEqualTo(new Cost(4, 7, 0, 0));
    assertThat(SampledAnswer.vote(List.of(candidate("a", 1), candidate("b", 1)), 0).answer())
        .contains("a");
    assertThat(SampledAnswer.vote(List.of(candidate("!", 1), candidate("?", 2)), 0).answer())
        .contains("?");
  }

  private static SampledAnswer.Candidate candidate(String answer, double weight) {
    return new SampledAnswer.Candidate("", Optional.of(answer), weight);
  }

  @Test
  void branchesFromTheLikeliestFirstTokensAndTrustsConfidentAnswers() {
    // The likeliest beginning leads to an answer of which every character is unsure.
    ScriptedModel model =
        branching(
            row('1', 0.5, '2', 0.3, '3', 0.2),
            List.of("1. A\nAnswer: xx", "2. B\nAnswer: y", "3. C\nAnswer: yes"),
            "x");
    SampledAnswer answer =
        (SampledAnswer) ChainOfThought.of(model.sampler().build()).branching(2).answer("Is it?");
    assertThat(answer.candidates())
        .extracting(SampledAnswer.Candidate::text)
        .containsExactly("1. A\nAnswer: xx", "2. B\nAnswer: y");
    assertThat(answer.candidates().get(0).weight()).isCloseTo(0.2, within(ROUNDING));
    assertThat(answer.candidates().get(1).weight()).isCloseTo(1, within(ROUNDING));
    assertThat(answer.answer()).contains("y");
    assertThat(answer.cost()).isEqualTo(new Cost(2, 31, 0, 0));
    assertThat(model.openCaches).hasValue(0);
  }

  @Test
  void theConfidenceIsThatOfTheAnswersTokensAlone() {
    // Unsure of the steps, and of one of the answer's three characters.
    ScriptedModel model = branching(row('1', 1.0), List.of("1. xyz xx xyz\nAnswer: xyz\nxx"), "x");
    SampledAnswer answer =
        (SampledAnswer) ChainOfThought.of(model.sampler().build()).branching(1).answer("Is it?");
    assertThat(answer.candidates().getFirst().weight())
        .isCloseTo((0.2 + 1 + 1) / 3, within(ROUNDING));
  }

  @Test
  void chainsWithoutAnAnswerHaveNoWeight() {
    ScriptedModel model = branching(row('n', 0.9, 'A', 0.1), List.of("nothing", "Answer: yes"), "");
    SampledAnswer answer =
        (SampledAnswer) ChainOfThought.of(model.sampler().build()).branching(2).answer("Is it?");
    assertThat(answer.candidates().getFirst().weight()).isZero();
    assertThat(answer.answer()).contains("yes");
  }

  @Test
  void refusesWhatCannotWork() {
    EftSampler greedy = ScriptedModel.writing(_ -> "yes").sampler().greedy().build();
    ChainOfThought chains = ChainOfThought.of(greedy);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> chains.selfConsistency(3))
        .withMessage(
            "temperature is 0, expected above 0: self-consistency compares different chains");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> chains.selfConsistency(0))
        .withMessage("chains is 0, expected at least 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> chains.branching(0))
        .withMessage("chains is 0, expected at least 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ChainOfThought.of(greedy, Agent.stepByStep(), 0))
        .withMessage("maxSteps is 0, expected at least 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> chains.greedy().answer(""))
        .withMessage("the question is blank");
  }
}
