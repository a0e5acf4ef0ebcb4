/** Benchmarks of what the library does not show in public; in its package to reach it. */
@NullMarked
package io.github.eft4j;

import org.jspecify.annotations.NullMarked;
