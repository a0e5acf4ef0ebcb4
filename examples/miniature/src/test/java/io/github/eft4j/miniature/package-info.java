@NullMarked
package io.github.eft4j.miniature;

import org.jspecify.annotations.NullMarked;
