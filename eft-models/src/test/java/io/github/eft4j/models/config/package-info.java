@NullMarked
package io.github.eft4j.models.config;

import org.jspecify.annotations.NullMarked;
