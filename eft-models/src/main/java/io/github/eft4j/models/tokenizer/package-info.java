/**
 * Tokenizers and chat templates: {@code tokenizer.json} through Hugging Face's own tokenizers, and
 * Jinja templates as Hugging Face renders them.
 */
@NullMarked
package io.github.eft4j.models.tokenizer;

import org.jspecify.annotations.NullMarked;
