@NullMarked
package io.github.eft4j.examples.study;

import org.jspecify.annotations.NullMarked;
