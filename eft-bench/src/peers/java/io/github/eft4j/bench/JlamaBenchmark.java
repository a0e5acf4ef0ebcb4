package io.github.eft4j.bench;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Jlama on models of the shapes of {@link DecodeBenchmark} and {@link PrefillBenchmark}. It reads
 * no GGUF files: F32 and BF16 are stored alike, and Q4 is its own kind of 4-bit weights (32 nibbles
 * and a float32 scale, 5 bits a weight) with 8-bit activations.
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
public class JlamaBenchmark {
  /** The shape of the model: 0.5B, 1.1B or 7B. */
  @Param("1.1B")
  public String shape = "";

  /** How the weights are stored. */
  @Param({"F32", "BF16"})
  public WeightType type = WeightType.F32;

  /** The number of threads; 0: one a core. */
  @Param("0")
  public int threads;

  private AbstractModel model;
  private KvBufferCache caches;
  private KvBufferCache.KvBuffer cache;
  private AbstractTensor<?, ?> logits;
  private int[] prompt;
  private int position;

  /** Tokens. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Tokens a second. */
    public long tokens;
  }

  /** Loads the model, and reads the prompt. */
  @Setup
  public void load() throws IOException {
    ModelShape sizes = ModelShape.named(shape);
    Path directory = new RandomCheckpoint(sizes, type).directory(RandomModel.directory());
    model =
        ModelSupport.loadModel(
            directory.toFile(),
            null,
            DType.F32,
            DType.F32,
            Optional.empty(),
            Optional.of(ModelFile.threadCount(threads)));
    caches = new KvBufferCache(model);
    cache = caches.getEphemeralKvBuffer();
    logits = model.makeDenseTensor(sizes.vocabulary());
    prompt = ModelFile.prompt(ModelFile.PROMPT_TOKENS, sizes.vocabulary());
    model.batchForward(prompt, 0, cache).close();
    position = prompt.length;
  }

  /** Frees the model. */
  @TearDown
  public void free() {
    cache.close();
    caches.close();
    logits.close();
    model.close();
  }

  /**
   * Decodes one token.
   *
   * @param counters counts the token
   * @return the token
   */
  @Benchmark
  public int decode(Counters counters) {
    if (position == ModelFile.PROMPT_TOKENS + ModelFile.NEW_TOKENS) {
      position = ModelFile.PROMPT_TOKENS;
    }
    counters.tokens++;
    int token = prompt[position % prompt.length];
    try (AbstractTensor<?, ?> hidden = model.forward(token, position++, cache, Optional.empty())) {
      return model.sample(hidden, 0, 0, logits);
    }
  }

  /**
   * Reads the prompt, and draws one token.
   *
   * @param counters counts the tokens of the prompt
   * @return the token
   */
  @Benchmark
  public int prefill(Counters counters) {
    counters.tokens += prompt.length;
    try (AbstractTensor<?, ?> hidden = model.batchForward(prompt, 0, cache);
        AbstractTensor<?, ?> last = hidden.slice(hidden.shape().first() - 1)) {
      return model.sample(last, 0, 0, logits);
    }
  }
}
