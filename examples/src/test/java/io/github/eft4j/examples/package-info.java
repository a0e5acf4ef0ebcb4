@NullMarked
package io.github.eft4j.examples;

import org.jspecify.annotations.NullMarked;
