package io.github.eft4j.examples.cli;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Loads the models of a command. */
final class ModelLoader {
  @Option(
      names = "--ops",
      paramLabel = "OPS",
      converter = Ops.Converter.class,
      defaultValue = "nd4j",
      description = "What computes: ${COMPLETION-CANDIDATES} (${DEFAULT-VALUE} unless given).")
  Ops ops;

  /**
   * Prepares to load models.
   *
   * @param err receives the progress of long loads where it is a terminal
   * @return the models, none of them loaded yet, to be closed by the caller
   */
  Models open(PrintWriter err) {
    return new Models(LoadOptions.defaults().withOps(ops.get()), err);
  }

  /** Models by the path that the user gave; a path that is given twice is loaded once. */
  static final class Models implements AutoCloseable {
    private final LoadOptions options;
    private final PrintWriter err;
    private final Map<Path, LanguageModel> loaded = new LinkedHashMap<>();

    private Models(LoadOptions options, PrintWriter err) {
      this.options = options;
      this.err = err;
    }

    LanguageModel load(Path path) {
      return loaded.computeIfAbsent(
          path.toAbsolutePath().normalize(),
          key -> {
            try (LoadBar bar = LoadBar.onTerminal(path.toString(), err)) {
              return LanguageModels.load(path, options.withProgress(bar));
            }
          });
    }

    @Override
    public void close() {
      loaded.values().forEach(LanguageModel::close);
    }
  }
}
