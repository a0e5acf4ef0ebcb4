package io.github.eft4j.examples.facts;

/**
 * A question with its answer.
 *
 * @param fact what is asked for
 * @param text the question
 */
public record Question(Fact fact, String text) {}
