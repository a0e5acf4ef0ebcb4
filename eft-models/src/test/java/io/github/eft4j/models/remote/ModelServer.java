package io.github.eft4j.models.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.tensor.NativeArrays;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Serves a model as vLLM and as the server of llama.cpp do, as far as they are asked. */
final class ModelServer implements AutoCloseable {
  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /** vLLM's {@code --max-logprobs}. */
  volatile int maxLogprobs = Integer.MAX_VALUE;

  volatile int context = 64;
  volatile String name = "served";
  volatile String requiredToken = "";
  volatile boolean knowsTexts = true;

  /** How many requests for probabilities came, and for how many prompts in all. */
  final AtomicInteger requests = new AtomicInteger();

  final AtomicInteger prompts = new AtomicInteger();

  ModelServer(LanguageModel model, Tokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  String root() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  String vllm() {
    return root() + "/v1#" + name;
  }

  String llamaCpp() {
    return "llamacpp:" + root();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      JsonNode request = body.length == 0 ? Server.object() : JsonClient.MAPPER.readTree(body);
      int status = 200;
      JsonNode answer;
      String authorization = exchange.getRequestHeaders().getFirst("Authorization");
      try {
        if (!requiredToken.isEmpty() && !("Bearer " + requiredToken).equals(authorization)) {
          throw new Refused(401, "Unauthorized: " + authorization);
        }
        answer =
            switch (exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath()) {
              case "GET /v1/models" -> models();
              case "GET /props" -> properties();
              case "POST /v1/completions" -> completions(request);
              case "POST /completion" -> completion(request);
              case "POST /tokenize" -> tokenize(request);
              case "POST /detokenize" -> detokenize(request);
              default -> throw new Refused(404, "Not Found");
            };
      } catch (Refused e) {
        status = e.status;
        answer = Server.object();
        ((ObjectNode) answer).putObject("error").put("message", e.getMessage());
      }
      byte[] bytes = answer.toString().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  /** An answer that is an error. */
  private static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;
    private final int status;

    Refused(int status, String message) {
      super(message);
      this.status = status;
    }
  }

  private JsonNode models() {
    ObjectNode answer = Server.object();
    ObjectNode entry = answer.putArray("data").addObject();
    entry.put("id", name).put("object", "model").put("max_model_len", context);
    entry.putObject("meta").put("n_vocab", model.vocabularySize()).put("n_ctx_train", context);
    return answer;
  }

  private JsonNode properties() {
    ObjectNode answer = Server.object();
    answer.putObject("default_generation_settings").put("n_ctx", context);
    return answer.put("model_path", name).put("total_slots", 1);
  }

  private JsonNode tokenize(JsonNode request) {
    String text = request.path("prompt").asText(request.path("content").asText());
    ObjectNode answer = Server.object();
    answer.set("tokens", Server.array(tokenizer.encode(text, false)));
    return answer;
  }

  private JsonNode detokenize(JsonNode request) {
    if (!knowsTexts) {
      throw new Refused(404, "Not Found");
    }
    String text = tokenizer.decode(ids(request.path("tokens")), false);
    return Server.object().put("prompt", text).put("content", text);
  }

  private static int[] ids(JsonNode array) {
    return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
  }

  private List<int[]> prompts(JsonNode prompt) {
    List<int[]> all = new ArrayList<>();
    if (prompt.path(0).isArray()) {
      prompt.forEach(p -> all.add(ids(p)));
    } else {
      all.add(ids(prompt));
    }
    requests.incrementAndGet();
    prompts.addAndGet(all.size());
    for (int[] p : all) {
      if (p.length + 1 > context) {
        throw new Refused(400, "the prompt has " + p.length + " tokens, the context " + context);
      }
    }
    return all;
  }

  private JsonNode completions(JsonNode request) {
    if (!request.path("model").asText().equals(name)) {
      throw new Refused(
          404, "The model `%s` does not exist.".formatted(request.path("model").asText()));
    }
    int count = request.path("logprobs").intValue();
    if (count > Math.min(maxLogprobs, model.vocabularySize())) {
      throw new Refused(
          400,
          "Requested sample logprobs of %d, which is greater than max allowed: %d"
              .formatted(count, Math.min(maxLogprobs, model.vocabularySize())));
    }
    ObjectNode answer = Server.object().put("object", "text_completion").put("model", name);
    ArrayNode choices = answer.putArray("choices");
    for (int[] prompt : prompts(request.path("prompt"))) {
      double[] row = logProbabilities(prompt);
      ObjectNode choice = choices.addObject().put("index", choices.size() - 1).put("text", "x");
      ObjectNode top = choice.putObject("logprobs").putArray("top_logprobs").addObject();
      for (int id : likeliest(row, count)) {
        top.put("token_id:" + id, Math.max(row[id], -9999.0));
      }
      choice.put("finish_reason", "length");
    }
    return answer;
  }

  private JsonNode completion(JsonNode request) {
    ArrayNode answers = JsonClient.MAPPER.createArrayNode();
    for (int[] prompt : prompts(request.path("prompt"))) {
      double[] row = logProbabilities(prompt);
      ObjectNode answer = answers.addObject().put("index", answers.size() - 1).put("content", "a");
      answer.put("model", name).put("truncated", prompt.length + 1 >= context);
      ObjectNode token = answer.putArray("completion_probabilities").addObject();
      ArrayNode top = token.put("token", "a").putArray("top_logprobs");
      for (int id : likeliest(row, request.path("n_probs").intValue())) {
        top.addObject().put("id", id).put("token", "t").put("logprob", (float) row[id]);
      }
    }
    return answers.size() == 1 ? answers.get(0) : answers;
  }

  private static int[] likeliest(double[] row, int count) {
    return IntStream.range(0, row.length)
        .boxed()
        .sorted(Comparator.comparingDouble(id -> -row[id]))
        .limit(count)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private double[] logProbabilities(int[] prompt) {
    INDArray logits = Nd4j.create(DataType.FLOAT, 1, model.vocabularySize());
    try (KeyValueCache cache = model.newCache()) {
      model.forward(ForwardBatch.last(cache, prompt), logits);
    }
    MemorySegment memory = NativeArrays.floats(logits);
    double[] row = new double[model.vocabularySize()];
    double max = Double.NEGATIVE_INFINITY;
    for (int id = 0; id < row.length; id++) {
      row[id] = memory.getAtIndex(ValueLayout.JAVA_FLOAT, id);
      max = Math.max(max, row[id]);
    }
    logits.close();
    double sum = 0;
    for (double logit : row) {
      sum += Math.exp(logit - max);
    }
    for (int id = 0; id < row.length; id++) {
      row[id] -= max + Math.log(sum);
    }
    return row;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
