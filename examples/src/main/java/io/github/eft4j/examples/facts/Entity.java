package io.github.eft4j.examples.facts;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Something that facts are known of.
 *
 * @param name its name
 * @param kind what it is, such as {@code country}
 * @param values what is known of it
 */
public record Entity(String name, String kind, Map<Relation, String> values) {
  /** Copies the values, in their order. */
  public Entity {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  /**
   * What is known of it, one by one.
   *
   * @return the facts
   */
  public List<Fact> facts() {
    return values.entrySet().stream().map(e -> new Fact(e.getKey(), name, e.getValue())).toList();
  }
}
