package io.github.eft4j.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.eft4j.StreamingDecoder;
import io.github.eft4j.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoding token by token gives the text that decoding at once gives, whatever the tokens. */
class StreamingTest {
  private static final int SEQUENCES = 300;
  private static final int MAX_LENGTH = 120;

  @TempDir Path directory;

  @Test
  void ofAByteLevelTokenizer() throws IOException {
    try (var tokenizer = HuggingFaceTokenizer.read(SmallTokenizers.demo()).orElseThrow()) {
      assertPiecesJoin(tokenizer);
    }
  }

  @Test
  void ofATokenizerWithByteFallback() throws IOException {
    try (var tokenizer =
        SmallTokenizers.read(directory, SmallTokenizers.llama().toString(), "{}")) {
      assertPiecesJoin(tokenizer);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2-tokenizer", "falcon-tokenizer"})
  void ofARealTokenizer(String name) throws IOException {
    Path real = SmallTokenizers.REAL.resolve(name);
    assumeTrue(Files.isDirectory(real), "no real tokenizers beside the checkout");
    try (var tokenizer = HuggingFaceTokenizer.read(real).orElseThrow()) {
      assertPiecesJoin(tokenizer);
    }
  }

  private static void assertPiecesJoin(Tokenizer tokenizer) {
    var random = new Random(7);
    for (int i = 0; i < SEQUENCES; i++) {
      // Half of the sequences stay among the first ids: special tokens, bytes, single characters.
      int bound = i % 2 == 0 ? tokenizer.size() + 2 : Math.min(tokenizer.size(), 300);
      int[] ids = random.ints(random.nextInt(MAX_LENGTH), 0, bound).toArray();
      var decoder = new StreamingDecoder(tokenizer);
      var pieces = new StringBuilder();
      for (int id : ids) {
        pieces.append(decoder.append(id));
      }
      pieces.append(decoder.flush());
      assertThat(pieces.toString())
          .as(Arrays.toString(ids))
          .isEqualTo(tokenizer.decode(ids, true))
          .isEqualTo(decoder.text());
    }
  }
}
