package io.github.eft4j.reasoning;

import java.util.List;

/**
 * One step of a reasoning trace.
 *
 * @param number the step's number, as the trace counts
 * @param text what it says
 * @param citations the numbers of the steps that it says it follows from, each once
 */
public record Step(int number, String text, List<Integer> citations) {
  /** Copies the list. */
  public Step {
    citations = citations.stream().distinct().toList();
  }
}
