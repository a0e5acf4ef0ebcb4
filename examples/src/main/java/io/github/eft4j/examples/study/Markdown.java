package io.github.eft4j.examples.study;

/** A page of Markdown, as it grows. */
final class Markdown {
  private final StringBuilder text = new StringBuilder();

  void line(String line) {
    text.append(line).append('\n');
  }

  /** A row of a table. */
  void row(String... cells) {
    line("| " + String.join(" | ", cells) + " |");
  }

  /** Begins a table. */
  void header(String... cells) {
    line("");
    row(cells);
    line("|" + "---|".repeat(cells.length));
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
