package io.github.eft4j.models.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.LikeliestTokens;
import io.github.eft4j.models.remote.JsonClient.Answer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The server of llama.cpp. */
final class LlamaCppServer implements Server {
  /** A plain letter, which the server is made to sample. */
  private static final String LETTER = "a";

  private static final double CERTAIN = 1e4;

  private final JsonClient client;
  private final RemoteAddress address;
  private volatile @Nullable String servedAs;
  private volatile int letter = -1;

  LlamaCppServer(JsonClient client, RemoteAddress address) {
    this.client = client;
    this.address = address;
  }

  @Override
  public String url() {
    return address.base();
  }

  /** The token that is sampled, and one more, else the server says that it truncated. */
  @Override
  public int reservedPositions() {
    return 2;
  }

  @Override
  public Identity identify(BooleanSupplier abandoned) {
    JsonNode model = Server.object();
    Answer models = client.get(address.base() + "/v1/models", abandoned);
    if (!models.isMissing()) {
      model = models.json().path("data").path(0);
    }
    JsonNode properties = Server.object();
    Answer props = client.get(address.base() + "/props", abandoned);
    if (!props.isMissing()) {
      properties = props.json();
    }
    String name = model.path("id").asText(properties.path("model_path").asText(""));
    if (address.model().isPresent() && !address.model().get().equals(name)) {
      throw new RemoteModelException(
          "%s serves '%s', not '%s'".formatted(address.base(), name, address.model().get()));
    }
    return new Identity(
        name.isEmpty() ? address.base() : name,
        Server.positive(properties.path("default_generation_settings").path("n_ctx")),
        Server.positive(model.path("meta").path("n_vocab")));
  }

  private ObjectNode request(List<int[]> prompts, int count) {
    ObjectNode request = Server.object();
    if (prompts.size() == 1) {
      request.set("prompt", Server.array(prompts.getFirst()));
    } else {
      ArrayNode array = request.putArray("prompt");
      prompts.forEach(p -> array.add(Server.array(p)));
    }
    request
        .put("n_predict", 1)
        .put("n_probs", count)
        .put("post_sampling_probs", false)
        .put("temperature", 0)
        .put("cache_prompt", true)
        .put("stream", false);
    if (letter >= 0) {
      // Probabilities are those before sampling, but the server keeps them back where it samples
      // a piece of a UTF-8 character: it would wait for the rest.
      request.putArray("logit_bias").addArray().add(letter).add(CERTAIN);
    }
    return request;
  }

  @Override
  public int longestList(int vocabulary) {
    tokenize(LETTER).filter(ids -> ids.length > 0).ifPresent(ids -> letter = ids[ids.length - 1]);
    String url = address.base() + "/completion";
    JsonNode answer = client.post(url, request(List.of(new int[] {1}), vocabulary), WANTED).json();
    servedAs = answer.path("model").asText("");
    int count = Math.min(vocabulary, tokens(url, answer).size());
    lists(url, answer, 1, count, vocabulary);
    return count;
  }

  @Override
  public Reply likeliest(
      List<int[]> prompts, int count, int vocabulary, BooleanSupplier abandoned) {
    String url = address.base() + "/completion";
    Answer answer = client.post(url, request(prompts, count), abandoned);
    return new Reply(
        lists(url, answer.json(), prompts.size(), count, vocabulary), answer.attempts());
  }

  private List<LikeliestTokens> lists(
      String url, JsonNode answer, int prompts, int count, int vocabulary) {
    List<JsonNode> results = new ArrayList<>();
    if (answer.isArray()) {
      answer.forEach(results::add);
    } else {
      results.add(answer);
    }
    if (results.size() != prompts) {
      throw new RemoteModelException(
          "%s answered %d prompts with %d results".formatted(url, prompts, results.size()));
    }
    LikeliestTokens[] lists = new LikeliestTokens[prompts];
    for (JsonNode result : results) {
      String served = result.path("model").asText("");
      if (!served.equals(servedAs)) {
        throw new RemoteModelException(
            "%s now serves model '%s', not '%s'".formatted(url, served, servedAs));
      }
      int index = prompts == 1 ? 0 : result.path("index").asInt(-1);
      if (index < 0 || index >= prompts || lists[index] != null) {
        throw new RemoteModelException(url + " answered with a wrong index of a result: " + index);
      }
      String where = "%s, prompt %d of %d".formatted(url, index + 1, prompts);
      if (result.path("truncated").asBoolean()) {
        throw new RemoteModelException(where + ": the server truncated the prompt");
      }
      TokenListBuilder list = new TokenListBuilder(where, count);
      for (JsonNode token : tokens(where, result)) {
        JsonNode id = token.path("id");
        if (!id.isInt()) {
          throw new RemoteModelException(
              where + ": a token has no id: the server is older than version b4279");
        }
        list.add(id.intValue(), token.path("logprob"));
      }
      lists[index] = list.build(count, vocabulary);
    }
    return new ArrayList<>(Arrays.asList(lists));
  }

  private static JsonNode tokens(String where, JsonNode result) {
    JsonNode tokens = result.path("completion_probabilities").path(0).path("top_logprobs");
    if (!tokens.isArray()) {
      throw new RemoteModelException(
          where + ": the answer has no completion_probabilities[0].top_logprobs");
    }
    return tokens;
  }

  @Override
  public Optional<int[]> tokenize(String text) {
    ObjectNode request =
        Server.object().put("content", text).put("add_special", false).put("parse_special", false);
    return Server.tokens(client.post(address.base() + "/tokenize", request, WANTED));
  }

  @Override
  public Optional<String> detokenize(int... ids) {
    ObjectNode request = Server.object();
    request.set("tokens", Server.array(ids));
    Answer answer = client.post(address.base() + "/detokenize", request, WANTED);
    return answer.isMissing()
        ? Optional.empty()
        : Optional.of(answer.json().path("content").asText());
  }
}
