package io.github.eft4j.examples.cli;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.TensorOps;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Loads the models of a command. */
public final class ModelLoader {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--ops",
      paramLabel = "OPS",
      converter = Ops.Converter.class,
      description =
          "What computes: ${COMPLETION-CANDIDATES}. Unless given, jvm on a CPU and nd4j on a GPU.")
  private @Nullable Ops ops;

  @Option(
      names = "--vector-bits",
      paramLabel = "BITS",
      description =
          "The width of the vectors that jvm computes on: 0 (scalar code), 128, 256 or 512. The"
              + " processor's widest unless given.")
  private @Nullable Integer vectorBits;

  @Option(
      names = "--context-length",
      paramLabel = "N",
      description =
          "The greatest number of tokens of a sequence, prompt included. The model's own unless"
              + " given.")
  private @Nullable Integer contextLength;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "The number of threads that jvm computes with. As many as there are cores unless given.")
  private @Nullable Integer threads;

  /**
   * Prepares to load models.
   *
   * @return the models, none of them loaded yet, to be closed by the caller
   */
  public Models open() {
    return open(Path.of(""));
  }

  /**
   * Prepares to load models.
   *
   * @param directory what relative paths are relative to
   * @return the models, none of them loaded yet, to be closed by the caller
   */
  public Models open(Path directory) {
    LoadOptions options = LoadOptions.defaults().withOps(tensorOps());
    if (contextLength != null) {
      if (contextLength < 1) {
        throw new ParameterException(
            command.commandLine(),
            "--context-length is " + contextLength + ", expected at least 1");
      }
      options = options.withContextLength(contextLength);
    }
    return new Models(options, directory, command.commandLine().getErr());
  }

  private TensorOps tensorOps() {
    if (vectorBits != null || threads != null) {
      String option = vectorBits != null ? "--vector-bits" : "--threads";
      if (ops == Ops.ND4J) {
        throw new ParameterException(
            command.commandLine(), option + " is for --ops jvm, not for nd4j");
      }
      if (threads != null && threads < 1) {
        throw new ParameterException(
            command.commandLine(), "--threads is " + threads + ", expected at least 1");
      }
      JvmOps.Builder jvm = JvmOps.builder();
      if (threads != null) {
        jvm.threads(threads);
      }
      if (vectorBits == null) {
        return jvm.build();
      }
      try {
        return jvm.vectorBits(vectorBits).build();
      } catch (IllegalArgumentException e) {
        throw new ParameterException(command.commandLine(), "--vector-bits: " + e.getMessage(), e);
      }
    }
    return switch (ops) {
      case JVM -> TensorOps.jvm();
      case ND4J -> TensorOps.nd4j();
      case null -> TensorOps.standard();
    };
  }

  /** Models by the path that the user gave; a path that is given twice is loaded once. */
  public static final class Models implements AutoCloseable {
    private final LoadOptions options;
    private final Path directory;
    private final PrintWriter err;
    private final Map<Path, LanguageModel> loaded = new LinkedHashMap<>();

    private Models(LoadOptions options, Path directory, PrintWriter err) {
      this.options = options;
      this.directory = directory;
      this.err = err;
    }

    /** What the models compute with. */
    TensorOps ops() {
      return options.ops();
    }

    LanguageModel load(Path given) {
      Path path = directory.resolve(given);
      return loaded.computeIfAbsent(
          path.toAbsolutePath().normalize(),
          key -> {
            try (TerminalBar bar =
                TerminalBar.onTerminal(path.toString(), TerminalBar.Unit.BYTES, err)) {
              return LanguageModels.load(path, options.withProgress(bar::show));
            }
          });
    }

    @Override
    public void close() {
      loaded.values().forEach(LanguageModel::close);
    }
  }
}
