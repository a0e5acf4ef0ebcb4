/** A chat through LangChain4j. */
@NullMarked
package io.github.eft4j.examples.langchain4j;

import org.jspecify.annotations.NullMarked;
