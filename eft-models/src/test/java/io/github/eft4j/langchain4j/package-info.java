@NullMarked
package io.github.eft4j.langchain4j;

import org.jspecify.annotations.NullMarked;
