package io.github.eft4j.examples.spark;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The job, as jars, on a cluster of processes of their own. */
class ClusterIT {
  /** {@code -Deft4j.rows=2000} runs longer. */
  private static final int ROWS = Integer.getInteger("eft4j.rows", 200);

  private static final int TASKS = 16;
  private static final Path BUILD = Path.of("target");
  @TempDir private Path directory;

  /** Lines of all parts that a job has written, in the order of their keys, which come first. */
  static List<String> sortedLines(Path output) throws IOException {
    try (Stream<Path> files = Files.list(output)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("part-"))
          .flatMap(
              file -> {
                try {
                  return Files.readAllLines(file).stream();
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .sorted()
          .toList();
    }
  }

  /** An archive of a model, as a job ships it. */
  private Path archive(String model) throws IOException {
    Path archive = directory.resolve(model + ".zip");
    try (OutputStream out = Files.newOutputStream(archive);
        ZipOutputStream zip = new ZipOutputStream(out);
        Stream<Path> files = Files.list(Prompts.MODELS.resolve(model))) {
      for (Path file : files.toList()) {
        zip.putNextEntry(new ZipEntry(file.getFileName().toString()));
        Files.copy(file, zip);
      }
    }
    return archive;
  }

  private void run(Path output, String small, String more) {
    StringWriter err = new StringWriter();
    int status =
        EftBatchJob.run(
            new PrintWriter(err),
            """
            --input %s --input-format json --output %s --output-format json --large %s --tuned %s
            --base %s --format chat --seed 3 --max-new-tokens 12 %s
            """
                .formatted(
                    directory.resolve("prompts.jsonl"),
                    output,
                    Prompts.model("large-base"),
                    small,
                    Prompts.model("small-base"),
                    more)
                .strip()
                .split("\\s+", -1));
    assertThat(status).withFailMessage(err::toString).isZero();
  }

  @Test
  void anExecutorThatIsKilledChangesNothing() throws Exception {
    StringBuilder prompts = new StringBuilder();
    List<String> questions = Prompts.questions(ROWS);
    for (int i = 0; i < ROWS; i++) {
      prompts.append("{\"key\":\"%06d\",\"prompt\":\"%s\"}\n".formatted(i, questions.get(i)));
    }
    Files.writeString(directory.resolve("prompts.jsonl"), prompts, UTF_8);
    List<ProcessHandle> killed = new CopyOnWriteArrayList<>();
    AtomicInteger lost = new AtomicInteger();
    Path onCluster = directory.resolve("on-cluster");
    List<ProcessHandle> all;
    try (LocalCluster cluster = new LocalCluster(ClusterCommand.sparkJars(BUILD), 2);
        SparkSession spark =
            cluster
                .session(ClusterCommand.jobJars(BUILD))
                .config("spark.archives", archive("small-tuned") + "#small-tuned")
                .config("spark.ui.enabled", false)
                .getOrCreate()) {
      AtomicInteger tasks = new AtomicInteger();
      AtomicBoolean first = new AtomicBoolean(true);
      spark
          .sparkContext()
          .addSparkListener(
              new SparkListener() {
                @Override
                public void onTaskEnd(SparkListenerTaskEnd end) {
                  if (end.taskInfo().successful()
                      && end.taskMetrics().outputMetrics().recordsWritten() > 0
                      && tasks.incrementAndGet() >= TASKS / 2
                      && first.getAndSet(false)) {
                    ProcessHandle executor = cluster.executors().getFirst();
                    killed.add(executor);
                    executor.destroyForcibly();
                  }
                }

                @Override
                public void onExecutorRemoved(SparkListenerExecutorRemoved executor) {
                  lost.incrementAndGet();
                }
              });
      run(onCluster, "small-tuned", "--threads 1 --partitions " + TASKS);
      assertThat(killed).hasSize(1).noneMatch(ProcessHandle::isAlive);
      assertThat(lost).hasPositiveValue();
      all = cluster.processes();
    }
    for (ProcessHandle process : all) {
      process.onExit().get(1, TimeUnit.SECONDS);
    }

    Path alone = directory.resolve("alone");
    try (SparkSession _ =
        SparkSession.builder()
            .master("local[1]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate()) {
      run(alone, Prompts.model("small-tuned"), "--partitions 3 --batch-size 5");
    }
    assertThat(sortedLines(onCluster)).hasSize(ROWS).isEqualTo(sortedLines(alone));
  }
}
