package io.github.eft4j.reasoning;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * An answer that some completions voted for.
 *
 * @param answer the answer with the most weight; of equals, the one that came first
 * @param candidates the completions
 * @param cost what it took
 */
public record SampledAnswer(Optional<String> answer, List<Candidate> candidates, Cost cost)
    implements Reasoner.Answer {
  /**
   * A completion.
   *
   * @param text what was written
   * @param answer the answer that it names, or its last step; empty where it has neither
   * @param weight how much its vote counts
   */
  public record Candidate(String text, Optional<String> answer, double weight) {}

  /** Copies the list. */
  public SampledAnswer {
    candidates = List.copyOf(candidates);
  }

  /** Adds up the weights of equal answers; case and punctuation around them do not count. */
  static SampledAnswer vote(List<Candidate> candidates, int tokens) {
    Map<String, Double> weights = new LinkedHashMap<>();
    Map<String, String> spellings = new LinkedHashMap<>();
    for (Candidate candidate : candidates) {
      candidate
          .answer()
          .ifPresent(
              answer -> {
                String key = normalised(answer);
                weights.merge(key, candidate.weight(), Double::sum);
                spellings.putIfAbsent(key, answer);
              });
    }
    Optional<String> best =
        weights.entrySet().stream()
            .reduce((a, b) -> b.getValue() > a.getValue() ? b : a)
            .map(entry -> spellings.get(entry.getKey()));
    return new SampledAnswer(best, candidates, new Cost(candidates.size(), tokens, 0, 0));
  }

  private static String normalised(String answer) {
    String bare =
        answer.replaceAll("^[\\p{Punct}\\s]+|[\\p{Punct}\\s]+$", "").toLowerCase(Locale.ROOT);
    return bare.isEmpty() ? answer : bare.replaceAll("\\s+", " ");
  }
}
