package io.github.eft4j.bench;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import java.util.concurrent.TimeUnit;
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

/**
 * A prompt of {@value ModelFile#PROMPT_TOKENS} tokens, read at once. Compare the multiply-adds a
 * second with {@link FmaPeak} of the same run times the threads.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      "--sun-misc-unsafe-memory-access=allow"
    })
public class PrefillBenchmark {
  private final ForwardBatch batch = new ForwardBatch();
  private KeyValueCache cache;

  /** Tokens and weights. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Tokens a second. */
    public long tokens;

    /** Bytes of weights a second, each read once a prompt. */
    public long bytes;

    /** Multiply-adds of the linear layers a second. */
    public long multiplyAdds;
  }

  /**
   * Makes the cache.
   *
   * @param loaded the model
   */
  @Setup
  public void makeCache(LoadedModel loaded) {
    cache = loaded.model.newCache();
  }

  /** Frees the cache. */
  @TearDown
  public void free() {
    cache.close();
  }

  /**
   * Reads the prompt; the logits of its last token alone are wanted.
   *
   * @param loaded the model
   * @param counters counts the tokens
   */
  @Benchmark
  public void prefill(LoadedModel loaded, Counters counters) {
    int tokens = loaded.prompt.length;
    cache.truncate(0);
    loaded.model.forward(batch.clear().add(cache, loaded.prompt, 0, tokens, 1), loaded.logits);
    counters.tokens += tokens;
    counters.bytes += loaded.size.bytes();
    counters.multiplyAdds +=
        tokens * (loaded.size.weights() - loaded.size.headWeights()) + loaded.size.headWeights();
  }
}
