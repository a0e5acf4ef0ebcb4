package io.github.eft4j.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the launcher in a project of the same layout, whose classes are those under test and whose
 * Maven only notes that it was called.
 */
class LauncherTest {
  private static final int MINUTES = 5;
  private static final Path JDK = Path.of(System.getProperty("java.home"));

  @TempDir private Path directory;
  private Path project;
  private Path launcher;

  @BeforeEach
  void makeProject() throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "needs /bin/bash");
    project = directory.toRealPath().resolve("a project");
    Path examples = project.resolve("examples");
    for (String module : List.of("eft-core", "eft-models", "examples")) {
      Files.createDirectories(project.resolve(module).resolve("src/main"));
      Files.createDirectories(project.resolve(module).resolve("target"));
      Files.createFile(project.resolve(module).resolve("pom.xml"));
    }
    Files.createFile(project.resolve("pom.xml"));
    launcher = Files.copy(Path.of("eft"), examples.resolve("eft"));
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    Files.createSymbolicLink(examples.resolve("models"), Path.of("models").toAbsolutePath());

    Path tools = Files.createDirectory(project.resolve("tools"));
    // What Maven's build leaves behind, but with directories of classes in place of jars.
    List<String> classPath = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry);
      for (String module : List.of("eft-core", "eft-models")) {
        if (path.toString().contains(module + "/target/")) {
          path = project.resolve(module).resolve("target").resolve(path.getFileName());
          Files.createSymbolicLink(path, Path.of(entry));
        }
      }
      classPath.add(path.toString());
    }
    Files.writeString(project.resolve("class path"), String.join(File.pathSeparator, classPath));
    script(
        tools.resolve("mvn"),
        """
        cd '%s'
        echo "$*" >> 'maven calls'
        ln -sfn '%s' examples/target/eft-examples.jar
        cp 'class path' examples/target/eft.classpath
        : > examples/target/eft.aot
        echo noise; echo noise >&2
        """
            .formatted(project, Path.of("target/classes").toAbsolutePath()));
  }

  private static void script(Path file, String text) throws IOException {
    Files.writeString(file, "#!/bin/bash\n" + text);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private ProcessBuilder command(Path command, String... args) {
    List<String> words = new ArrayList<>(List.of(command.toString()));
    words.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(words).directory(directory.toFile());
    Map<String, String> environment = builder.environment();
    environment.put("JAVA_HOME", JDK.toString());
    environment.put("PATH", project.resolve("tools") + ":" + environment.get("PATH"));
    environment.keySet().removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
    return builder;
  }

  private EftRun run(ProcessBuilder builder) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
    return new EftRun(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  /** Processes in the background of a script ignore them, and so do their children. */
  private static boolean interruptsAreIgnored() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return false;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.split("\\s+", -1)[1], 16) & 2) != 0);
  }

  private List<String> mavenCalls() throws IOException {
    Path calls = project.resolve("maven calls");
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  @Test
  void buildsOnceAndAgainWhenSourcesChanged() throws IOException, InterruptedException {
    String model = Path.of("models/small-base").toAbsolutePath().toString();
    EftRun first = run(command(launcher, "inspect", "--json", model));
    assertThat(first.err()).isEmpty();
    assertThat(first.status()).isZero();
    assertThat(first.json().get("name").asText()).isEqualTo("small-base");
    assertThat(mavenCalls()).hasSize(1);
    assertThat(mavenCalls().getFirst()).contains("-pl examples -am").endsWith("package");

    Path link = Files.createSymbolicLink(directory.resolve("eft"), launcher);
    assertThat(run(command(link, "inspect", "--json", model))).isEqualTo(first);
    assertThat(mavenCalls()).hasSize(1);

    Path source = Files.createFile(project.resolve("eft-core/src/main/New.java"));
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(1)));
    assertThat(run(command(launcher, "inspect", "--json", model))).isEqualTo(first);
    assertThat(mavenCalls()).hasSize(2);
  }

  @Test
  void withoutACacheItTriesToMakeOne() throws IOException, InterruptedException {
    Path cache = project.resolve("examples/target/eft.aot");
    assertThat(run(command(launcher, "--help")).status()).isZero();
    Files.delete(cache);
    EftRun run = run(command(launcher, "--help"));
    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    // It stays empty here: there is none for directories of classes.
    assertThat(cache).isEmptyFile();
  }

  @Test
  void allOfAvx512IsUsed() throws IOException, InterruptedException {
    ProcessBuilder help = command(launcher, "--help");
    help.environment().put("EFT_JAVA_OPTIONS", "-XX:+PrintCommandLineFlags");
    EftRun run = run(help);
    assertThat(run.status()).isZero();
    Path features = Path.of("/proc/cpuinfo");
    boolean has = Files.exists(features) && Files.readString(features).contains(" avx512vl");
    assertThat((run.out() + run.err()).contains("-XX:UseAVX=3 ")).isEqualTo(has);
  }

  @Test
  void theDemoFindsItsModelsAndUnicodeSurvives() throws IOException, InterruptedException {
    ProcessBuilder demo = command(launcher, "demo", "Wie heißt 日本?", "--max-new-tokens", "3");
    demo.environment().keySet().removeAll(List.of("LC_ALL", "LC_CTYPE"));
    demo.environment().put("LANG", "C");
    EftRun run = run(demo);
    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.out()).startsWith("Wie heißt 日本?\n");
  }

  @Test
  void errorsAreOneLine() throws IOException, InterruptedException {
    EftRun run = run(command(launcher, "inspect", "nowhere"));
    assertThat(run).isEqualTo(new EftRun(2, "", "eft: nowhere does not exist\n"));
  }

  @Test
  void aFailedBuildShowsMavensOutput() throws IOException, InterruptedException {
    script(project.resolve("tools/mvn"), "echo 'cannot find symbol'; exit 1");
    EftRun run = run(command(launcher, "demo"));
    assertThat(run).isEqualTo(new EftRun(2, "", "cannot find symbol\neft: the build failed\n"));
  }

  @Test
  void namesTheJdksThatAreTooOld() throws IOException, InterruptedException {
    Path old = directory.resolve("old jdk");
    Files.createDirectories(old.resolve("bin"));
    script(old.resolve("bin/java"), "exit 1");
    Files.writeString(old.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"1.8.0_442\"\n");
    // Only what the launcher needs besides java, and no other place to look.
    Path tools = project.resolve("tools");
    for (String tool : List.of("readlink", "find", "cat", "mktemp", "mkdir")) {
      Path found =
          List.of("/usr/bin", "/bin").stream()
              .map(bin -> Path.of(bin, tool))
              .filter(Files::isExecutable)
              .findFirst()
              .orElseThrow();
      Files.createSymbolicLink(tools.resolve(tool), found);
    }
    String text = Files.readString(launcher);
    Files.writeString(launcher, text.replaceAll("(?<=[ \"])/(usr|opt|Library)/", "/nowhere/"));
    ProcessBuilder builder = command(Path.of("/bin/bash"), launcher.toString(), "demo");
    builder
        .environment()
        .putAll(Map.of("JAVA_HOME", old.toString(), "PATH", tools.toString(), "HOME", "/nowhere"));
    builder.environment().remove("JAVA25_HOME");
    assertThat(run(builder))
        .isEqualTo(
            new EftRun(
                2,
                "",
                "eft: needs a JDK 25 or newer, found 8 in %s; set JAVA_HOME\n".formatted(old)));
  }

  @Test
  void aStreamEndsWellWhenTheProcessIsAskedToEnd() throws IOException, InterruptedException {
    String model = Path.of("models/large-base").toAbsolutePath().toString();
    Path err = directory.resolve("err");
    Process process =
        command(launcher, "sample", "--model", model, "--ids", "0", "--ignore-eos")
            .redirectError(err.toFile())
            .start();
    try (var out = process.inputReader()) {
      int first = out.read();
      process.toHandle().destroy(); // process.destroy() would close the streams too
      assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
      assertThat((char) first + out.readAllAsString()).endsWith("\n");
    }
    assertThat(process.exitValue()).isEqualTo(143);
    assertThat(err).isEmptyFile();
  }

  @Test
  void anInterruptEndsAnAnswerButNotTheChat() throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/bin/kill")), "needs /bin/kill");
    assumeTrue(!interruptsAreIgnored(), "what runs this build ignores interrupts");
    // An answer that would go on for minutes.
    String endless = "--ignore-eos --max-new-tokens 100000 --context-length 100100 --model";
    String model = Path.of("models/large-base").toAbsolutePath().toString();
    Path err = directory.resolve("err");
    List<String> args = new ArrayList<>(List.of(("chat " + endless).split(" ", -1)));
    args.add(model);
    Process process =
        command(launcher, args.toArray(String[]::new)).redirectError(err.toFile()).start();
    try (var in = process.outputWriter();
        var out = process.inputReader()) {
      in.write("What is gold?\n");
      in.flush();
      assertThat(out.read()).isPositive();
      int killed =
          new ProcessBuilder("/bin/kill", "-INT", String.valueOf(process.pid())).start().waitFor();
      assertThat(killed).isZero();
      in.write("/exit\n");
      in.flush();
      assertThat(out.readAllAsString()).endsWith("\n");
      assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
    }
    assertThat(process.exitValue()).isZero();
    assertThat(err).isEmptyFile();
  }
}
