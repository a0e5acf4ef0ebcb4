/**
 * What a forward pass needs to know of a model, whatever file format describes it. Sizes are
 * resolved: nothing here is a default still to be looked up.
 */
@NullMarked
package io.github.eft4j.models.config;

import org.jspecify.annotations.NullMarked;
