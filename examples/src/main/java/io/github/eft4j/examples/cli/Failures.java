package io.github.eft4j.examples.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** Puts what went wrong in one line. */
public final class Failures {
  /** Options that the library calls otherwise. */
  private static final Map<String, String> LIBRARY_NAMES =
      Map.of(
          "--draft-length", "blockLength",
          "--top-logprobs", "topLogProbabilities",
          "--candidates", "traceCandidates",
          "-n", "completions");

  private Failures() {}

  /**
   * The message of a failure.
   *
   * @param failure what was thrown
   * @param command the command that failed, or null when it is not known
   * @return one line
   */
  public static String message(Throwable failure, @Nullable CommandLine command) {
    String message =
        switch (failure) {
          case ParameterException e -> text(e).replaceFirst("^Error: ", "");
          case UncheckedIOException e -> message(Objects.requireNonNull(e.getCause()));
          case IOException e -> message(e);
          case IllegalArgumentException e -> inOptionsWords(text(e), command);
          case IllegalStateException e -> text(e);
          case OutOfMemoryError e -> "not enough memory: " + text(e);
          default -> failure.toString();
        };
    return message.strip().replaceAll("\\s*\\R\\s*", " ");
  }

  private static String message(IOException failure) {
    return switch (failure) {
      case NoSuchFileException e -> e.getFile() + " does not exist";
      case AccessDeniedException e -> e.getFile() + " may not be read";
      case FileSystemException e -> e.getFile() + ": " + Objects.toString(e.getReason(), text(e));
      default -> text(failure);
    };
  }

  private static String text(Throwable failure) {
    return Objects.requireNonNullElseGet(failure.getMessage(), failure::toString);
  }

  /** The library names options as its builder does ({@code topP}); users typed {@code --top-p}. */
  private static String inOptionsWords(String message, @Nullable CommandLine command) {
    if (command != null) {
      for (OptionSpec option : command.getCommandSpec().options()) {
        String name =
            LIBRARY_NAMES.getOrDefault(option.longestName(), camelCase(option.longestName()));
        if (message.startsWith(name + " is ")) {
          return option.longestName() + message.substring(name.length());
        }
      }
    }
    return message;
  }

  private static String camelCase(String option) {
    StringBuilder name = new StringBuilder();
    for (String word : option.replaceFirst("^-+", "").split("-", -1)) {
      name.append(
          name.isEmpty() || word.isEmpty()
              ? word
              : Character.toUpperCase(word.charAt(0)) + word.substring(1));
    }
    return name.toString();
  }
}
