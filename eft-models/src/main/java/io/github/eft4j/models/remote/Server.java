package io.github.eft4j.models.remote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.LikeliestTokens;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/** A server, in the words of its protocol. Safe for use by many threads. */
interface Server {
  /** The answer is wanted whatever happens. */
  BooleanSupplier WANTED = () -> false;

  /**
   * What a server says of its model.
   *
   * @param name the model's name
   * @param contextLength the number of positions, for prompt and new tokens together
   * @param vocabularySize the number of ids
   */
  record Identity(String name, OptionalInt contextLength, OptionalInt vocabularySize) {}

  /** Asks which model is served. */
  Identity identify(BooleanSupplier abandoned);

  /**
   * Finds how long lists the server gives.
   *
   * @param vocabulary the length that would be best
   * @return the greatest length that it gives, at most {@code vocabulary}
   */
  int longestList(int vocabulary);

  /**
   * Asks for the tokens that follow prompts, in one request.
   *
   * @param prompts token ids
   * @param count how many of the likeliest
   * @param vocabulary the number of ids
   * @param abandoned whether nobody waits any more
   */
  Reply likeliest(List<int[]> prompts, int count, int vocabulary, BooleanSupplier abandoned);

  /**
   * The lists that follow prompts.
   *
   * @param lists one for each prompt
   * @param attempts how often the request was made
   */
  record Reply(List<LikeliestTokens> lists, int attempts) {}

  /** Splits a text without special tokens; empty if the server does not do that. */
  Optional<int[]> tokenize(String text);

  /** Joins tokens; empty if the server does not do that. */
  Optional<String> detokenize(int... ids);

  /** How many positions of its context a server wants left behind a prompt. */
  int reservedPositions();

  /** The URL that the server's requests go to. */
  String url();

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static ArrayNode array(int[] ids) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode(ids.length);
    Arrays.stream(ids).forEach(array::add);
    return array;
  }

  static Optional<int[]> tokens(JsonClient.Answer answer) {
    if (answer.isMissing()) {
      return Optional.empty();
    }
    JsonNode tokens = answer.json().path("tokens");
    int[] ids = new int[tokens.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = tokens.get(i).asInt(-1);
    }
    return Optional.of(ids);
  }

  static OptionalInt positive(JsonNode number) {
    return number.isInt() && number.intValue() > 0
        ? OptionalInt.of(number.intValue())
        : OptionalInt.empty();
  }
}
