@NullMarked
package io.github.eft4j.html;

import org.jspecify.annotations.NullMarked;
