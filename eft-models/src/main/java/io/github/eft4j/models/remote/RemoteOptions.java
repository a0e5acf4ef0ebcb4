package io.github.eft4j.models.remote;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/**
 * How to use a model that is served elsewhere.
 *
 * @param firstList how many of the likeliest tokens to ask for at first; a server that gives fewer
 *     is asked for as many as it gives
 * @param contextLength the greatest number of positions of a sequence, at most what the server has,
 *     or empty for as many as that
 * @param bearerToken is sent to the server as authorization, and told to nobody else
 * @param connectTimeout how long connecting may take
 * @param requestTimeout how long the answer to a request may take, from first to last byte
 * @param attempts how often a request is made in all, where the connection is lost or the server is
 *     overloaded or failing
 * @param backoff how long to wait before the second attempt, on average; twice as long before the
 *     third, and so on, unless the server says
 * @param notices hears in one sentence each what could not be checked about the server
 */
public record RemoteOptions(
    int firstList,
    OptionalInt contextLength,
    Optional<String> bearerToken,
    Duration connectTimeout,
    Duration requestTimeout,
    int attempts,
    Duration backoff,
    Consumer<String> notices) {
  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public RemoteOptions {
    if (firstList < 1) {
      throw new IllegalArgumentException("firstList is " + firstList + ", expected at least 1");
    }
    if (contextLength.isPresent() && contextLength.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "context length is " + contextLength.getAsInt() + ", expected a positive number");
    }
    if (attempts < 1) {
      throw new IllegalArgumentException("attempts is " + attempts + ", expected at least 1");
    }
    requirePositive("connectTimeout", connectTimeout);
    requirePositive("requestTimeout", requestTimeout);
    requirePositive("backoff", backoff);
    bearerToken.ifPresent(RemoteOptions::checkToken);
    Objects.requireNonNull(notices);
  }

  private static void requirePositive(String option, Duration value) {
    if (!value.isPositive()) {
      throw new IllegalArgumentException(option + " is " + value + ", expected above zero");
    }
  }

  private static void checkToken(String token) {
    if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
      throw new IllegalArgumentException(
          "the bearer token is empty or has a character that is not visible ASCII");
    }
  }

  /**
   * Lists of 100 tokens, no token of authorization, 10 seconds to connect, 2 minutes for an answer,
   * 4 attempts with 250 ms before the second, and notices in the log.
   *
   * @return the options
   */
  public static RemoteOptions defaults() {
    return new RemoteOptions(
        100,
        OptionalInt.empty(),
        Optional.empty(),
        Duration.ofSeconds(10),
        Duration.ofMinutes(2),
        4,
        Duration.ofMillis(250),
        LoggerFactory.getLogger(RemoteOptions.class)::warn);
  }

  /**
   * The same options with another length of lists.
   *
   * @param firstList how many of the likeliest tokens to ask for at first
   * @return the options
   * @throws IllegalArgumentException if it is not positive
   */
  public RemoteOptions withFirstList(int firstList) {
    return new RemoteOptions(
        firstList,
        contextLength,
        bearerToken,
        connectTimeout,
        requestTimeout,
        attempts,
        backoff,
        notices);
  }

  /**
   * The same options with another context length.
   *
   * @param contextLength the greatest number of positions of a sequence
   * @return the options
   * @throws IllegalArgumentException if it is not positive
   */
  public RemoteOptions withContextLength(int contextLength) {
    return new RemoteOptions(
        firstList,
        OptionalInt.of(contextLength),
        bearerToken,
        connectTimeout,
        requestTimeout,
        attempts,
        backoff,
        notices);
  }

  /**
   * The same options with a token of authorization.
   *
   * @param token the token
   * @return the options
   * @throws IllegalArgumentException if it is empty or not visible ASCII
   */
  public RemoteOptions withBearerToken(String token) {
    return new RemoteOptions(
        firstList,
        contextLength,
        Optional.of(token),
        connectTimeout,
        requestTimeout,
        attempts,
        backoff,
        notices);
  }

  /**
   * The same options with the token of authorization that an environment variable holds.
   *
   * @param variable the name of the variable
   * @return the options
   * @throws IllegalArgumentException if the variable is not set, or is empty or not visible ASCII
   */
  public RemoteOptions withBearerTokenFrom(String variable) {
    String token = System.getenv(variable);
    if (token == null) {
      throw new IllegalArgumentException("the environment variable " + variable + " is not set");
    }
    return withBearerToken(token);
  }

  /**
   * The same options with other times.
   *
   * @param connectTimeout how long connecting may take
   * @param requestTimeout how long the answer to a request may take
   * @return the options
   * @throws IllegalArgumentException if one is not positive
   */
  public RemoteOptions withTimeouts(Duration connectTimeout, Duration requestTimeout) {
    return new RemoteOptions(
        firstList,
        contextLength,
        bearerToken,
        connectTimeout,
        requestTimeout,
        attempts,
        backoff,
        notices);
  }

  /**
   * The same options with another number of attempts.
   *
   * @param attempts how often a request is made in all
   * @param backoff how long to wait before the second attempt, on average
   * @return the options
   * @throws IllegalArgumentException if one is not positive
   */
  public RemoteOptions withAttempts(int attempts, Duration backoff) {
    return new RemoteOptions(
        firstList,
        contextLength,
        bearerToken,
        connectTimeout,
        requestTimeout,
        attempts,
        backoff,
        notices);
  }

  /**
   * The same options with another listener.
   *
   * @param notices hears what could not be checked about the server
   * @return the options
   */
  public RemoteOptions withNotices(Consumer<String> notices) {
    return new RemoteOptions(
        firstList,
        contextLength,
        bearerToken,
        connectTimeout,
        requestTimeout,
        attempts,
        backoff,
        notices);
  }

  /** The options without the token. */
  @Override
  public String toString() {
    return "RemoteOptions[firstList=%d, contextLength=%s, bearerToken=%s, connectTimeout=%s, requestTimeout=%s, attempts=%d, backoff=%s]"
        .formatted(
            firstList,
            contextLength.isPresent() ? contextLength.getAsInt() : "the server's",
            bearerToken.isPresent() ? "set" : "none",
            connectTimeout,
            requestTimeout,
            attempts,
            backoff);
  }
}
