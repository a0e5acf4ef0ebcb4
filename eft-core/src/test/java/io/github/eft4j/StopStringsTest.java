package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  @Provide
  Arbitrary<List<String>> pieces() {
    return Arbitraries.strings().withChars("ab").ofMinLength(0).ofMaxLength(4).list().ofMaxSize(12);
  }

  @Provide
  Arbitrary<List<String>> stops() {
    return Arbitraries.strings().withChars("ab").ofMinLength(1).ofMaxLength(5).list().ofMaxSize(3);
  }

  @Property
  void whatIsReleasedIsTheTextBeforeTheFirstStop(
      @ForAll("pieces") List<String> pieces, @ForAll("stops") List<String> stops) {
    StopStrings watcher = new StopStrings(stops);
    StringBuilder released = new StringBuilder();
    StringBuilder seen = new StringBuilder();
    for (String piece : pieces) {
      seen.append(piece);
      released.append(watcher.append(piece));
      int end = stops.stream().mapToInt(seen::indexOf).filter(i -> i >= 0).min().orElse(-1);
      assertThat(watcher.reached()).isEqualTo(end >= 0);
      if (end >= 0) {
        assertThat(released.toString()).isEqualTo(seen.substring(0, end));
        assertThat(watcher.flush()).isEmpty();
        return;
      }
      assertThat(seen.toString()).startsWith(released.toString());
    }
    assertThat(released + watcher.flush()).isEqualTo(seen.toString());
  }

  @Test
  void holdsBackNoMoreThanNecessary() {
    StopStrings watcher = new StopStrings(List.of("END"));

    assertThat(watcher.append("the EN")).isEqualTo("the ");
    assertThat(watcher.append("emy E")).isEqualTo("ENemy ");
    assertThat(watcher.append("ND of it")).isEmpty();
    assertThat(watcher.reached()).isTrue();
  }
}
