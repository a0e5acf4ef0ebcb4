@NullMarked
package io.github.eft4j.examples.facts;

import org.jspecify.annotations.NullMarked;
