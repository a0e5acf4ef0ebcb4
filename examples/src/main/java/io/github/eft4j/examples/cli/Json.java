package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;

/**
 * Prints JSON, one value a line. Numbers are written with the fewest digits that give the same
 * {@code float} or {@code double} when they are read again.
 */
final class Json {
  /** Writes a value. */
  @FunctionalInterface
  interface Value {
    void write(JsonGenerator json) throws IOException;
  }

  private Json() {}

  static void printLine(PrintWriter out, Value value) {
    try {
      JsonGenerator json =
          new JsonFactory().createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      value.write(json);
      json.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.println();
    out.flush();
  }
}
