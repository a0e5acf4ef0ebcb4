@NullMarked
package io.github.eft4j.examples.reasoning;

import org.jspecify.annotations.NullMarked;
