package io.github.eft4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class QuickstartTest {
  private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  @Test
  void printsWhatTheReadmeShows() throws IOException {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream standard = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Quickstart.main(new String[] {"models", "What is the capital of Finland?"});
    } finally {
      System.setOut(standard);
    }
    assertThat(Files.readString(Path.of("../README.md")))
        .contains(
            "examples/models \"What is the capital of Finland?\"\n"
                + printed.toString(StandardCharsets.UTF_8)
                + "```");
  }

  @Test
  void isTheReadmesProgram() throws IOException {
    List<String> blocks =
        JAVA_BLOCK
            .matcher(Files.readString(Path.of("../README.md")))
            .results()
            .map((MatchResult m) -> m.group(1))
            .toList();
    String source =
        Files.readString(Path.of("src/main/java/io/github/eft4j/examples/Quickstart.java"));
    assertThat(blocks).containsExactly(source.replaceFirst("^package .*;\n\n", ""));
  }
}
