/** Language models that are served elsewhere, by vLLM or the llama.cpp server. */
@NullMarked
package io.github.eft4j.models.remote;

import org.jspecify.annotations.NullMarked;
