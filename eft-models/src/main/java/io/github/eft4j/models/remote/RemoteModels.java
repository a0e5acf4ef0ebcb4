package io.github.eft4j.models.remote;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.remote.Server.Identity;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Connects to models that are served elsewhere. */
public final class RemoteModels {
  private RemoteModels() {}

  /**
   * Whether a text is the address of a served model rather than a path.
   *
   * @param text what a user gave
   * @return whether it begins as an address does
   */
  public static boolean isAddress(String text) {
    return RemoteAddress.isAddress(text);
  }

  /**
   * Connects to a model, and checks that it is the one that is meant.
   *
   * @param address where it is served
   * @param vocabulary what is known of its tokens; released when the model is closed, or if this
   *     fails
   * @param options how to use it
   * @return the model, to be closed by the caller
   * @throws IllegalArgumentException if the address is none
   * @throws RemoteModelException if the server cannot be reached, or serves another model or other
   *     tokens
   */
  public static LanguageModel connect(
      String address, RemoteVocabulary vocabulary, RemoteOptions options) {
    try {
      RemoteAddress where = RemoteAddress.parse(address);
      JsonClient client = new JsonClient(where.base().startsWith("https:"), options);
      try {
        return connect(where, client, vocabulary, options);
      } catch (RuntimeException | Error e) {
        client.close();
        throw e;
      }
    } catch (RuntimeException | Error e) {
      vocabulary.release().run();
      throw e;
    }
  }

  private static LanguageModel connect(
      RemoteAddress where, JsonClient client, RemoteVocabulary vocabulary, RemoteOptions options) {
    Server server =
        switch (where.kind()) {
          case VLLM -> new VllmServer(client, where);
          case LLAMA_CPP -> new LlamaCppServer(client, where);
        };
    Identity identity = server.identify(Server.WANTED);
    Consumer<String> notices = options.notices();
    int size = vocabularySize(where, identity, vocabulary.size(), notices);
    int contextLength = contextLength(server, identity, options);
    int longest = server.longestList(size);
    vocabulary
        .tokenizer()
        .ifPresentOrElse(
            tokenizer -> new VocabularyProbe(server, tokenizer, notices).run(size),
            () ->
                notices.accept(
                    "no tokenizer is known for %s: its tokens could not be checked"
                        .formatted(where.base())));
    return new RemoteModel(
        client, server, identity, vocabulary, size, contextLength, longest, options);
  }

  private static int contextLength(Server server, Identity identity, RemoteOptions options) {
    if (identity.contextLength().isEmpty()) {
      options.notices().accept(server.url() + " does not say how long its context is");
    }
    int most = identity.contextLength().orElse(Integer.MAX_VALUE) - server.reservedPositions();
    int wanted = options.contextLength().orElse(most);
    if (wanted > most) {
      throw new IllegalArgumentException(
          "context length is %d, but that of %s is %d".formatted(wanted, server.url(), most));
    }
    return wanted;
  }

  private static int vocabularySize(
      RemoteAddress where, Identity identity, OptionalInt known, Consumer<String> notices) {
    if (identity.vocabularySize().isPresent()) {
      return identity.vocabularySize().getAsInt();
    }
    notices.accept(where.base() + " does not say how many token ids it has");
    return known.orElseThrow(
        () ->
            new IllegalArgumentException(
                "%s does not say how many token ids it has: give a model or files here with the same tokens"
                    .formatted(where.base())));
  }
}
