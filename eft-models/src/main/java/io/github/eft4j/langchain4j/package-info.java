/**
 * Samplers as chat models of <a href="https://docs.langchain4j.dev">LangChain4j</a>, whose {@code
 * langchain4j-core} a program adds to its dependencies to use this package.
 */
@NullMarked
package io.github.eft4j.langchain4j;

import org.jspecify.annotations.NullMarked;
