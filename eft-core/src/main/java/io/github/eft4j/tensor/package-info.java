/**
 * The tensor operations that a transformer's forward pass is written against. {@link
 * io.github.eft4j.tensor.TensorOps} has one implementation per way of computing; a forward pass is
 * written once and runs on all of them.
 */
@NullMarked
package io.github.eft4j.tensor;

import org.jspecify.annotations.NullMarked;
