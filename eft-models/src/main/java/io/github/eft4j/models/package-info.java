/** Language models from files. Start at {@link io.github.eft4j.models.LanguageModels}. */
@NullMarked
package io.github.eft4j.models;

import org.jspecify.annotations.NullMarked;
