/**
 * What the miniature models know, and how their answers are judged: true facts, the sentences and
 * questions that speak of them, the split of their entities, and what makes an answer right and
 * well-formed.
 */
@NullMarked
package io.github.eft4j.examples.facts;

import org.jspecify.annotations.NullMarked;
