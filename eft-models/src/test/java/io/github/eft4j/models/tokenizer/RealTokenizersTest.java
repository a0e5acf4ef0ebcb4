package io.github.eft4j.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Real tokenizers, which are not ours to ship: skipped where they do not lie beside the checkout.
 */
class RealTokenizersTest {
  @ParameterizedTest
  @ValueSource(strings = {"llama2-tokenizer", "falcon-tokenizer"})
  void encodesAndDecodesAsTheReference(String name) throws IOException {
    Path directory = SmallTokenizers.REAL.resolve(name);
    assumeTrue(Files.isDirectory(directory), "no real tokenizers beside the checkout");
    JsonNode reference = new ObjectMapper().readTree(directory.resolve("encoded.json").toFile());
    String text = reference.path("text").textValue();
    int[] expected = new int[reference.path("token_ids").size()];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = reference.path("token_ids").path(i).intValue();
    }
    try (var tokenizer = HuggingFaceTokenizer.read(directory).orElseThrow()) {
      int[] ids = tokenizer.encode(text, true);
      assertThat(ids).containsExactly(expected);
      assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
      assertThat(tokenizer.decode(ids, false))
          .isEqualTo(reference.path("decoded_text").textValue());
      int[] bare = tokenizer.encode(text, false);
      for (int i = 0; i < bare.length; i++) {
        assertThat(tokenizer.token(bare[i]))
            .contains(reference.path("bpe_tokens").path(i).textValue());
      }
    }
  }
}
