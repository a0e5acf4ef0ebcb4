/**
 * Trains the small models that come with the examples, from scratch: the text that they read, their
 * tokenizer, the networks and their optimiser, and the recipe that puts these together.
 *
 * <p>PyTorch differentiates, through DJL. What comes out are ordinary Hugging Face directories,
 * which the library itself runs.
 */
@NullMarked
package io.github.eft4j.miniature;

import org.jspecify.annotations.NullMarked;
