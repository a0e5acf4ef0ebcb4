package io.github.eft4j.examples.cli;

import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows how far something has come, if it takes long and somebody is looking. */
final class TerminalBar implements AutoCloseable {
  /** Set by the launcher when standard error is a terminal; Java itself cannot tell. */
  private static final String TERMINAL = "eft.terminal";

  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final int COLUMNS = 79;

  /** What is counted. */
  enum Unit {
    BYTES(" MiB", 1 << 20),
    PROMPTS(" prompts", 1),
    TENSORS(" tensors", 1);

    private final String name;
    private final long size;

    Unit(String name, long size) {
      this.name = name;
      this.size = size;
    }
  }

  private final String name;
  private final Unit unit;
  private final PrintWriter err;
  private final @Nullable Duration patience;
  private final long started = System.nanoTime();
  private @Nullable ProgressBar bar;

  /**
   * Makes a bar.
   *
   * @param name what is done
   * @param unit what is counted
   * @param err where it is shown
   * @param patience how long it may take before it is shown, or null never to show it
   */
  TerminalBar(String name, Unit unit, PrintWriter err, @Nullable Duration patience) {
    this.name = name;
    this.unit = unit;
    this.err = err;
    this.patience = patience;
  }

  static TerminalBar onTerminal(String name, Unit unit, PrintWriter err) {
    return new TerminalBar(name, unit, err, Boolean.getBoolean(TERMINAL) ? PATIENCE : null);
  }

  /**
   * Shows progress.
   *
   * @param done how much is done
   * @param total how much is to be done
   */
  void show(long done, long total) {
    if (bar == null
        && patience != null
        && System.nanoTime() - started >= patience.toNanos()
        && done < total) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(total)
              .setUnit(unit.name, unit.size)
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new DelegatingProgressBarConsumer(this::draw, COLUMNS))
              .build();
    }
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  /**
   * Prints something where the bar may be, which comes back below it.
   *
   * @param print prints whole lines
   */
  synchronized void makeRoom(Runnable print) {
    clear();
    print.run();
  }

  /** Called by the bar's own thread too. */
  private synchronized void draw(String line) {
    err.print("\r" + line);
    err.flush();
  }

  private void clear() {
    if (bar != null) {
      draw(" ".repeat(COLUMNS));
      draw("");
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
    clear();
  }
}
