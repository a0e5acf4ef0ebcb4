package io.github.eft4j.examples.facts;

/**
 * A true statement.
 *
 * @param relation what is said
 * @param entity the name of what it is said of
 * @param value the value of the relation
 */
public record Fact(Relation relation, String entity, String value) {
  /**
   * The sentence that an assistant answers with.
   *
   * @return the sentence
   */
  public String statement() {
    return Relation.fill(relation.statement(), entity, value);
  }
}
