package io.github.eft4j.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What the machine offers. */
final class Processors {
  private static final Path LINUX = Path.of("/sys/devices/system/cpu");
  private static final Path FEATURES = Path.of("/proc/cpuinfo");

  /** What HotSpot needs of AVX-512. */
  private static final List<String> AVX512 =
      List.of("avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl");

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

  /**
   * Whether this is an x86 processor with AVX-512, used by the JVM or not.
   *
   * @return whether; false where the system does not tell
   */
  static boolean hasAvx512() {
    return hasAvx512(FEATURES);
  }

  /**
   * Looks for AVX-512 among the features of a processor.
   *
   * @param features a file in the form of Linux's {@code /proc/cpuinfo}
   * @return whether it has all that HotSpot needs; false where the file cannot be read
   */
  static boolean hasAvx512(Path features) {
    try (Stream<String> lines = Files.lines(features)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .findFirst()
          .filter(line -> Arrays.asList(line.split("\\s+")).containsAll(AVX512))
          .isPresent();
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }
}
