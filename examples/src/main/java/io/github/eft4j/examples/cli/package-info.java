/**
 * The command line, {@code examples/eft}: look at models, run them, and sample from combinations of
 * them.
 */
@NullMarked
package io.github.eft4j.examples.cli;

import org.jspecify.annotations.NullMarked;
