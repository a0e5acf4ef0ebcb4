package io.github.eft4j.examples.study;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.ModelInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** A family of models that were trained alike. */
public enum Family {
  /** Llama. */
  LLAMA("Llama", ""),
  /** Falcon. */
  FALCON("Falcon", "falcon-");

  private static final List<String> NAMES =
      List.of("small-base", "small-tuned", "small-terse", "large-base", "large-tuned");

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

  /**
   * The models of this family and their sizes.
   *
   * @param directory as for {@link #load}
   * @return a few words on each model, by name
   */
  public Map<String, String> describe(Path directory) {
    Map<String, String> all = new LinkedHashMap<>();
    for (String name : NAMES) {
      Path path = directory.resolve(prefix + name);
      if (Files.exists(path)) {
        ModelInfo info = LanguageModels.inspect(path);
        all.put(
            path.getFileName().toString(),
            String.format(
                Locale.ROOT,
                "%,d weights, %d layers of %d",
                info.parameters(),
                info.config().layers(),
                info.config().hiddenSize()));
      }
    }
    return all;
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
