package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumberedStepsTest {
  private static Trace parse(String text) {
    return TraceParser.numberedSteps().parse(text);
  }

  @Test
  void stepsAnswerAndCitations() {
    Trace trace =
        parse(
            """
            Let me think.
            1. Lima is the capital
               of Peru.
            Step 2: Peru is in South America.
            **3.** So Lima is in **South America** (from steps 1 and 2).
            Answer: South America
            4. This belongs to nothing.
            """);
    assertThat(trace.steps())
        .containsExactly(
            new Step(1, "Lima is the capital of Peru.", List.of()),
            new Step(2, "Peru is in South America.", List.of()),
            new Step(3, "So Lima is in South America (from steps 1 and 2).", List.of(1, 2)));
    assertThat(trace.answer()).contains("South America");
    assertThat(trace.conclusion()).contains("South America");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Answer: yes",
        "answer:yes",
        "The answer is yes",
        "Final answer: yes",
        "**Answer:** yes",
        "**Answer**: yes",
        "Answer:\n\n  yes",
        "The final answer is: yes",
        "So the answer is yes",
        "Therefore, the answer is: yes"
      })
  void formsOfTheAnswer(String line) {
    assertThat(parse("1. So it is.\n" + line).answer()).contains("yes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"1. A.", "1) A.", "1: A.", "(1) A.", "Step 1. A.", "- 1. A.", "**1.** A."})
  void formsOfTheNumber(String line) {
    assertThat(parse(line).steps()).containsExactly(new Step(1, "A.", List.of()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "from step 1|1",
        "by Steps 1 and 3|1 3",
        "from steps 1, 2 and 4|1 2 4",
        "from steps 1, 2, and 4|1 2 4",
        "from steps 2-4|2 3 4",
        "steps 1 to 3|1 2 3",
        "step 2 and step 4, again step 2|2 4",
        "step 2, 3 people left|2",
        "two steps back|",
        "footsteps 3|"
      })
  void formsOfCitations(String text, String expected) {
    List<Integer> numbers =
        expected == null
            ? List.of()
            : List.of(expected.split(" ", -1)).stream().map(Integer::valueOf).toList();
    assertThat(parse("5. So it is: " + text).steps().getFirst().citations()).isEqualTo(numbers);
  }

  @Test
  void aNumberThatDoesNotGoUpEndsTheTrace() {
    Trace trace = parse("1. A\n2. B\n1. C\n3. D\nAnswer: E");
    assertThat(trace.steps()).extracting(Step::text).containsExactly("A", "B");
    assertThat(trace.answer()).isEmpty();
    assertThat(trace.conclusion()).contains("B");
  }

  @Test
  void numbersWithinTextAreNoSteps() {
    Trace trace = parse("1. It costs\n3.50 dollars\n1990 was a good year");
    assertThat(trace.steps())
        .extracting(Step::text)
        .containsExactly("It costs 3.50 dollars 1990 was a good year");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "   ", "I do not know.", "Answer:", "1.", "12345678. too long a number"})
  void textsWithoutSteps(String text) {
    Trace trace = parse(text);
    assertThat(trace.steps()).isEmpty();
    assertThat(trace.answer()).isEmpty();
    assertThat(trace.conclusion()).isEmpty();
  }

  @Test
  void anAnswerWithoutStepsIsStillAnAnswer() {
    assertThat(parse("Answer: 42")).isEqualTo(new Trace(List.of(), Optional.of("42")));
  }

  @Property
  void readsAnything(@ForAll String text) {
    Trace trace = parse(text);
    assertThat(trace.steps()).allMatch(step -> !step.text().isBlank() && step.number() > 0);
  }

  @Test
  void tracesCountUpwards() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new Trace(
                    List.of(new Step(2, "a", List.of()), new Step(2, "b", List.of())),
                    Optional.empty()))
        .withMessage("step 2 follows step 2, expected numbers that go up");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Trace(List.of(), Optional.of(" ")))
        .withMessage("the answer is blank");
  }
}
