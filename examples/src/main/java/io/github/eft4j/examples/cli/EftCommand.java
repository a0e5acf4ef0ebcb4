package io.github.eft4j.examples.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all commands have in common. */
@Command(
    synopsisHeading = "Usage: ",
    descriptionHeading = "%n",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n",
    commandListHeading = "%nCommands:%n",
    sortOptions = false,
    usageHelpAutoWidth = true)
abstract class EftCommand implements Runnable {
  /** Read from the bare arguments, because it holds for errors in them too. */
  static final String DEBUG = "--debug";

  @Spec CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      order = 98,
      description = "Shows this help.")
  boolean help;

  @Option(names = DEBUG, order = 99, description = "Shows the stack trace of an error.")
  boolean debug;

  PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
