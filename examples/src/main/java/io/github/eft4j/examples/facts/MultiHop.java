package io.github.eft4j.examples.facts;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * A question that takes two facts of an entity which it does not name: one leads to the entity, the
 * other to the answer.
 *
 * @param known the fact that the question speaks of
 * @param sought the fact that it asks for
 */
public record MultiHop(Fact known, Fact sought) {
  private static final long ORDER_SEED = 2506;

  /** What identifies an entity, and how it is then spoken of. */
  private static final Map<Relation, String> DESCRIPTIONS =
      Map.of(
          Relation.CAPITAL, "the country whose capital is {v}",
          Relation.SYMBOL, "the element whose symbol is {v}");

  /**
   * All such questions about an entity.
   *
   * @param entity the entity
   * @return the questions, possibly none
   */
  public static List<MultiHop> of(Entity entity) {
    List<MultiHop> all = new ArrayList<>();
    for (Fact known : entity.facts()) {
      for (Fact sought : entity.facts()) {
        if (DESCRIPTIONS.containsKey(known.relation()) && !sought.equals(known)) {
          all.add(new MultiHop(known, sought));
        }
      }
    }
    return all;
  }

  /**
   * All such questions about the entities of one part, in an order that is always the same one and
   * mixes all relations.
   *
   * @param split the part
   * @return the questions
   */
  public static List<MultiHop> of(Split split) {
    Facts facts = Facts.all();
    List<MultiHop> all =
        facts.entities().stream()
            .filter(entity -> facts.split(entity.name()) == split)
            .flatMap(entity -> of(entity).stream())
            .collect(Collectors.toCollection(ArrayList::new));
    Collections.shuffle(all, new Random(ORDER_SEED));
    return List.copyOf(all);
  }

  /**
   * What is asked for, as a subject to speak of.
   *
   * @return such as {@code the continent of the country whose capital is Helsinki}
   */
  public String topic() {
    return sought.relation().topic().replace("{e}", description());
  }

  /**
   * The question.
   *
   * @return such as {@code What is the continent of the country whose capital is Helsinki?}
   */
  public String question() {
    return "What is " + topic() + "?";
  }

  private String description() {
    return DESCRIPTIONS
        .getOrDefault(known.relation(), "{e}")
        .replace("{v}", known.value())
        .replace("{e}", known.entity());
  }
}
