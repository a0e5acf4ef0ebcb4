package io.github.eft4j.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.Speculation;
import io.github.eft4j.bench.TableModel.Part;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.remote.RemoteOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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
 * Up-scaling with a large model behind HTTP, in vLLM's protocol, that is so many milliseconds away.
 * The models themselves take next to no time, and nine in ten drafted tokens are accepted. {@code
 * requests} a second over {@code tokens} a second are the round trips a token, {@code accepted}
 * over {@code checked} the acceptance.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 5)
@Measurement(iterations = 3, time = 10)
// Without it Java's own server waits for an acknowledgement in the middle of an answer, for 40 ms.
@Fork(value = 1, jvmArgsAppend = "-Dsun.net.httpserver.nodelay=true")
public class RemoteBenchmark {
  private static final int VOCABULARY = 1000;
  private static final int NEW_TOKENS = 64;
  private static final String NAME = "large";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** What all models have. */
  private static final Part COMMON = new Part(1, 5);

  private static final LanguageModel BASE = new TableModel("base", VOCABULARY, COMMON);
  private static final LanguageModel TUNED =
      new TableModel("tuned", VOCABULARY, COMMON, new Part(2, 0.5));

  /** What the small models have, and a difference that refuses one draft in ten. */
  private static final TableModel LARGE =
      new TableModel(NAME, VOCABULARY, COMMON, new Part(3, 0.27));

  /** The large model's tokens after each token, the likeliest first, made once. */
  private static final int[][] LIKELIEST =
      IntStream.range(0, VOCABULARY)
          .mapToObj(last -> likeliest(LARGE.logits(last)))
          .toArray(int[][]::new);

  private static final double[] LOG_Z =
      IntStream.range(0, VOCABULARY).mapToDouble(last -> logZ(LARGE.logits(last))).toArray();

  /** Milliseconds that every answer takes longer. */
  @Param({"0", "5", "20"})
  public int latency;

  /** Whether the small tuned model drafts. */
  @Param({"false", "true"})
  public boolean speculate;

  private final AtomicInteger requests = new AtomicInteger();
  private HttpServer server;
  private ExecutorService threads;
  private LanguageModel large;
  private EftSampler sampler;
  private int completions;

  /** What a second brought. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Counters {
    /** New tokens. */
    public int tokens;

    /** Requests to the server. */
    public int requests;

    /** Drafted tokens that were compared. */
    public int checked;

    /** Drafted tokens that were accepted. */
    public int accepted;
  }

  /**
   * Starts the server and connects to it.
   *
   * @throws IOException if there is no port
   */
  @Setup(Level.Trial)
  public void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    threads = Executors.newVirtualThreadPerTaskExecutor();
    server.setExecutor(threads);
    server.createContext("/", this::serve);
    server.start();
    large =
        LanguageModels.remote(
            "http://127.0.0.1:%d/v1#%s".formatted(server.getAddress().getPort(), NAME),
            TUNED,
            RemoteOptions.defaults().withNotices(_ -> {}));
    EftSampler.Builder builder =
        EftSampler.builder(LogitCombiner.upScale(large, TUNED, BASE)).maxNewTokens(NEW_TOKENS);
    if (speculate) {
      builder.speculation(Speculation.draftWith(TUNED));
    }
    sampler = builder.build();
  }

  /** Stops all of it. */
  @TearDown(Level.Trial)
  public void stop() {
    large.close();
    server.stop(0);
    threads.shutdownNow();
  }

  /**
   * Writes a completion.
   *
   * @param counters hears what it took
   * @return the completion
   */
  @Benchmark
  public Completion sample(Counters counters) {
    int before = requests.get();
    Completion completion =
        sampler.sample(
            SampleRequest.of(Prompt.ids(1, 2))
                .withOptions(sampler.options().toBuilder().seed(completions++).build()));
    counters.tokens += completion.tokenIds().size();
    counters.requests += requests.get() - before;
    counters.checked += completion.speculation().checked();
    counters.accepted += completion.speculation().accepted();
    return completion;
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      JsonNode request = MAPPER.readTree(exchange.getRequestBody().readAllBytes());
      ObjectNode answer = MAPPER.createObjectNode();
      if (exchange.getRequestURI().getPath().endsWith("/models")) {
        answer.putArray("data").addObject().put("id", NAME).put("max_model_len", 4096);
      } else {
        requests.incrementAndGet();
        answer.put("model", NAME);
        ArrayNode choices = answer.putArray("choices");
        for (JsonNode prompt : request.get("prompt")) {
          list(
              choices.addObject().put("index", choices.size() - 1),
              prompt,
              request.get("logprobs").intValue());
        }
        TimeUnit.MILLISECONDS.sleep(latency);
      }
      byte[] body = MAPPER.writeValueAsBytes(answer);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void list(ObjectNode choice, JsonNode prompt, int count) {
    int last = prompt.get(prompt.size() - 1).intValue();
    ObjectNode top = choice.putObject("logprobs").putArray("top_logprobs").addObject();
    for (int i = 0; i < count; i++) {
      int id = LIKELIEST[last][i];
      top.put("token_id:" + id, LARGE.logits(last)[id] - LOG_Z[last]);
    }
  }

  private static int[] likeliest(float[] logits) {
    return IntStream.range(0, logits.length)
        .boxed()
        .sorted(Comparator.comparingDouble(id -> -logits[id]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static double logZ(float[] logits) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    return Math.log(sum);
  }
}
