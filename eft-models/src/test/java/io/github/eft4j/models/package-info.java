@NullMarked
package io.github.eft4j.models;

import org.jspecify.annotations.NullMarked;
