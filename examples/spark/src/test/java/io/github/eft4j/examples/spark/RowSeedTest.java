package io.github.eft4j.examples.spark;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowSeedTest {
  /**
   * As Python computes them, because files that were written with them exist: {@code
   * int.from_bytes(sha256(seed.to_bytes(8, 'big', signed=True) + key.encode()).digest()[:8], 'big',
   * signed=True)}.
   */
  @ParameterizedTest
  @CsvSource({
    "0, 1, -7959378152075030659",
    "0, 2, -8010008179572815790",
    "-7, 1, -1359776874189478898",
    "9223372036854775807, 日本, 7159130874346593668"
  })
  void neverChanges(long jobSeed, String key, long expected) {
    assertThat(RowSeed.of(jobSeed, key)).isEqualTo(expected);
  }
}
