package io.github.eft4j.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WrappedTextTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 100})
  void doesNotDependOnHowTheTextArrives(int pieceLength) {
    StringWriter out = new StringWriter();
    WrappedText column = new WrappedText(new PrintWriter(out), 2, 14);
    String text = " Of shoes  and ships\nand a-very-long-thing that does not fit\n";
    for (int i = 0; i < text.length(); i += pieceLength) {
      column.onText(text.substring(i, Math.min(i + pieceLength, text.length())));
    }
    column.end();
    assertThat(out.toString())
        .isEqualToNormalizingNewlines(
            """
            Of shoes and
              ships
              and
              a-very-long-thing
              that does
              not fit
            """);
  }
}
