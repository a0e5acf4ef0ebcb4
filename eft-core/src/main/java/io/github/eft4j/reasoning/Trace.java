package io.github.eft4j.reasoning;

import java.util.List;
import java.util.Optional;

/**
 * What an agent wrote, taken apart.
 *
 * @param steps its steps, numbered upwards; possibly none
 * @param answer the answer that it names, never blank; empty when it names none
 */
public record Trace(List<Step> steps, Optional<String> answer) {
  /**
   * Copies the list.
   *
   * @throws IllegalArgumentException if steps are not numbered upwards, or the answer is blank
   */
  public Trace {
    steps = List.copyOf(steps);
    for (int i = 1; i < steps.size(); i++) {
      if (steps.get(i).number() <= steps.get(i - 1).number()) {
        throw new IllegalArgumentException(
            "step %d follows step %d, expected numbers that go up"
                .formatted(steps.get(i).number(), steps.get(i - 1).number()));
      }
    }
    if (answer.isPresent() && answer.get().isBlank()) {
      throw new IllegalArgumentException("the answer is blank");
    }
  }

  /**
   * The answer, or the last step where the trace names none: it is what the others lead to.
   *
   * @return the conclusion, or empty for a trace of no steps and no answer
   */
  public Optional<String> conclusion() {
    return answer.or(
        () -> steps.isEmpty() ? Optional.empty() : Optional.of(steps.getLast().text()));
  }

  /** The trace up to a number of steps, with the same answer. */
  Trace firstSteps(int count) {
    return steps.size() <= count ? this : new Trace(steps.subList(0, count), answer);
  }
}
