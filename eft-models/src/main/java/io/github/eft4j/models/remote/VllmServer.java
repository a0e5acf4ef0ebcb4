package io.github.eft4j.models.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.LikeliestTokens;
import io.github.eft4j.models.remote.JsonClient.Answer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** vLLM's OpenAI-compatible server. */
final class VllmServer implements Server {
  private static final Pattern MAX_ALLOWED = Pattern.compile("max allowed: (\\d{1,9})");
  private static final String TOKEN_ID = "token_id:";

  private final JsonClient client;
  private final RemoteAddress address;
  private volatile String model;

  VllmServer(JsonClient client, RemoteAddress address) {
    this.client = client;
    this.address = address;
    this.model = address.model().orElse("");
  }

  @Override
  public String url() {
    return address.base();
  }

  /** The token that is sampled. */
  @Override
  public int reservedPositions() {
    return 1;
  }

  @Override
  public Identity identify(BooleanSupplier abandoned) {
    String url = address.base() + "/models";
    JsonNode models = client.get(url, abandoned).json().path("data");
    List<String> names =
        StreamSupport.stream(models.spliterator(), false).map(m -> m.path("id").asText()).toList();
    int index = model.isEmpty() && names.size() == 1 ? 0 : names.indexOf(model);
    if (index < 0) {
      throw new RemoteModelException(
          "%s serves %s: %s"
              .formatted(
                  address.base(),
                  names.stream().map(n -> "'" + n + "'").collect(Collectors.joining(", ")),
                  model.isEmpty()
                      ? "say which one, as " + address.base() + "#name"
                      : "'" + model + "' is not among them"));
    }
    model = names.get(index);
    return new Identity(
        model, Server.positive(models.get(index).path("max_model_len")), OptionalInt.empty());
  }

  private ObjectNode request(List<int[]> prompts, int count) {
    ObjectNode request = Server.object().put("model", model);
    ArrayNode array = request.putArray("prompt");
    prompts.forEach(p -> array.add(Server.array(p)));
    return request
        .put("max_tokens", 1)
        // The likeliest token is sampled, so that no other one is listed for being sampled. What
        // the server may have as its defaults would change its probabilities.
        .put("temperature", 0)
        .put("repetition_penalty", 1)
        .put("presence_penalty", 0)
        .put("frequency_penalty", 0)
        // Not -1 for all: the list is cut after this many.
        .put("logprobs", count)
        .put("return_tokens_as_token_ids", true);
  }

  @Override
  public int longestList(int vocabulary) {
    int count = vocabulary;
    while (true) {
      String url = address.base() + "/completions";
      Answer answer = client.post(url, request(List.of(new int[] {1}), count), WANTED);
      Matcher allowed = MAX_ALLOWED.matcher(answer.text());
      if (answer.status() == 400 && allowed.find()) {
        int most = Integer.parseInt(allowed.group(1));
        if (most < 1 || most >= count) {
          throw new RemoteModelException(
              "%s refuses a list of %d tokens: %s".formatted(url, count, answer.shown()));
        }
        count = most;
        continue;
      }
      lists(url, answer.json(), List.of(new int[] {1}), count, vocabulary);
      return count;
    }
  }

  @Override
  public Reply likeliest(
      List<int[]> prompts, int count, int vocabulary, BooleanSupplier abandoned) {
    String url = address.base() + "/completions";
    Answer answer = client.post(url, request(prompts, count), abandoned);
    return new Reply(lists(url, answer.json(), prompts, count, vocabulary), answer.attempts());
  }

  private List<LikeliestTokens> lists(
      String url, JsonNode answer, List<int[]> asked, int count, int vocabulary) {
    int prompts = asked.size();
    long tokens = asked.stream().mapToLong(prompt -> prompt.length).sum();
    long read = answer.path("usage").path("prompt_tokens").asLong(tokens);
    if (read != tokens) {
      throw new RemoteModelException(
          "%s read %d tokens of prompts that have %d".formatted(url, read, tokens));
    }
    String served = answer.path("model").asText(model);
    if (!served.equals(model)) {
      throw new RemoteModelException(
          "%s now serves model '%s', not '%s'".formatted(url, served, model));
    }
    JsonNode choices = answer.path("choices");
    if (choices.size() != prompts) {
      throw new RemoteModelException(
          "%s answered %d prompts with %d choices".formatted(url, prompts, choices.size()));
    }
    LikeliestTokens[] lists = new LikeliestTokens[prompts];
    for (JsonNode choice : choices) {
      int index = choice.path("index").asInt(-1);
      String where = "%s, prompt %d of %d".formatted(url, index + 1, prompts);
      if (index < 0 || index >= prompts || lists[index] != null) {
        throw new RemoteModelException(url + " answered with a wrong index of a choice: " + index);
      }
      TokenListBuilder list = new TokenListBuilder(where, count + 1);
      for (Map.Entry<String, JsonNode> token :
          choice.path("logprobs").path("top_logprobs").path(0).properties()) {
        list.add(tokenId(where, token.getKey()), token.getValue());
      }
      lists[index] = list.build(count, vocabulary);
    }
    return new ArrayList<>(Arrays.asList(lists));
  }

  private static int tokenId(String where, String key) {
    try {
      if (key.startsWith(TOKEN_ID)) {
        return Integer.parseInt(key, TOKEN_ID.length(), key.length(), 10);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new RemoteModelException(
        "%s: a token is given as '%s', not as %s<number>: the server does not know return_tokens_as_token_ids"
            .formatted(where, key, TOKEN_ID));
  }

  @Override
  public Optional<int[]> tokenize(String text) {
    ObjectNode request =
        Server.object().put("model", model).put("prompt", text).put("add_special_tokens", false);
    return Server.tokens(client.post(address.root() + "/tokenize", request, WANTED));
  }

  @Override
  public Optional<String> detokenize(int... ids) {
    ObjectNode request = Server.object().put("model", model);
    request.set("tokens", Server.array(ids));
    Answer answer = client.post(address.root() + "/detokenize", request, WANTED);
    return answer.isMissing()
        ? Optional.empty()
        : Optional.of(answer.json().path("prompt").asText());
  }
}
