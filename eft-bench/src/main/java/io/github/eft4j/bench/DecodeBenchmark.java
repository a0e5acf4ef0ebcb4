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
 * One token at a time, behind a prompt of {@value ModelFile#PROMPT_TOKENS}. Compare the bytes a
 * second with {@link MemoryBandwidth} of the same run.
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
public class DecodeBenchmark {
  private final ForwardBatch batch = new ForwardBatch();
  private final int[] token = new int[1];
  private KeyValueCache cache;

  /** Tokens and weights. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Tokens a second. */
    public long tokens;

    /** Bytes of weights a second. */
    public long bytes;
  }

  /**
   * Reads the prompt.
   *
   * @param loaded the model
   */
  @Setup
  public void readPrompt(LoadedModel loaded) {
    cache = loaded.model.newCache();
    loaded.model.forward(ForwardBatch.last(cache, loaded.prompt), loaded.logits);
  }

  /** Frees the cache. */
  @TearDown
  public void free() {
    cache.close();
  }

  /**
   * Decodes one token.
   *
   * @param loaded the model
   * @param counters counts the token
   */
  @Benchmark
  public void decode(LoadedModel loaded, Counters counters) {
    if (cache.length() == ModelFile.PROMPT_TOKENS + ModelFile.NEW_TOKENS) {
      cache.truncate(ModelFile.PROMPT_TOKENS);
    }
    token[0] = loaded.prompt[cache.length() % ModelFile.PROMPT_TOKENS];
    loaded.model.forward(batch.clear().add(cache, token, 0, 1, 1), loaded.logits);
    counters.tokens++;
    counters.bytes += loaded.size.bytes();
  }
}
