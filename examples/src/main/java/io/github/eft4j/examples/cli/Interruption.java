package io.github.eft4j.examples.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Notices that the process is asked to end, by an interrupt from the keyboard for instance, and
 * gives work in progress the time to end well: {@link #close} is when it has ended.
 */
final class Interruption implements AutoCloseable {
  /** A token of a large model may take long; whoever interrupts does not want to wait for it. */
  private static final int GRACE_SECONDS = 3;

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Thread hook = new Thread(this::awaitEnd, "interruption");
  private volatile boolean requested;

  private Interruption() {}

  static Interruption watch() {
    Interruption interruption = new Interruption();
    Runtime.getRuntime().addShutdownHook(interruption.hook);
    return interruption;
  }

  private void awaitEnd() {
    requested = true;
    try {
      boolean _ = ended.await(GRACE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  boolean requested() {
    return requested;
  }

  @Override
  public void close() {
    ended.countDown();
    if (!requested) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The process began to end just now: the hook finds the latch open.
      }
    }
  }
}
