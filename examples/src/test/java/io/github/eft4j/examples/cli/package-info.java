@NullMarked
package io.github.eft4j.examples.cli;

import org.jspecify.annotations.NullMarked;
