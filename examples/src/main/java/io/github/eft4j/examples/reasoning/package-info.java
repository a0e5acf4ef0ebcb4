/**
 * Reasoning in miniature: questions that take several facts, the agents that the small models work
 * them out with, and pairs of statements for a judge of entailment.
 */
@NullMarked
package io.github.eft4j.examples.reasoning;

import org.jspecify.annotations.NullMarked;
