package io.github.eft4j.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** How fast all cores together read memory: no decoding step can be faster than its weights. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class MemoryBandwidth {
  private static final long BYTES = 2L << 30;

  private final Arena arena = Arena.ofShared();
  private final int threads = Runtime.getRuntime().availableProcessors();
  private MemorySegment memory = MemorySegment.NULL;

  /** Bytes read. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Bytes a second. */
    public long bytes;
  }

  /** Touches the memory, far larger than any cache. */
  @Setup
  public void fill() {
    memory = arena.allocate(BYTES, 64).fill((byte) 1);
  }

  /** Frees the memory. */
  @TearDown
  public void free() {
    arena.close();
  }

  /**
   * Reads all of it once.
   *
   * @param counters counts the bytes
   * @return a sum of what was read
   */
  @Benchmark
  public double read(Counters counters) {
    long part = BYTES / threads / Limits.STEP * Limits.STEP;
    counters.bytes += part * threads;
    return IntStream.range(0, threads)
        .parallel()
        .mapToDouble(t -> Limits.sum(memory, t * part, (t + 1) * part))
        .sum();
  }
}
