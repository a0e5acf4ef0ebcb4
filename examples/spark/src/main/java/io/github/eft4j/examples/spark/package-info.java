/** Batches of completions on Apache Spark. */
@NullMarked
package io.github.eft4j.examples.spark;

import org.jspecify.annotations.NullMarked;
