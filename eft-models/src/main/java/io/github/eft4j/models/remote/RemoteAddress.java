package io.github.eft4j.models.remote;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;

/**
 * Where a model is served.
 *
 * @param kind which protocol the server speaks
 * @param base what the paths of requests are appended to, without a slash at the end
 * @param model the name of the model, where a server has several
 */
record RemoteAddress(Kind kind, String base, Optional<String> model) {
  private static final String LLAMA_CPP = "llamacpp:";

  /** A protocol. */
  enum Kind {
    VLLM,
    LLAMA_CPP
  }

  static boolean isAddress(String text) {
    return text.startsWith("http://") || text.startsWith("https://") || text.startsWith(LLAMA_CPP);
  }

  static RemoteAddress parse(String text) {
    Kind kind = text.startsWith(LLAMA_CPP) ? Kind.LLAMA_CPP : Kind.VLLM;
    String url = kind == Kind.LLAMA_CPP ? text.substring(LLAMA_CPP.length()) : text;
    URI uri;
    try {
      uri = new URI(url);
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(
          "the address of a model is not a URL: " + e.getReason() + " at character " + e.getIndex(),
          e);
    }
    if (uri.getUserInfo() != null) {
      throw new IllegalArgumentException(
          "the address of a model on " + uri.getHost() + " holds credentials: give a bearer token");
    }
    if (uri.getHost() == null || !(url.startsWith("http://") || url.startsWith("https://"))) {
      throw new IllegalArgumentException(
          "'%s' is not the address of a served model: expected http://host:port/v1#name for vLLM or llamacpp:http://host:port for the llama.cpp server"
              .formatted(text));
    }
    if (uri.getQuery() != null) {
      throw new IllegalArgumentException("the address '" + text + "' has a query");
    }
    String base = url.replaceFirst("#.*", "").replaceFirst("/+$", "");
    return new RemoteAddress(
        kind, base, Optional.ofNullable(uri.getFragment()).filter(name -> !name.isEmpty()));
  }

  /** The server itself, without the version of the protocol. */
  String root() {
    return base.replaceFirst("/v1$", "");
  }
}
