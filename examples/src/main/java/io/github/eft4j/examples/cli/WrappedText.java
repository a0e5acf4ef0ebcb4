package io.github.eft4j.examples.cli;

import io.github.eft4j.CompletionListener;
import java.io.PrintWriter;

/** Prints text that arrives in pieces as a column: lines broken between words, all indented. */
final class WrappedText implements CompletionListener {
  private final PrintWriter out;
  private final String indent;
  private final int columns;
  private final StringBuilder word = new StringBuilder();
  private int column;
  private boolean lineEnds;

  /**
   * Starts a column, at the place where its first word belongs.
   *
   * @param out where it is printed
   * @param indent the number of columns left of it
   * @param width the number of columns up to its right edge
   */
  WrappedText(PrintWriter out, int indent, int width) {
    this.out = out;
    this.indent = "\n" + " ".repeat(indent);
    this.columns = width - indent;
  }

  @Override
  public void onText(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isWhitespace(c)) {
        endWord();
        lineEnds |= c == '\n';
      } else {
        word.append(c);
      }
    }
    out.flush();
  }

  private void endWord() {
    if (word.isEmpty()) {
      return;
    }
    if (column > 0) {
      if (lineEnds || column + 1 + word.length() > columns) {
        out.print(indent);
        column = 0;
      } else {
        out.print(' ');
        column++;
      }
    }
    lineEnds = false;
    out.print(word);
    column += word.length();
    word.setLength(0);
  }

  /** Prints the last word and ends the line. */
  void end() {
    endWord();
    out.println();
    out.flush();
  }
}
