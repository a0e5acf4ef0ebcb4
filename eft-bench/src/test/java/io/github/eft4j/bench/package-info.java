@NullMarked
package io.github.eft4j.bench;

import org.jspecify.annotations.NullMarked;
