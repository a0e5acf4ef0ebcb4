package io.github.eft4j.miniature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.miniature.BytePairEncoding.Pair;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BytePairEncodingTest {
  private static final List<String> SPECIAL = List.of(Vocabulary.BEGINNING, Vocabulary.END);
  private static final int ALPHABET = 258;

  @TempDir Path directory;

  @Test
  void joinsTheMostFrequentPairs() {
    BytePairEncoding encoding =
        BytePairEncoding.learn(List.of("low low low lower", "new newer"), SPECIAL, ALPHABET + 4);
    // l+o and o+w occur four times each, e+r and e+w twice: the first in the alphabet comes first.
    assertThat(encoding.merges())
        .containsExactly(
            new Pair("l", "o"), new Pair("lo", "w"), new Pair("Ġ", "low"), new Pair("e", "r"));
    assertThat(encoding.vocabulary())
        .hasSize(ALPHABET + 4)
        .startsWith(Vocabulary.BEGINNING, Vocabulary.END, "!", "\"")
        .endsWith("lo", "low", "Ġlow", "er");
  }

  @Test
  void needsTextEnough() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BytePairEncoding.learn(List.of("ab"), SPECIAL, ALPHABET + 2))
        .withMessage("there is too little text for the size");
  }

  @Test
  void theLibraryReadsIt() throws IOException {
    List<String> documents =
        Stream.generate(new Corpus(Facts.all().entities(), 1)).limit(400).toList();
    BytePairEncoding encoding = BytePairEncoding.learn(documents, SPECIAL, Vocabulary.SIZE);
    ModelFiles.writeTokenizer(directory, encoding);
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.read(directory).orElseThrow()) {
      assertThat(tokenizer.size()).isEqualTo(Vocabulary.SIZE);
      for (int id = 0; id < Vocabulary.SIZE; id++) {
        assertThat(tokenizer.token(id)).hasValue(encoding.vocabulary().get(id));
      }
      for (String text : documents) {
        int[] ids = tokenizer.encode(text, false);
        assertThat(tokenizer.decode(ids, false)).isEqualTo(text);
        assertThat(ids.length).isLessThan(text.length());
      }
      String others = "naïve 日本 🙂\n\n  Ünïcode's";
      assertThat(tokenizer.decode(tokenizer.encode(others, false), false)).isEqualTo(others);
      assertThat(tokenizer.encode(Vocabulary.BEGINNING + Vocabulary.END, false))
          .containsExactly(Vocabulary.BEGINNING_ID, Vocabulary.END_ID);
    }
  }
}
