package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user gets who forgets {@code --add-modules jdk.incubator.vector}. */
class WithoutVectorApiTest {
  /** Runs in a JVM of its own, without the module. */
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
  void itRunsAndSaysWhichFlagIsMissing(@TempDir Path directory)
      throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Program.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(Files.readString(output, StandardCharsets.UTF_8))
        .contains("0 bits")
        .contains("WARN")
        .contains("start java with --add-modules jdk.incubator.vector")
        .contains("vector width of 256 bits, but the Vector API is not available");
    assertThat(process.exitValue()).isZero();
  }
}
