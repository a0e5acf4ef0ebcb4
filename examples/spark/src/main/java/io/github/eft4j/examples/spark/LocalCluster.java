package io.github.eft4j.examples.spark;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.launcher.JavaModuleOptions;
import org.apache.spark.sql.SparkSession;

/**
 * Spark's standalone cluster on this machine: a master and workers as processes of their own, whose
 * executors are processes again. Everything is in a temporary directory and on the loopback
 * interface, and gone when the cluster is closed or this process ends.
 */
final class LocalCluster implements AutoCloseable {
  private static final String HOST = "127.0.0.1";
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Duration FAREWELL = Duration.ofSeconds(10);
  private static final long POLL_MILLIS = 50;
  private static final Pattern MASTER_URL =
      Pattern.compile("Starting Spark master at (spark://\\S+)");
  private static final Pattern REGISTERED = Pattern.compile("Successfully registered with master ");

  private final Path directory;
  private final List<Process> processes = new ArrayList<>();
  private final Thread atExit = new Thread(this::stop);
  private final int workers;
  private final String master;

  /**
   * Starts a cluster and waits until its workers are there.
   *
   * @param sparkJars the jars of Spark
   * @param workers the number of workers, each with one core
   * @throws IOException if a process cannot be started
   * @throws InterruptedException if this thread is interrupted
   */
  LocalCluster(List<Path> sparkJars, int workers) throws IOException, InterruptedException {
    this.workers = workers;
    directory = Files.createTempDirectory("eft4j-spark-");
    Runtime.getRuntime().addShutdownHook(atExit);
    try {
      // What Spark takes for an installation of itself.
      Path jars = Files.createDirectories(home().resolve("jars"));
      for (Path jar : sparkJars) {
        Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar.toAbsolutePath());
      }
      Files.createDirectory(home().resolve("conf"));
      Files.createFile(home().resolve("RELEASE"));
      Path log = start("master", "org.apache.spark.deploy.master.Master");
      master = await(log, MASTER_URL).group(1);
      List<Path> logs = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        logs.add(
            start(
                "worker-" + i,
                "org.apache.spark.deploy.worker.Worker",
                "--cores",
                "1",
                "--memory",
                "1g",
                "--work-dir",
                directory.resolve("work-" + i).toString(),
                master));
      }
      for (Path workerLog : logs) {
        await(workerLog, REGISTERED);
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      close();
      throw e;
    }
  }

  private Path home() {
    return directory.resolve("spark");
  }

  private Path start(String name, String mainClass, String... args) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-cp"));
    command.add(home().resolve("conf") + File.pathSeparator + home().resolve("jars") + "/*");
    command.addAll(List.of(mainClass, "--host", HOST, "--port", "0", "--webui-port", "0"));
    command.addAll(List.of(args));
    Path log = directory.resolve(name + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().keySet().removeIf(key -> key.startsWith("SPARK_"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("SPARK_HOME", home().toString());
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("SPARK_LOCAL_IP", HOST);
    builder.environment().put("SPARK_LOCAL_DIRS", directory.resolve("scratch").toString());
    builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
    processes.add(builder.start());
    return log;
  }

  private Matcher await(Path log, Pattern line) throws IOException, InterruptedException {
    Process process = processes.getLast();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      boolean alive = process.isAlive();
      String text = Files.readString(log, ISO_8859_1);
      Matcher matcher = line.matcher(text);
      if (matcher.find()) {
        return matcher;
      }
      if (!alive || System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "%s, expected '%s' in its log:%n%s"
                .formatted(
                    alive ? "waited for " + PATIENCE : "a process of the cluster has ended",
                    line,
                    text));
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /**
   * Starts an application on all cores of the cluster.
   *
   * @param jars the jars of the job
   * @return a builder of its session
   */
  SparkSession.Builder session(List<Path> jars) {
    return SparkSession.builder()
        .appName("eft4j")
        .master(master)
        .config("spark.jars", String.join(",", jars.stream().map(Path::toString).toList()))
        .config("spark.driver.host", HOST)
        .config("spark.driver.bindAddress", HOST)
        .config("spark.executor.cores", 1)
        .config("spark.executor.memory", "1g")
        .config("spark.executor.extraJavaOptions", "-XX:+UseSerialGC -Dai.djl.offline=true")
        // Begins when every worker has its executor.
        .config("spark.scheduler.minRegisteredResourcesRatio", 1)
        .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "60s")
        .config("spark.cores.max", workers);
  }

  /** The executors that run now. */
  List<ProcessHandle> executors() {
    return processes.stream().flatMap(Process::children).toList();
  }

  /** All processes that run now. */
  List<ProcessHandle> processes() {
    return processes.stream()
        .flatMap(p -> Stream.concat(p.descendants(), Stream.of(p.toHandle())))
        .toList();
  }

  /** Ends all processes and deletes what they wrote. */
  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      return; // this process is ending: the hook runs
    }
    stop();
  }

  private void stop() {
    List<ProcessHandle> all = processes.stream().map(Process::toHandle).toList();
    end(all.subList(0, Math.min(1, all.size()))); // first the master, which starts executors anew
    List<ProcessHandle> executors = executors();
    end(all);
    end(executors);
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void end(List<ProcessHandle> processes) {
    processes.forEach(ProcessHandle::destroy);
    for (ProcessHandle process : processes) {
      process
          .onExit()
          .completeOnTimeout(process, FAREWELL.toSeconds(), TimeUnit.SECONDS)
          .thenAccept(ProcessHandle::destroyForcibly)
          .join();
      process.onExit().join();
    }
  }
}
