@NullMarked
package io.github.eft4j.models.tokenizer;

import org.jspecify.annotations.NullMarked;
