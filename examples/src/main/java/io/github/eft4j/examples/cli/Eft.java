package io.github.eft4j.examples.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/** The command line. */
@Command(
    name = "eft",
    description = {
      "Looks at language models, runs them, and samples from combinations of them.",
      "A MODEL is a Hugging Face directory or a GGUF file; sample, score, reason and logits take"
          + " also the address of one that is served elsewhere: http://HOST:8000/v1#NAME (vLLM) or"
          + " llamacpp:http://HOST:8080 (the llama.cpp server)."
    },
    subcommands = {
      ChatCommand.class,
      ClassifyCommand.class,
      DemoCommand.class,
      InspectCommand.class,
      LogitsCommand.class,
      QuantizeCommand.class,
      ReasonCommand.class,
      SampleCommand.class,
      ScoreCommand.class,
      StudyCommand.class,
      ReasoningStudyCommand.class,
      TokenizeCommand.class,
      TraceCommand.class
    },
    footer = {"", "Exit status: 0, or 2 for bad usage or bad input."})
public final class Eft extends EftCommand {
  private static final int FAILED = 2;

  Eft() {}

  /**
   * Runs a command and ends the process.
   *
   * @param args the command and its arguments
   */
  public static void main(String[] args) {
    System.exit(run(writer(FileDescriptor.out), writer(FileDescriptor.err), args));
  }

  private static PrintWriter writer(FileDescriptor descriptor) {
    return new PrintWriter(new OutputStreamWriter(new FileOutputStream(descriptor), UTF_8));
  }

  /**
   * Runs a command.
   *
   * @param out receives results
   * @param err receives messages
   * @param args the command and its arguments
   * @return the exit status
   */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    try {
      return new CommandLine(new Eft())
          .setOut(out)
          .setErr(err)
          // An argument that starts with @ is what it says, not the name of a file with arguments.
          .setExpandAtFiles(false)
          .setParameterExceptionHandler((e, all) -> fail(e, e.getCommandLine(), err, all))
          .setExecutionExceptionHandler((e, command, all) -> fail(e, command, err, args))
          .execute(args);
    } catch (Error e) {
      return fail(e, null, err, args);
    } finally {
      out.flush();
      err.flush();
    }
  }

  private static int fail(
      Throwable failure, @Nullable CommandLine command, PrintWriter err, String... args) {
    if (List.of(args).contains(EftCommand.DEBUG)) {
      failure.printStackTrace(err);
    }
    err.println("eft: " + Failures.message(failure, command));
    return FAILED;
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "which command? There are " + String.join(", ", spec.subcommands().keySet()));
  }
}
