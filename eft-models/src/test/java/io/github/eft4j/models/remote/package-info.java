@NullMarked
package io.github.eft4j.models.remote;

import org.jspecify.annotations.NullMarked;
