package io.github.eft4j.models.remote;

import io.github.eft4j.ChatTemplate;
import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LikeliestTokens;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.TruncatedLanguageModel;
import io.github.eft4j.models.remote.Server.Identity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * A model that is served elsewhere. One pass is one request: all tokens before each row of logits,
 * of which the server has most in its prefix cache.
 */
final class RemoteModel implements TruncatedLanguageModel {
  private final JsonClient client;
  private final Server server;
  private final Identity identity;
  private final RemoteVocabulary vocabulary;
  private final int vocabularySize;
  private final int contextLength;
  private final int longestList;
  private final int firstList;
  private final AtomicBoolean closed = new AtomicBoolean();

  RemoteModel(
      JsonClient client,
      Server server,
      Identity identity,
      RemoteVocabulary vocabulary,
      int vocabularySize,
      int contextLength,
      int longestList,
      RemoteOptions options) {
    this.client = client;
    this.server = server;
    this.identity = identity;
    this.vocabulary = vocabulary;
    this.vocabularySize = vocabularySize;
    this.contextLength = contextLength;
    this.longestList = longestList;
    this.firstList = Math.min(options.firstList(), longestList);
  }

  @Override
  public String name() {
    return identity.name();
  }

  @Override
  public int vocabularySize() {
    return vocabularySize;
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public Set<Integer> endOfTextIds() {
    return vocabulary.endOfTextIds();
  }

  @Override
  public Optional<Tokenizer> tokenizer() {
    return vocabulary.tokenizer();
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return vocabulary.chatTemplate();
  }

  @Override
  public KeyValueCache newCache() {
    return new RemoteCache();
  }

  @Override
  public int firstList() {
    return firstList;
  }

  @Override
  public int longestList() {
    return longestList;
  }

  @Override
  public List<LikeliestTokens> forward(ForwardBatch batch, int count, BooleanSupplier abandoned) {
    List<int[]> prompts = new ArrayList<>();
    List<RemoteCache> read = new ArrayList<>();
    for (int s = 0; s < batch.sequences(); s++) {
      if (!(batch.cache(s) instanceof RemoteCache cache)) {
        throw new IllegalArgumentException("a cache in the batch stems from another model");
      }
      RemoteCache all = (RemoteCache) cache.fork();
      for (int row = batch.start(s); row < batch.end(s); row++) {
        int token = batch.token(row);
        if (token < 0 || token >= vocabularySize) {
          throw new IllegalArgumentException(
              "token id %d is outside the vocabulary of model %s, which has %d ids"
                  .formatted(token, name(), vocabularySize));
        }
        all.append(token);
        if (row >= batch.end(s) - batch.logitRows(s)) {
          prompts.add(all.first(all.length()));
        }
      }
      if (all.length() > contextLength()) {
        throw new IllegalArgumentException(
            "a sequence of %d tokens is longer than the context of model %s, which holds %d"
                .formatted(all.length(), name(), contextLength()));
      }
      read.add(all);
    }
    List<LikeliestTokens> lists = prompts.isEmpty() ? List.of() : ask(prompts, count, abandoned);
    for (int s = 0; s < read.size(); s++) {
      RemoteCache cache = (RemoteCache) batch.cache(s);
      for (int row = batch.start(s); row < batch.end(s); row++) {
        cache.append(batch.token(row));
      }
    }
    return lists;
  }

  @Override
  public LikeliestTokens likeliest(
      KeyValueCache cache, int length, int count, BooleanSupplier abandoned) {
    return ask(List.of(((RemoteCache) cache).first(length)), count, abandoned).getFirst();
  }

  private List<LikeliestTokens> ask(List<int[]> prompts, int count, BooleanSupplier abandoned) {
    if (closed.get()) {
      throw new IllegalStateException("model " + name() + " was closed");
    }
    Server.Reply reply = server.likeliest(prompts, count, vocabularySize, abandoned);
    if (reply.attempts() > 1) {
      requireSameModel(abandoned);
    }
    return reply.lists();
  }

  /** A server that failed may have been restarted, with another model. */
  private void requireSameModel(BooleanSupplier abandoned) {
    Identity now = server.identify(abandoned);
    if (!now.equals(identity)) {
      throw new RemoteModelException(
          "%s was restarted with another model: it was %s, and is %s"
              .formatted(server.url(), describe(identity), describe(now)));
    }
  }

  private static String describe(Identity identity) {
    return "'%s' (context %s, %s ids)"
        .formatted(
            identity.name(),
            identity.contextLength().isPresent() ? identity.contextLength().getAsInt() : "unknown",
            identity.vocabularySize().isPresent()
                ? identity.vocabularySize().getAsInt()
                : "unknown");
  }

  @Override
  public String toString() {
    return name() + " at " + server.url();
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      client.close();
      vocabulary.release().run();
    }
  }
}
