/**
 * Models from files. Start at {@link io.github.eft4j.models.LanguageModels}; classifiers are loaded
 * by {@link io.github.eft4j.models.NliModel} and {@link
 * io.github.eft4j.models.SequenceClassifiers}.
 */
@NullMarked
package io.github.eft4j.models;

import org.jspecify.annotations.NullMarked;
