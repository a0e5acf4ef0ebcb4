@NullMarked
package io.github.eft4j.models.format;

import org.jspecify.annotations.NullMarked;
