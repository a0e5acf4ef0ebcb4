package io.github.eft4j.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TerminalBarTest {
  private static String shown(@Nullable Duration patience) {
    StringWriter out = new StringWriter();
    try (TerminalBar bar =
        new TerminalBar("large-base", TerminalBar.Unit.BYTES, new PrintWriter(out), patience)) {
      bar.show(0, 4L << 20);
      bar.show(1L << 20, 4L << 20);
      bar.show(4L << 20, 4L << 20);
    }
    return out.toString();
  }

  @Test
  void showsWhatTakesLongAndClearsTheLine() {
    assertThat(shown(Duration.ZERO))
        .contains("\rlarge-base")
        .contains("4/4 MiB")
        .endsWith("\r" + " ".repeat(79) + "\r");
  }

  @Test
  void whatIsShortIsNotShown() {
    assertThat(shown(Duration.ofDays(1))).isEmpty();
  }

  @Test
  void nothingIsShownWithoutATerminal() {
    assertThat(shown(null)).isEmpty();
  }

  @Test
  void makesRoomForWhatIsPrinted() {
    StringWriter out = new StringWriter();
    try (TerminalBar bar =
        new TerminalBar(
            "prompts.txt", TerminalBar.Unit.PROMPTS, new PrintWriter(out), Duration.ZERO)) {
      bar.show(1, 2);
      bar.makeRoom(() -> out.append("a completion\n"));
      bar.show(2, 2);
    }
    assertThat(out.toString())
        .contains("\r" + " ".repeat(79) + "\ra completion\n")
        .contains("2/2 prompts");
  }
}
