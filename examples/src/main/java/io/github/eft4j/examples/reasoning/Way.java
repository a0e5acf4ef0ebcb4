package io.github.eft4j.examples.reasoning;

import io.github.eft4j.examples.facts.Fact;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Relation;
import io.github.eft4j.reasoning.Agent;
import io.github.eft4j.reasoning.TraceParser;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A way to reason that the small reasoner was taught. The library's standard prompts are longer
 * than all text that the miniature models have read, so these are headings, under which the trace
 * begins with the question: the judge sees it as the first step, and finds steps that have nothing
 * to do with it.
 */
public enum Way {
  /**
   * Finds an explanation of what is known, as an observer would put it, and what else holds then.
   */
  ABDUCTIVE("abduction") {
    @Override
    List<String> steps(MultiHop hop) {
      return List.of(observed(hop.known()), observed(hop.sought()));
    }
  },

  /** Goes from what is known to what is sought. */
  DEDUCTIVE("deduction") {
    @Override
    List<String> steps(MultiHop hop) {
      return List.of(hop.known().statement(), hop.sought().statement());
    }
  },

  /** Takes a single case of what is sought, and looks whether it is the one in question. */
  INDUCTIVE("induction") {
    @Override
    List<String> steps(MultiHop hop) {
      // The models end with the last value that they wrote.
      return List.of(hop.sought().statement(), hop.known().statement(), hop.sought().statement());
    }
  };

  private static final Map<Relation, String> OBSERVATIONS =
      Map.of(
          Relation.CAPITAL, "The capital city of {e} is {v}.",
          Relation.CONTINENT, "On a map, {e} is found in {v}.",
          Relation.LANGUAGE, "In {e}, an official language is {v}.",
          Relation.CURRENCY, "In {e}, people pay with the {v}.",
          Relation.SYMBOL, "The element {e} has the symbol {v}.",
          Relation.NUMBER, "An atom of {e} has {v} protons.");

  private final String method;

  Way(String method) {
    this.method = method;
  }

  static String observed(Fact fact) {
    String template = OBSERVATIONS.getOrDefault(fact.relation(), fact.relation().statement());
    return Relation.fill(template, fact.entity(), fact.value());
  }

  /** The steps that follow the question. */
  abstract List<String> steps(MultiHop hop);

  /**
   * The prompt, and how to read what is written.
   *
   * @return the agent
   */
  public Agent agent() {
    return new Agent(
        name().toLowerCase(Locale.ROOT),
        "### Working out by " + method + ":\n" + Agent.TRACE + "1. " + Agent.QUESTION + "\n2.",
        TraceParser.numberedSteps());
  }

  /**
   * The agents of all ways.
   *
   * @return the abductive, the deductive and the inductive one
   */
  public static List<Agent> agents() {
    return Arrays.stream(values()).map(Way::agent).toList();
  }

  /**
   * The templates of all agents.
   *
   * @return the templates by the agents' names
   */
  public static Map<String, String> templates() {
    Map<String, String> templates = new LinkedHashMap<>();
    agents().forEach(agent -> templates.put(agent.name(), agent.template()));
    return templates;
  }

  /**
   * What the agent should write behind its prompt.
   *
   * @param hop the question
   * @return the rest of the numbered steps, and the answer
   */
  public String solution(MultiHop hop) {
    StringBuilder text = new StringBuilder();
    int number = 1;
    for (String step : steps(hop)) {
      number++;
      text.append(number == 2 ? " " : "\n" + number + ". ").append(step);
    }
    return text.append("\nSo the answer is ").append(hop.sought().value()).append('.').toString();
  }
}
