package io.github.eft4j.models.transformer;

import io.github.eft4j.KeyValueCache;
import io.github.eft4j.tensor.KeyValueStore;
import java.util.concurrent.atomic.AtomicBoolean;

/** One sequence of a {@link TransformerModel}. */
final class TransformerCache implements KeyValueCache {
  private final TransformerModel<?> model;
  private final KeyValueStore store;
  private final AtomicBoolean inUse = new AtomicBoolean();
  private int length;
  private boolean closed;

  TransformerCache(TransformerModel<?> model, KeyValueStore store, int length) {
    this.model = model;
    this.store = store;
    this.length = length;
  }

  TransformerModel<?> model() {
    return model;
  }

  KeyValueStore store() {
    return store;
  }

  /**
   * Claims the cache for one forward pass: memory that two passes write to, or that is freed
   * meanwhile, would take the process down.
   *
   * @return false if it is in use already
   */
  boolean acquire() {
    return inUse.compareAndSet(false, true);
  }

  void release() {
    inUse.set(false);
  }

  boolean isClosed() {
    return closed;
  }

  /** Counts tokens that the model has read. */
  void advance(int tokens) {
    length += tokens;
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public void truncate(int newLength) {
    acquireOpen();
    try {
      if (newLength < 0 || newLength > length) {
        throw new IllegalArgumentException(
            "cannot truncate a cache of %d tokens to %d".formatted(length, newLength));
      }
      length = newLength;
    } finally {
      release();
    }
  }

  @Override
  public KeyValueCache fork() {
    acquireOpen();
    try {
      return new TransformerCache(model, store.copy(length), length);
    } finally {
      release();
    }
  }

  @Override
  public long bytes() {
    return store.bytes();
  }

  @Override
  public void close() {
    acquireOrThrow();
    try {
      closed = true;
      store.close();
    } finally {
      release();
    }
  }

  private void acquireOpen() {
    acquireOrThrow();
    if (closed) {
      release();
      throw new IllegalStateException("a cache of model " + model.name() + " was closed");
    }
  }

  private void acquireOrThrow() {
    if (!acquire()) {
      throw new IllegalStateException(
          "a cache of model " + model.name() + " is in use by another thread");
    }
  }
}
