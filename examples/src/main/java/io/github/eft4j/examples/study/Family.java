package io.github.eft4j.examples.study;

import io.github.eft4j.LanguageModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** A family of models that were trained alike. */
public enum Family {
  /** Llama. */
  LLAMA("Llama", ""),
  /** Falcon. */
  FALCON("Falcon", "falcon-");

  private final String title;
  private final String prefix;

  Family(String title, String prefix) {
    this.title = title;
    this.prefix = prefix;
  }

  /**
   * The family's name in text.
   *
   * @return such as {@code Llama}
   */
  public String title() {
    return title;
  }

  /**
   * Whether a directory holds models of this family.
   *
   * @param directory the directory
   * @return true if there is a large base model
   */
  public boolean isIn(Path directory) {
    return Files.exists(directory.resolve(prefix + "large-base"));
  }

  /**
   * Loads the models of this family; those that the study can do without may be missing.
   *
   * @param directory the directory that holds a directory for each
   * @param loader loads one
   * @return the models
   */
  public Models load(Path directory, Function<Path, LanguageModel> loader) {
    return new Models(
        loader.apply(directory.resolve(prefix + "large-base")),
        loader.apply(directory.resolve(prefix + "small-base")),
        loader.apply(directory.resolve(prefix + "small-tuned")),
        optional(directory.resolve(prefix + "small-terse"), loader),
        optional(directory.resolve(prefix + "large-tuned"), loader));
  }

  private static Optional<LanguageModel> optional(Path path, Function<Path, LanguageModel> loader) {
    return Files.exists(path) ? Optional.of(loader.apply(path)) : Optional.empty();
  }

  /** As users type it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
