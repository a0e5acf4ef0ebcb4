package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.models.remote.RemoteOptions;
import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.TensorOps;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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

  @ArgGroup(exclusive = false)
  private @Nullable Served served;

  /** How to use models that are served elsewhere. */
  static final class Served {
    @Option(
        names = "--tokenizer",
        paramLabel = "DIR|FILE",
        description =
            "A model here that has the same tokens as those at an address. The first other one of"
                + " the command unless given.")
    @Nullable Path tokenizer;

    @Option(
        names = "--list-length",
        paramLabel = "K",
        description =
            "How many of the likeliest tokens a model at an address is asked for at first (100"
                + " unless given).")
    @Nullable Integer listLength;

    @Option(
        names = "--bearer-token-env",
        paramLabel = "VARIABLE",
        description =
            "The environment variable that holds the token of authorization for models at an"
                + " address.")
    @Nullable String tokenVariable;
  }

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
    return new Models(options, served, directory, command.commandLine().getErr());
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

  /** Models by the path or address that the user gave; one that is given twice is loaded once. */
  public static final class Models implements AutoCloseable {
    private final LoadOptions options;
    private final @Nullable Served served;
    private final Path directory;
    private final PrintWriter err;
    private final Map<String, LanguageModel> loaded = new LinkedHashMap<>();

    private Models(LoadOptions options, @Nullable Served served, Path directory, PrintWriter err) {
      this.options = options;
      this.served = served;
      this.directory = directory;
      this.err = err;
    }

    /** What the models compute with. */
    TensorOps ops() {
      return options.ops();
    }

    LanguageModel load(String place) {
      loadAll(List.of(place));
      return requireNonNull(loaded.get(key(place)));
    }

    /** Loads models, first those that are here: served ones have their tokens. */
    void loadAll(List<String> places) {
      for (String place : places) {
        if (!LanguageModels.isAddress(place) && !loaded.containsKey(key(place))) {
          Path path = directory.resolve(place);
          try (TerminalBar bar =
              TerminalBar.onTerminal(path.toString(), TerminalBar.Unit.BYTES, err)) {
            loaded.put(key(place), LanguageModels.load(path, options.withProgress(bar::show)));
          }
        }
      }
      Optional<LanguageModel> here =
          loaded.entrySet().stream()
              .filter(model -> !LanguageModels.isAddress(model.getKey()))
              .map(Map.Entry::getValue)
              .findFirst();
      for (String place : places) {
        if (LanguageModels.isAddress(place) && !loaded.containsKey(key(place))) {
          loaded.put(key(place), connect(place, here));
        }
      }
      if (served != null && loaded.keySet().stream().noneMatch(LanguageModels::isAddress)) {
        throw new IllegalArgumentException(
            "--tokenizer, --list-length and --bearer-token-env are for models at an address");
      }
    }

    private LanguageModel connect(String address, Optional<LanguageModel> here) {
      RemoteOptions remote =
          RemoteOptions.defaults().withNotices(notice -> err.println("eft: " + notice));
      if (options.contextLength().isPresent()) {
        remote = remote.withContextLength(options.contextLength().getAsInt());
      }
      Path tokenizer = null;
      if (served != null) {
        tokenizer = served.tokenizer;
        if (served.listLength != null) {
          if (served.listLength < 1) {
            throw new IllegalArgumentException(
                "--list-length is " + served.listLength + ", expected at least 1");
          }
          remote = remote.withFirstList(served.listLength);
        }
        if (served.tokenVariable != null) {
          remote = remote.withBearerTokenFrom(served.tokenVariable);
        }
      }
      if (tokenizer != null) {
        return LanguageModels.remote(address, tokenizer, remote);
      }
      return here.isPresent()
          ? LanguageModels.remote(address, here.get(), remote)
          : LanguageModels.remote(address, remote);
    }

    private String key(String place) {
      return LanguageModels.isAddress(place)
          ? place
          : directory.resolve(place).toAbsolutePath().normalize().toString();
    }

    @Override
    public void close() {
      loaded.values().forEach(LanguageModel::close);
    }
  }
}
