package io.github.eft4j.models.tokenizer;

import static io.github.eft4j.models.tokenizer.SmallTokenizers.llama;
import static io.github.eft4j.models.tokenizer.SmallTokenizers.read;
import static io.github.eft4j.models.tokenizer.SmallTokenizers.tree;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HuggingFaceTokenizerTest {
  private static final int BEGIN = 1;
  private static final int END = 2;
  private static final int FIRST_BYTE = 3;

  @TempDir Path directory;

  @Test
  void readsAByteLevelTokenizer() throws IOException {
    try (var tokenizer = HuggingFaceTokenizer.read(SmallTokenizers.demo()).orElseThrow()) {
      assertThat(tokenizer.size()).isEqualTo(1024);
      assertThat(tokenizer.token(0)).contains("<|bos|>");
      assertThat(tokenizer.token(1023)).isPresent();
      assertThat(tokenizer.token(1024)).isEmpty();
      assertThat(tokenizer.isSpecial(1)).isTrue();
      assertThat(tokenizer.isSpecial(2)).isFalse();
      assertThat(tokenizer.isSpecial(1024)).isFalse();
      assertThat(tokenizer.encode("the", true)).isEqualTo(tokenizer.encode("the", false));
      int[] ids = tokenizer.encode("<|bos|>### User: What?", false);
      assertThat(ids[0]).isZero();
      assertThat(tokenizer.decode(ids, false)).isEqualTo("<|bos|>### User: What?");
      assertThat(tokenizer.decode(ids, true)).isEqualTo("### User: What?");
    }
  }

  @Property(tries = 100)
  void byteLevelTokensRoundTripEveryText(@ForAll String text) throws IOException {
    try (var tokenizer = HuggingFaceTokenizer.read(SmallTokenizers.demo()).orElseThrow()) {
      // Text with surrogates on their own has no UTF-8 form; Java writes a question mark there.
      String valid = new String(text.getBytes(StandardCharsets.UTF_16), StandardCharsets.UTF_16);
      assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(valid);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "  two  spaces ",
        "\u0000",
        "😀 ok 👩‍👩‍👧",
        "naïve\n\ttab\r\n",
        "ｆｕｌｌ",
        "a\uD800b"
      })
  void textRoundTrips(String text) throws IOException {
    String expected = text.replace('\uD800', '\uFFFD');
    try (var byteLevel = HuggingFaceTokenizer.read(SmallTokenizers.demo()).orElseThrow();
        var llama = read(directory, llama().toString(), "{}")) {
      assertThat(byteLevel.decode(byteLevel.encode(text, true), true)).isEqualTo(expected);
      assertThat(llama.decode(llama.encode(text, true), true)).isEqualTo(expected);
    }
  }

  @Test
  void aDirectoryNeedNotHaveATokenizer() throws IOException {
    assertThat(HuggingFaceTokenizer.read(directory)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {}                                                                          | 1 |
          {"bos_token": "<s>", "add_bos_token": true}                                 | 1 |
          {"bos_token": {"content": "<s>"}, "add_bos_token": false}                   |   |
          {"bos_token": "<s>", "eos_token": "</s>", "add_eos_token": true}            | 1 | 2
          {"bos_token": "</s>", "add_bos_token": true}                                | 2 |
          {"bos_token": "<s>", "tokenizer_class": "LlamaTokenizer"}                   | 1 |
          {"eos_token": "</s>", "add_eos_token": false, "add_bos_token": null}        | 1 |
          """)
  void addsSpecialTokensAsTheConfigurationSays(
      String config,
      @org.jspecify.annotations.Nullable Integer before,
      @org.jspecify.annotations.Nullable Integer after)
      throws IOException {
    try (var tokenizer = read(directory, llama().toString(), config)) {
      List<Integer> expected = new ArrayList<>();
      if (before != null) {
        expected.add(before);
      }
      int[] bare = tokenizer.encode("the cat", false);
      for (int id : bare) {
        expected.add(id);
      }
      if (after != null) {
        expected.add(after);
      }
      assertThat(bare).hasSize(2);
      assertThat(tokenizer.encode("the cat", true))
          .containsExactly(expected.toArray(Integer[]::new));
    }
  }

  @Test
  void llamaClassesBeginTextsWhateverTheTokenizerSays() throws IOException {
    ObjectNode json = llama();
    json.putNull("post_processor");
    try (var plain = read(directory, json.toString(), "{}")) {
      assertThat(plain.encode("the", true)).doesNotContain(BEGIN);
    }
    String config = "{\"tokenizer_class\": \"LlamaTokenizerFast\", \"bos_token\": \"<s>\"}";
    try (var llama = read(directory, json.toString(), config)) {
      assertThat(llama.encode("the", true)).startsWith(BEGIN);
    }
  }

  @Test
  void recognisesSpecialTokensInTheText() throws IOException {
    try (var tokenizer = read(directory, llama().toString(), "{}")) {
      int[] ids = tokenizer.encode("<s> the cat</s>", false);
      assertThat(ids).startsWith(BEGIN).endsWith(END);
      assertThat(tokenizer.decode(ids, true)).isEqualTo(" the cat");
    }
  }

  @Test
  void neverTruncatesOrPads() throws IOException {
    ObjectNode json = llama();
    json.set(
        "truncation",
        tree(
            """
            {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}\
            """));
    json.set(
        "padding",
        tree(
            """
            {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
             "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"}\
            """));
    try (var tokenizer = read(directory, json.toString(), "{}")) {
      assertThat(tokenizer.encode("the", false)).hasSize(1);
      assertThat(tokenizer.encode("the cat".repeat(1000), false)).hasSizeGreaterThan(1000);
    }
  }

  @Test
  void aWholeCharacterOutlastsStrayBytes() throws IOException {
    try (var tokenizer = read(directory, llama().toString(), "{}")) {
      int the = tokenizer.encode("the", false)[0];
      assertThat(tokenizer.decode(new int[] {the, byteId(0xE2), byteId(0x82), byteId(0xAC)}, true))
          .isEqualTo("the€");
      assertThat(
              tokenizer.decode(
                  new int[] {byteId(0xE2), byteId(0x82), byteId(0xAC), byteId(0xE2), the}, true))
          .isEqualTo("€\uFFFD the");
    }
  }

  @Test
  void idsWithoutATokenGiveNoText() throws IOException {
    try (var tokenizer = read(directory, llama().toString(), "{}")) {
      assertThat(tokenizer.decode(new int[] {5000, Integer.MAX_VALUE}, false)).isEmpty();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> tokenizer.decode(new int[] {-1}, false))
          .withMessage("token id -1 is negative");
      assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.token(-2));
      assertThatIllegalArgumentException().isThrownBy(() -> tokenizer.isSpecial(-2));
    }
  }

  @Test
  void readsAUnigramVocabulary() throws IOException {
    ObjectNode json = llama();
    json.putNull("post_processor");
    json.set(
        "model",
        tree(
            """
            {"type": "Unigram", "unk_id": 0, "vocab":
             [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], ["▁the", -1.5], ["▁", -3.0]]}\
            """));
    try (var tokenizer = read(directory, json.toString(), "{}")) {
      assertThat(tokenizer.size()).isEqualTo(5);
      assertThat(tokenizer.token(3)).contains("▁the");
      assertThat(tokenizer.encode("the the", true)).containsExactly(3, 3);
    }
  }

  @Test
  void addedTokensMayLeaveGaps() throws IOException {
    ObjectNode json = llama();
    int size = json.path("model").path("vocab").size();
    ((ObjectNode) json.path("added_tokens").get(2)).put("id", size + 3);
    ((ObjectNode) json.path("model").path("vocab")).put("</s>", size + 3);
    try (var tokenizer = read(directory, json.toString(), "{}")) {
      assertThat(tokenizer.size()).isEqualTo(size + 4);
      assertThat(tokenizer.token(2)).isEmpty();
      assertThat(tokenizer.token(size + 3)).contains("</s>");
      assertThat(tokenizer.encode("</s>", false)).containsExactly(size + 3);
    }
  }

  @Test
  void refusesMalformedFiles() {
    assertRefused("", "tokenizer.json", "found JSON of type MISSING, expected an object");
    assertRefused("[]", "tokenizer.json", "found JSON of type ARRAY, expected an object");
    assertRefused("{\"model\": ", "tokenizer.json", "malformed JSON");
    assertRefused("{}", "tokenizer.json", "model.vocab is neither");

    ObjectNode merges = llama();
    ((ObjectNode) merges.path("model")).putArray("merges").add("x y");
    assertRefused(merges.toString(), "tokenizer.json", "malformed or of an unknown kind");

    ObjectNode kind = llama();
    kind.putObject("pre_tokenizer").put("type", "Oracle");
    assertRefused(kind.toString(), "tokenizer.json", "malformed or of an unknown kind");

    ObjectNode negative = llama();
    ((ObjectNode) negative.path("model").path("vocab")).put("x", -1);
    assertRefused(negative.toString(), "tokenizer.json", "token \"x\" has id -1, expected 0 to");

    ObjectNode huge = llama();
    ((ObjectNode) huge.path("added_tokens").get(0)).put("id", 2_000_000_000);
    assertRefused(huge.toString(), "token \"<unk>\" has id 2000000000, expected 0 to");

    ObjectNode fraction = llama();
    ((ObjectNode) fraction.path("added_tokens").get(0)).put("id", 1.5);
    assertRefused(fraction.toString(), "token \"<unk>\" has id 1.5, expected 0 to");

    ObjectNode nameless = llama();
    ((ObjectNode) nameless.path("added_tokens").get(0)).put("content", 3);
    assertRefused(nameless.toString(), "added_tokens.content is 3, expected a string");
  }

  @Test
  void refusesFilesThatAreNotText() throws IOException {
    Files.write(directory.resolve("tokenizer.json"), new byte[] {'{', (byte) 0xFF, '}'});
    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(() -> HuggingFaceTokenizer.read(directory))
        .withMessageContainingAll("tokenizer.json", "not valid UTF-8");
  }

  @Test
  void refusesMalformedConfigurations() {
    assertConfigRefused("{\"add_bos_token\": true}", "bos_token is missing");
    assertConfigRefused(
        "{\"add_eos_token\": true, \"eos_token\": \"<end>\"}",
        "eos_token is \"<end>\", expected a token of the vocabulary");
    assertConfigRefused("{\"add_bos_token\": 1}", "add_bos_token is 1, expected true or false");
    assertConfigRefused("{\"bos_token\": {}}", "bos_token is {}, expected a string or an object");
    assertConfigRefused("{\"bos_token\": [1]}", "bos_token is [1], expected a string or an object");
    assertConfigRefused("[", "malformed JSON");
    assertConfigRefused("{\"chat_template\": []}", "chat_template is neither");
  }

  @Test
  void isClosedForGood() throws IOException {
    var tokenizer = read(directory, llama().toString(), "{}");
    tokenizer.close();
    tokenizer.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> tokenizer.encode("the", false))
        .withMessageContainingAll("tokenizer.json", "closed");
    assertThatIllegalStateException().isThrownBy(() -> tokenizer.decode(new int[] {1}, false));
  }

  /** A call that is under way keeps the memory from being freed; later ones fail cleanly. */
  @Test
  void mayBeClosedWhileInUse() throws Exception {
    var tokenizer = read(directory, llama().toString(), "{}");
    int[] expected = tokenizer.encode("the cat", false);
    var started = new CountDownLatch(4);
    Callable<Integer> use =
        () -> {
          int calls = 0;
          while (true) {
            assertThat(tokenizer.encode("the cat", false)).isEqualTo(expected);
            assertThat(tokenizer.decode(expected, false)).isEqualTo("the cat");
            if (calls++ == 100) {
              started.countDown();
            }
          }
        };
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<Integer>> users = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        users.add(threads.submit(use));
      }
      started.await();
      tokenizer.close();
      for (Future<Integer> user : users) {
        assertThatExceptionOfType(ExecutionException.class)
            .isThrownBy(user::get)
            .withCauseInstanceOf(IllegalStateException.class);
      }
    }
  }

  private static int byteId(int value) {
    return FIRST_BYTE + value;
  }

  private void assertRefused(String json, String... message) {
    assertMalformed(() -> read(directory, json, "{}"), message);
  }

  private void assertConfigRefused(String config, String message) {
    assertMalformed(
        () -> read(directory, llama().toString(), config), "tokenizer_config.json", message);
  }

  private static void assertMalformed(ThrowingCallable call, String... message) {
    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(call)
        .withMessageContainingAll(message);
  }
}
