package io.github.eft4j.tensor;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** What the machine offers. */
final class Processors {
  private static final Path LINUX = Path.of("/sys/devices/system/cpu");

  private Processors() {}

  /**
   * The number of physical cores that this process may use. Two threads of one core share its
   * arithmetic units, so kernels gain nothing from the second.
   *
   * @return the number of cores; where the system does not tell, of hardware threads
   */
  static int physicalCores() {
    int available = Runtime.getRuntime().availableProcessors();
    return Math.min(available, coresListedIn(LINUX, available));
  }

  /**
   * Counts the different sets of hardware threads that share a core.
   *
   * @param root the directory that holds {@code cpu0}, {@code cpu1} …
   * @param otherwise the result where nothing can be read
   * @return the number of cores
   */
  static int coresListedIn(Path root, int otherwise) {
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(root, "cpu[0-9]*")) {
      for (Path thread : threads) {
        cores.add(Files.readString(thread.resolve("topology/thread_siblings_list")).strip());
      }
    } catch (IOException e) {
      return otherwise; // another system, or a container that hides it
    }
    return cores.isEmpty() ? otherwise : cores.size();
  }
}
