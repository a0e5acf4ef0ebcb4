package io.github.eft4j.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** How many fused multiply-adds one core makes: no product of matrices can be faster. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--add-modules=jdk.incubator.vector")
public class FmaPeak {
  private static final int STEPS = 100_000;

  /** Multiply-adds done. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Multiply-adds a second. */
    public long multiplyAdds;
  }

  /**
   * Works in registers alone.
   *
   * @param counters counts the multiply-adds
   * @return something that depends on them
   */
  @Benchmark
  public float registers(Counters counters) {
    counters.multiplyAdds += (long) STEPS * Limits.MULTIPLY_ADDS;
    return Limits.multiplyAdd(STEPS);
  }
}
