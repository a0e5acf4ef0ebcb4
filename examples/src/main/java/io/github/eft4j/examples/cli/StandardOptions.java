package io.github.eft4j.examples.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The options that every command has. */
@Command(
    synopsisHeading = "Usage: ",
    descriptionHeading = "%n",
    optionListHeading = "%nOptions:%n",
    commandListHeading = "%nCommands:%n",
    sortOptions = false,
    usageHelpAutoWidth = true)
final class StandardOptions {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      order = 98,
      description = "Shows this help.")
  boolean help;

  /** Read by {@link Eft} from the bare arguments, as it holds for errors in them too. */
  @Option(names = "--debug", order = 99, description = "Shows the stack trace of an error.")
  boolean debug;
}
