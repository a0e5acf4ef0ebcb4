package io.github.eft4j.examples.spark;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Unmatched;

/** Runs the job on a cluster of this machine. */
@Command(
    name = "cluster",
    usageHelpAutoWidth = true,
    description = {
      "Starts Spark's master and workers on this machine, runs EftBatchJob on them, and ends them.",
      "All options but these are the job's; paths of models are absolute."
    })
final class ClusterCommand implements Callable<Integer> {
  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "2",
      description = "The number of workers, each with one core (${DEFAULT-VALUE} unless given).")
  private int workers;

  @Option(
      names = "--build",
      required = true,
      hidden = true,
      description = "Where Maven has put the jars; given by the script.")
  private Path build;

  @Unmatched private final List<String> jobArgs = new ArrayList<>();

  private ClusterCommand() {}

  /**
   * Runs the job and ends the process.
   *
   * @param args the options
   */
  public static void main(String[] args) {
    System.exit(
        new CommandLine(new ClusterCommand())
            .setExpandAtFiles(false)
            .setExecutionExceptionHandler(
                (e, command, all) -> {
                  command.getErr().println("cluster: " + e.getMessage());
                  return 1;
                })
            .execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (workers < 1) {
      throw new IllegalArgumentException("--workers is " + workers + ", expected at least 1");
    }
    try (LocalCluster cluster = new LocalCluster(sparkJars(build), workers);
        SparkSession _ =
            cluster
                .session(jobJars(build))
                .config("spark.ui.showConsoleProgress", true)
                .getOrCreate()) {
      return EftBatchJob.run(
          new PrintWriter(System.err, true, UTF_8), jobArgs.toArray(String[]::new));
    }
  }

  /** The jars that a cluster has. */
  static List<Path> sparkJars(Path build) throws IOException {
    return Pattern.compile(":")
        .splitAsStream(Files.readString(build.resolve("spark.classpath")).strip())
        .map(Path::of)
        .toList();
  }

  /** The jars that a job brings. */
  static List<Path> jobJars(Path build) throws IOException {
    try (Stream<Path> files = Files.list(build.resolve("lib"))) {
      return Stream.concat(Stream.of(build.resolve("eft-examples-spark.jar")), files)
          .map(Path::toAbsolutePath)
          .toList();
    }
  }
}
