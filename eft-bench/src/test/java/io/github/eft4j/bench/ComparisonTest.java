package io.github.eft4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
  @Test
  void comparesTheLibraryWithItself() throws Exception {
    String found =
        Comparison.compare(
            "-", "-", List.of("type=Q8_0", "rows=3", "shape=64x96", "megabytes=0"), 0, 1);

    assertThat(found)
        .startsWith("{megabytes=0, rows=3, shape=64x96, type=Q8_0} first ")
        .endsWith(", the same bits");
  }

  @Test
  void refusesUnknownParameters() {
    assertThatThrownBy(() -> Comparison.compare("-", "-", List.of("row=3"), 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("row=3 is no parameter, expected one of [type, rows,");
  }
}
