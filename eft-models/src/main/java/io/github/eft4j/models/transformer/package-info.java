/**
 * The forward passes of causal language models, one class for each family, written against {@link
 * io.github.eft4j.tensor.TensorOps}.
 */
@NullMarked
package io.github.eft4j.models.transformer;

import org.jspecify.annotations.NullMarked;
