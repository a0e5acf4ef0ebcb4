package io.github.eft4j.bench;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import java.io.IOException;
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
 * java-llama.cpp on the files of {@link DecodeBenchmark} and {@link PrefillBenchmark}. Its unit of
 * work is a request; both kinds of requests draw greedily.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 5)
@Measurement(iterations = 5, time = 5)
@Fork(
    value = 1,
    jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class LlamaCppBenchmark {
  private LlamaModel model;
  private String prompt;

  /** Tokens. */
  @State(Scope.Thread)
  @AuxCounters
  public static class Counters {
    /** Tokens a second. */
    public long tokens;
  }

  /**
   * Loads the model, and finds a text of as many tokens as the prompt.
   *
   * @param file which model
   */
  @Setup
  public void load(ModelFile file) throws IOException {
    LlamaModel.setLogger(LogFormat.TEXT, (_, _) -> {});
    model =
        new LlamaModel(
            new ModelParameters()
                .setModel(file.path().toString())
                .setThreads(file.threadCount())
                .setThreadsBatch(file.threadCount())
                .setCtxSize(2 * (ModelFile.PROMPT_TOKENS + ModelFile.NEW_TOKENS))
                .setGpuLayers(0)
                .disableLog());
    StringBuilder text = new StringBuilder();
    // A request adds the token that begins a text.
    while (model.encode(text.toString()).length < ModelFile.PROMPT_TOKENS - 1) {
      text.append((char) ('a' + text.length() % 23));
    }
    prompt = text.toString();
  }

  /** Frees the model. */
  @TearDown
  public void free() {
    model.close();
  }

  /**
   * Decodes tokens behind the prompt, which the cache still holds from the previous request.
   *
   * @param counters counts the tokens
   * @return the text
   */
  @Benchmark
  public String decode(Counters counters) {
    counters.tokens += ModelFile.NEW_TOKENS;
    return model.complete(request().setNPredict(ModelFile.NEW_TOKENS).setCachePrompt(true));
  }

  /**
   * Reads the prompt, and draws one token.
   *
   * @param counters counts the tokens of the prompt
   * @return the text
   */
  @Benchmark
  public String prefill(Counters counters) {
    counters.tokens += ModelFile.PROMPT_TOKENS;
    return model.complete(request().setNPredict(1).setCachePrompt(false));
  }

  private InferenceParameters request() {
    return new InferenceParameters(prompt).setTemperature(0).setIgnoreEos(true);
  }
}
