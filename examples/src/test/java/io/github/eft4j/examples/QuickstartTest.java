package io.github.eft4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class QuickstartTest {
  private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

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
