package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelProviderTest {
  @Test
  void theWidestIsTheLastSupported() {
    int[] supported = KernelProvider.supported();
    assertThat(supported).startsWith(0).isSorted();
    assertThat(KernelProvider.widest().vectorBits()).isEqualTo(supported[supported.length - 1]);
    assertThat(KernelProvider.widest()).isSameAs(KernelProvider.widest());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 128, 256, 512})
  void aWidthIsGivenOrRefused(int bits) {
    if (Arrays.stream(KernelProvider.supported()).anyMatch(b -> b == bits)) {
      assertThat(KernelProvider.of(bits).vectorBits()).isEqualTo(bits);
    } else {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> KernelProvider.of(bits))
          .withMessageContaining("vector width of " + bits + " bits, but this processor");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 1, 64, 1024})
  void otherWidthsAreRefused(int bits) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KernelProvider.of(bits))
        .withMessageContaining("vector width of " + bits + " bits, expected 0");
  }

  @Test
  void coresAreCountedOnce(@TempDir Path root) throws IOException {
    for (int cpu = 0; cpu < 6; cpu++) {
      Path topology = Files.createDirectories(root.resolve("cpu" + cpu + "/topology"));
      Files.writeString(topology.resolve("thread_siblings_list"), cpu % 3 + "," + (cpu % 3 + 3));
    }
    Files.createDirectories(root.resolve("cpufreq"));
    assertThat(Processors.coresListedIn(root, 9)).isEqualTo(3);
    assertThat(Processors.coresListedIn(root.resolve("missing"), 9)).isEqualTo(9);
  }

  @Test
  void avx512IsFoundAmongTheFeatures(@TempDir Path directory) throws IOException {
    String common =
        "processor\t: 0\nflags\t\t: fpu avx avx2 avx512f avx512dq rdseed avx512cd avx512bw";
    Path file = directory.resolve("cpuinfo");
    Files.writeString(file, common + " avx512vl\nbugs\t\t: spectre_v1\n");
    assertThat(Processors.hasAvx512(file)).isTrue();
    Files.writeString(file, common + "\nbugs\t\t: avx512vl\n");
    assertThat(Processors.hasAvx512(file)).isFalse();
    Files.writeString(file, "processor\t: 0\nFeatures\t: fp asimd\n");
    assertThat(Processors.hasAvx512(file)).isFalse();
    assertThat(Processors.hasAvx512(directory.resolve("missing"))).isFalse();
  }
}
