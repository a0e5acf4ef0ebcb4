@NullMarked
package io.github.eft4j;

import org.jspecify.annotations.NullMarked;
