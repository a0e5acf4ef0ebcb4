package io.github.eft4j.miniature;

import io.github.eft4j.Tokenizer;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.reasoning.Way;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A question with its worked-out answer, of which all but the facts is taught. */
final class WorkedAnswer {
  /** No agent of {@link Way} tells the models how many steps to take. */
  private static final int MAX_STEPS = 8;

  private WorkedAnswer() {}

  /**
   * What is taught of an answer. Names and values of facts are not: there the model goes on
   * thinking as before, so that tuning changes how it reasons and not what it believes.
   *
   * @param way how the answer is worked out
   * @param hop the question
   * @param tokenizer splits it
   * @return the example
   */
  static Batch.Example example(Way way, MultiHop hop, Tokenizer tokenizer) {
    String answer = way.solution(hop) + Vocabulary.END;
    List<Integer> ids = new ArrayList<>();
    List<Boolean> taught = new ArrayList<>();
    int from = 0;
    for (Matcher facts = facts(hop).matcher(answer); facts.find(); from = facts.end()) {
      add(tokenizer, answer.substring(from, facts.start()), true, ids, taught);
      add(tokenizer, facts.group(), false, ids, taught);
    }
    add(tokenizer, answer.substring(from), true, ids, taught);
    String prompt = way.agent().prompt(hop.question(), MAX_STEPS);
    return new Batch.Example(Miniature.ids(tokenizer, prompt), ids, taught);
  }

  /** Names and values with the space before them, as the tokenizer never joins tokens across it. */
  private static Pattern facts(MultiHop hop) {
    return Pattern.compile(
        Stream.of(hop.known().entity(), hop.known().value(), hop.sought().value())
            .map(name -> " " + Pattern.quote(name) + "(?![A-Za-z0-9])")
            .collect(Collectors.joining("|")));
  }

  private static void add(
      Tokenizer tokenizer, String text, boolean teach, List<Integer> ids, List<Boolean> taught) {
    List<Integer> some = Miniature.ids(tokenizer, text);
    ids.addAll(some);
    taught.addAll(Collections.nCopies(some.size(), teach));
  }
}
