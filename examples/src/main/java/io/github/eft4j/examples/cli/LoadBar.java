package io.github.eft4j.examples.cli;

import io.github.eft4j.models.LoadProgress;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows how far a load has come, if it takes long and somebody is looking. */
final class LoadBar implements LoadProgress, AutoCloseable {
  /** Set by the launcher when standard error is a terminal; Java itself cannot tell. */
  private static final String TERMINAL = "eft.terminal";

  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final int COLUMNS = 79;
  private static final long MEBIBYTE = 1 << 20;

  private final String name;
  private final PrintWriter err;
  private final @Nullable Duration patience;
  private final long started = System.nanoTime();
  private @Nullable ProgressBar bar;

  /**
   * Makes a bar.
   *
   * @param name what is loaded
   * @param err where it is shown
   * @param patience how long a load may take before it is shown, or null never to show it
   */
  LoadBar(String name, PrintWriter err, @Nullable Duration patience) {
    this.name = name;
    this.err = err;
    this.patience = patience;
  }

  static LoadBar onTerminal(String name, PrintWriter err) {
    return new LoadBar(name, err, Boolean.getBoolean(TERMINAL) ? PATIENCE : null);
  }

  @Override
  public void loaded(long bytes, long totalBytes) {
    if (bar == null
        && patience != null
        && System.nanoTime() - started >= patience.toNanos()
        && bytes < totalBytes) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(totalBytes)
              .setUnit(" MiB", MEBIBYTE)
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new DelegatingProgressBarConsumer(this::draw, COLUMNS))
              .build();
    }
    if (bar != null) {
      bar.stepTo(bytes);
    }
  }

  private void draw(String line) {
    err.print("\r" + line);
    err.flush();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      draw(" ".repeat(COLUMNS));
      draw("");
    }
  }
}
