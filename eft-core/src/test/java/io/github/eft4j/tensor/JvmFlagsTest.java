package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user gets who forgets an option of the JVM. */
class JvmFlagsTest {
  /** Runs in a JVM of its own. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) {
      System.out.println(KernelProvider.widest().vectorBits() + " bits");
      try {
        KernelProvider.of(256);
      } catch (IllegalArgumentException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  @Test
  void withoutTheVectorApiItRunsAndSaysWhichFlagIsMissing(@TempDir Path directory)
      throws IOException, InterruptedException {
    assertThat(output(directory))
        .contains("0 bits")
        .contains("WARN")
        .contains("start java with --add-modules jdk.incubator.vector")
        .contains("vector width of 256 bits, but the Vector API is not available");
  }

  @Test
  void whereHalfOfAvx512IsUnusedItSaysWhichFlagUsesIt(@TempDir Path directory)
      throws IOException, InterruptedException {
    assumeTrue(Processors.hasAvx512(), "needs AVX-512");
    String module = "--add-modules=jdk.incubator.vector";
    assertThat(output(directory, module, "-XX:UseAVX=2"))
        .contains("256 bits")
        .contains("WARN")
        .contains("has registers of 512 bits, of which the JVM uses 256")
        .contains("-XX:UseAVX=3");
    assertThat(output(directory, module, "-XX:UseAVX=3"))
        .contains("512 bits")
        .doesNotContain("WARN ");
  }

  private static String output(Path directory, String... flags)
      throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(List.of(flags));
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(Program.class.getName());
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isZero();
    return Files.readString(output, StandardCharsets.UTF_8);
  }
}
