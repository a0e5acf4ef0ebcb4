@NullMarked
package io.github.eft4j.reasoning;

import org.jspecify.annotations.NullMarked;
