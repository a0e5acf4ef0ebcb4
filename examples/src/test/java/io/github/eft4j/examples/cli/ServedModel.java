package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.tensor.NativeArrays;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Serves a model of the examples as vLLM does, without the texts of its tokens. */
final class ServedModel implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final LanguageModel model;
  private final HttpServer server;
  private final int maxLogprobs;
  private final AtomicInteger answersLeft = new AtomicInteger(Integer.MAX_VALUE);

  ServedModel(String name, int maxLogprobs) throws IOException {
    model = LanguageModels.load(Path.of(EftRun.model(name)));
    this.maxLogprobs = Math.min(maxLogprobs, model.vocabularySize());
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::handle);
    server.start();
  }

  String address() {
    return "http://127.0.0.1:%d/v1#%s".formatted(server.getAddress().getPort(), model.name());
  }

  /** Fails after so many answers. */
  void failAfter(int answers) {
    answersLeft.set(answers);
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      JsonNode request = MAPPER.readTree(exchange.getRequestBody().readAllBytes());
      ObjectNode answer = MAPPER.createObjectNode().put("model", model.name());
      int status = 200;
      if (exchange.getRequestURI().getPath().equals("/v1/models")) {
        answer.putArray("data").addObject().put("id", model.name()).put("max_model_len", 256);
      } else if (!exchange.getRequestURI().getPath().equals("/v1/completions")) {
        status = 404;
      } else if (request.get("logprobs").intValue() > maxLogprobs) {
        status = 400;
        answer.put("message", "greater than max allowed: " + maxLogprobs);
      } else if (answersLeft.getAndDecrement() <= 0) {
        status = 400;
        answer.put("message", "out of order");
      } else {
        ArrayNode choices = answer.putArray("choices");
        for (JsonNode prompt : request.get("prompt")) {
          ObjectNode choice = choices.addObject().put("index", choices.size() - 1);
          list(
              choice.putObject("logprobs").putArray("top_logprobs").addObject(),
              IntStream.range(0, prompt.size()).map(i -> prompt.get(i).intValue()).toArray(),
              request.get("logprobs").intValue());
        }
      }
      byte[] body = MAPPER.writeValueAsBytes(answer);
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private void list(ObjectNode top, int[] prompt, int count) {
    INDArray logits = Nd4j.create(DataType.FLOAT, 1, model.vocabularySize());
    try (KeyValueCache cache = model.newCache()) {
      model.forward(ForwardBatch.last(cache, prompt), logits);
    }
    MemorySegment memory = NativeArrays.floats(logits);
    double[] row = new double[model.vocabularySize()];
    double sum = 0;
    for (int id = 0; id < row.length; id++) {
      row[id] = memory.getAtIndex(ValueLayout.JAVA_FLOAT, id);
      sum += Math.exp(row[id]);
    }
    logits.close();
    double logZ = Math.log(sum);
    IntStream.range(0, row.length)
        .boxed()
        .sorted(Comparator.comparingDouble(id -> -row[id]))
        .limit(count)
        .forEach(id -> top.put("token_id:" + id, row[id] - logZ));
  }

  @Override
  public void close() {
    server.stop(0);
    model.close();
  }
}
