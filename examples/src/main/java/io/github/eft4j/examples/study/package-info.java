/**
 * The miniature study: what emulated fine-tuning does to facts and form of answers, measured on
 * questions about entities that no model was fine-tuned on.
 */
@NullMarked
package io.github.eft4j.examples.study;

import org.jspecify.annotations.NullMarked;
