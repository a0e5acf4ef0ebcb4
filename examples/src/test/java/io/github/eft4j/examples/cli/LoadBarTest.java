package io.github.eft4j.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LoadBarTest {
  private static String shown(@Nullable Duration patience) {
    StringWriter out = new StringWriter();
    try (LoadBar bar = new LoadBar("large-base", new PrintWriter(out), patience)) {
      bar.loaded(0, 4L << 20);
      bar.loaded(1L << 20, 4L << 20);
      bar.loaded(4L << 20, 4L << 20);
    }
    return out.toString();
  }

  @Test
  void showsALongLoadAndClearsTheLine() {
    assertThat(shown(Duration.ZERO))
        .contains("\rlarge-base")
        .contains("4/4 MiB")
        .endsWith("\r" + " ".repeat(79) + "\r");
  }

  @Test
  void aShortLoadIsNotShown() {
    assertThat(shown(Duration.ofDays(1))).isEmpty();
  }

  @Test
  void nothingIsShownWithoutATerminal() {
    assertThat(shown(null)).isEmpty();
  }
}
