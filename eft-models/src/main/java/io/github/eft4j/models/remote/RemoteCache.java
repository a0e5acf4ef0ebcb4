package io.github.eft4j.models.remote;

import io.github.eft4j.KeyValueCache;
import java.util.Arrays;

/** The tokens of a sequence, which the server is told anew with every request. */
final class RemoteCache implements KeyValueCache {
  private int[] tokens;
  private int length;

  RemoteCache() {
    this(new int[16], 0);
  }

  private RemoteCache(int[] tokens, int length) {
    this.tokens = tokens;
    this.length = length;
  }

  /** The first tokens. */
  int[] first(int count) {
    return Arrays.copyOf(tokens, count);
  }

  void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = token;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public void truncate(int length) {
    if (length < 0 || length > this.length) {
      throw new IllegalArgumentException(
          "cannot truncate a cache of %d tokens to %d".formatted(this.length, length));
    }
    this.length = length;
  }

  @Override
  public KeyValueCache fork() {
    return new RemoteCache(tokens.clone(), length);
  }

  @Override
  public long bytes() {
    return (long) Integer.BYTES * tokens.length;
  }

  @Override
  public void close() {}
}
