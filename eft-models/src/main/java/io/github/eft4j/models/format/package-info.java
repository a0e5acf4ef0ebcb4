/** Reads model files: weights, configurations and what else lies in a model's directory. */
@NullMarked
package io.github.eft4j.models.format;

import org.jspecify.annotations.NullMarked;
