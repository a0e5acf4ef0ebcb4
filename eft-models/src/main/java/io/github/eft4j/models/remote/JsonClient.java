package io.github.eft4j.models.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Sends JSON over HTTP, and tries again where that may help. Safe for use by many threads. */
final class JsonClient implements AutoCloseable {
  static final JsonMapper MAPPER =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  /** How often a waiting thread looks whether its answer is still wanted. */
  private static final Duration POLL = Duration.ofMillis(20);

  /** A server that wants a longer pause than this is as good as down. */
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

  private static final int SHOWN_CHARACTERS = 300;

  private final RemoteOptions options;
  private final HttpClient http;

  JsonClient(boolean encrypted, RemoteOptions options) {
    this.options = options;
    this.http =
        HttpClient.newBuilder()
            // Over plain HTTP the client would ask for an upgrade, at which some servers lose the
            // body of the request (https://github.com/Kludex/uvicorn/issues/2722).
            .version(encrypted ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1)
            .connectTimeout(options.connectTimeout())
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  /**
   * A server's answer.
   *
   * @param status the HTTP status
   * @param text the body
   * @param attempts how often the request was made
   */
  record Answer(String url, int status, String text, int attempts) {
    boolean isOk() {
      return status == 200;
    }

    /** Whether the server does not have what was asked for. */
    boolean isMissing() {
      return status == 404 || status == 405 || status == 501;
    }

    /** The body of an answer that has to be right. */
    JsonNode json() {
      if (!isOk()) {
        throw new RemoteModelException(
            "%s answered with status %d: %s".formatted(url, status, shown()));
      }
      try {
        JsonNode node = MAPPER.readTree(text);
        if (!node.isContainerNode()) {
          throw new RemoteModelException(url + " answered what is no JSON object: " + shown());
        }
        return node;
      } catch (JsonProcessingException e) {
        throw new RemoteModelException(url + " answered what is not JSON: " + shown(), e);
      }
    }

    String shown() {
      String line = text.strip().replaceAll("\\s+", " ");
      return line.isEmpty()
          ? "(nothing)"
          : line.length() > SHOWN_CHARACTERS ? line.substring(0, SHOWN_CHARACTERS) + "…" : line;
    }
  }

  Answer get(String url, BooleanSupplier abandoned) {
    return send(url, HttpRequest.newBuilder(URI.create(url)).GET(), abandoned);
  }

  Answer post(String url, JsonNode body, BooleanSupplier abandoned) {
    return send(
        url,
        HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body.toString())),
        abandoned);
  }

  /**
   * Makes a request until it is answered.
   *
   * @return an answer whose status is no reason to try again
   * @throws RemoteModelException if all attempts fail
   * @throws CancellationException if nobody waits for the answer any more
   */
  private Answer send(String url, HttpRequest.Builder request, BooleanSupplier abandoned) {
    request.timeout(options.requestTimeout()).header("Accept", "application/json");
    options.bearerToken().ifPresent(t -> request.header("Authorization", "Bearer " + t));
    HttpRequest ready = request.build();
    for (int attempt = 1; ; attempt++) {
      String failure;
      Throwable cause = null;
      Duration pause = backoff(attempt);
      try {
        HttpResponse<byte[]> response = await(url, ready, abandoned);
        Answer answer =
            new Answer(
                url,
                response.statusCode(),
                withoutToken(new String(response.body(), StandardCharsets.UTF_8)),
                attempt);
        if ((answer.status != 429 && answer.status < 500) || answer.isMissing()) {
          return answer;
        }
        failure = "answered with status %d: %s".formatted(answer.status, answer.shown());
        Duration wanted = retryAfter(response);
        if (wanted != null) {
          pause = wanted;
        }
      } catch (TimeoutException e) {
        failure = "gave no answer within " + options.requestTimeout();
        cause = e;
      } catch (IOException e) {
        failure = "cannot be reached: " + reason(e);
        cause = e;
      }
      String times = attempt == 1 ? "" : " (%d attempts)".formatted(attempt);
      if (attempt >= options.attempts()) {
        throw failed(url + " " + failure + times, cause);
      }
      if (pause.compareTo(LONGEST_PAUSE) > 0) {
        throw failed(
            "%s %s; it asks for a pause of %d s".formatted(url, failure, pause.toSeconds()), cause);
      }
      sleep(url, pause, abandoned);
    }
  }

  private static RemoteModelException failed(String message, @Nullable Throwable cause) {
    return cause == null
        ? new RemoteModelException(message)
        : new RemoteModelException(message, cause);
  }

  /** Half to one and a half of the average pause, so that clients do not come all at once. */
  private Duration backoff(int attempt) {
    double factor = Math.scalb(0.5 + ThreadLocalRandom.current().nextDouble(), attempt - 1);
    return Duration.ofNanos((long) (factor * options.backoff().toNanos()));
  }

  private static @Nullable Duration retryAfter(HttpResponse<?> response) {
    String value = response.headers().firstValue("Retry-After").orElse("").strip();
    try {
      if (value.matches("\\d{1,9}")) {
        return Duration.ofSeconds(Long.parseLong(value));
      }
      Duration until =
          Duration.between(
              ZonedDateTime.now(ZoneOffset.UTC),
              ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME));
      return until.isNegative() ? Duration.ZERO : until;
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  /** Waits for one answer, and closes the connection if it is not wanted any more. */
  private HttpResponse<byte[]> await(String url, HttpRequest request, BooleanSupplier abandoned)
      throws IOException, TimeoutException {
    CompletableFuture<HttpResponse<byte[]>> future =
        http.sendAsync(request, BodyHandlers.ofByteArray());
    long start = System.nanoTime();
    boolean done = false;
    try {
      while (true) {
        try {
          HttpResponse<byte[]> response = future.get(POLL.toNanos(), TimeUnit.NANOSECONDS);
          done = true;
          return response;
        } catch (TimeoutException e) {
          checkWanted(url, abandoned);
          if (System.nanoTime() - start > options.requestTimeout().toNanos()) {
            throw e;
          }
        }
      }
    } catch (ExecutionException e) {
      done = true;
      switch (e.getCause()) {
        case HttpConnectTimeoutException timeout -> throw timeout;
        case HttpTimeoutException timeout ->
            throw (TimeoutException) new TimeoutException(timeout.getMessage()).initCause(timeout);
        case IOException io -> throw io;
        case null, default -> throw new RemoteModelException(url + ": " + reason(e), e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RemoteModelException("interrupted while waiting for " + url, e);
    } finally {
      if (!done) {
        future.cancel(true);
      }
    }
  }

  private static void sleep(String url, Duration pause, BooleanSupplier abandoned) {
    long end = System.nanoTime() + pause.toNanos();
    try {
      long left = pause.toNanos();
      while (left > 0) {
        checkWanted(url, abandoned);
        TimeUnit.NANOSECONDS.sleep(Math.min(left, POLL.toNanos()));
        left = end - System.nanoTime();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RemoteModelException("interrupted while waiting for " + url, e);
    }
  }

  private static void checkWanted(String url, BooleanSupplier abandoned) {
    if (abandoned.getAsBoolean()) {
      throw new CancellationException("the answer of " + url + " is not wanted any more");
    }
  }

  /** A server might quote the request's headers. */
  private String withoutToken(String text) {
    return options.bearerToken().map(token -> text.replace(token, "***")).orElse(text);
  }

  private static String reason(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t.getMessage() != null) {
        return t.getMessage();
      }
    }
    return failure.getClass().getSimpleName();
  }

  /** Ends calls that are under way, and closes all connections. */
  @Override
  public void close() {
    http.shutdownNow();
    try {
      http.awaitTermination(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
