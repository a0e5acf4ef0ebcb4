package io.github.eft4j.models.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.ChatMessage;
import io.github.eft4j.models.format.GgufFile;
import io.github.eft4j.models.format.GgufVocabulary;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTokenizerTest {
  private static final Path FILE = Path.of("model.gguf");

  private static final String[] TEXTS = {
    "the cat",
    "  two  spaces and\n\na line\t",
    "It's 12345 o'clock, isn't it? ¡Olé! 😀 漢字 ٣٤٥",
    "if (x<=3) { return `a`+\"b\"; } // ok~",
    "naïve ﬁnd ÀÉÎ    x",
    ""
  };

  @TempDir Path directory;

  @Test
  void sentencePieceEncodesAsTheTokenizerItStemsFrom() throws IOException {
    ObjectNode json = SmallTokenizers.llama();
    try (var original = SmallTokenizers.read(directory, json.toString(), "{}");
        var gguf = HuggingFaceTokenizer.of(FILE, vocabulary("llama", "", json, true))) {
      assertSame(original, gguf);
      assertThat(gguf.encode("the", true)).hasSize(2).startsWith(1);
      assertThat(gguf.isSpecial(0)).isTrue();
    }
  }

  @Test
  void byteLevelEncodesAsTheTokenizerItStemsFrom() throws IOException {
    JsonNode json =
        new ObjectMapper().readTree(SmallTokenizers.demo().resolve("tokenizer.json").toFile());
    try (var original = HuggingFaceTokenizer.read(SmallTokenizers.demo()).orElseThrow();
        var gguf = HuggingFaceTokenizer.of(FILE, vocabulary("gpt2", "gpt-2", json, false))) {
      assertSame(original, gguf);
    }
  }

  @ParameterizedTest
  @CsvSource({"llama2-tokenizer, llama,", "falcon-tokenizer, gpt2, falcon"})
  void realTokenizersEncodeAsTheyDid(String name, String model, @Nullable String pre)
      throws IOException {
    Path real = SmallTokenizers.REAL.resolve(name);
    assumeTrue(Files.isDirectory(real), "no real tokenizers beside the checkout");
    JsonNode json = new ObjectMapper().readTree(real.resolve("tokenizer.json").toFile());
    String text =
        new ObjectMapper().readTree(real.resolve("encoded.json").toFile()).path("text").textValue();
    try (var original = HuggingFaceTokenizer.read(real).orElseThrow();
        var gguf =
            HuggingFaceTokenizer.of(
                FILE, vocabulary(model, pre == null ? "" : pre, json, model.equals("llama")))) {
      assertSame(original, gguf);
      assertThat(gguf.encode(text, true)).containsExactly(original.encode(text, true));
    }
  }

  @Test
  void theRealModelsVocabularyRoundTrips() throws IOException {
    Path file = SmallTokenizers.REAL.resolve("stories260K/stories260K.gguf");
    assumeTrue(Files.exists(file), "no real model beside the checkout");
    try (GgufFile gguf = GgufFile.open(file);
        var tokenizer = HuggingFaceTokenizer.of(file, gguf.vocabulary().orElseThrow())) {
      assertThat(tokenizer.size()).isEqualTo(512);
      String text =
          Files.readString(
              SmallTokenizers.REAL.resolve("stories260K/stories260K.expected_stdout.txt"));
      int[] ids = tokenizer.encode(text, true);
      assertThat(ids).startsWith(1).hasSizeLessThan(text.length() / 2);
      assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
      for (String other : TEXTS) {
        assertThat(tokenizer.decode(tokenizer.encode(other, true), true)).isEqualTo(other);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "default",
        "gpt-2",
        "falcon",
        "falcon3",
        "llama-bpe",
        "llama3",
        "llama-v3",
        "smollm",
        "tekken"
      })
  void everyWayToSplitTextRoundTrips(String pre) throws IOException {
    JsonNode json =
        new ObjectMapper().readTree(SmallTokenizers.demo().resolve("tokenizer.json").toFile());
    try (var tokenizer = HuggingFaceTokenizer.of(FILE, vocabulary("gpt2", pre, json, false))) {
      for (String text : TEXTS) {
        assertThat(tokenizer.decode(tokenizer.encode(text, false), false)).isEqualTo(text);
      }
    }
  }

  @Test
  void templatesKnowTheSpecialTokens() {
    var vocabulary = vocabulary("llama", "", SmallTokenizers.llama(), true);
    String template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";
    List<ChatMessage> messages = List.of(ChatMessage.user("a"));
    assertThat(ChatTemplates.of(FILE, template, Optional.of(vocabulary)).render(messages, false))
        .isEqualTo("<s>a</s>");
    assertThat(ChatTemplates.of(FILE, template, Optional.empty()).render(messages, false))
        .isEqualTo("a");
  }

  @Test
  void refusesWhatIsNotSupported() {
    JsonNode json = SmallTokenizers.llama();
    assertRefused(vocabulary("t5", "", json, true), "tokenizer.ggml.model is t5, supported are");
    assertRefused(vocabulary("gpt2", "oracle", json, false), "tokenizer.ggml.pre is oracle");
    assertRefused(vocabulary("llama", "", json, false), "there are no tokenizer.ggml.scores");
  }

  private static void assertRefused(GgufVocabulary vocabulary, String message) {
    assertThatExceptionOfType(ModelFormatException.class)
        .isThrownBy(() -> HuggingFaceTokenizer.of(FILE, vocabulary))
        .withMessageContainingAll("model.gguf", message);
  }

  private static void assertSame(HuggingFaceTokenizer original, HuggingFaceTokenizer gguf) {
    assertThat(gguf.size()).isEqualTo(original.size());
    for (int id = 0; id < original.size(); id++) {
      assertThat(gguf.token(id)).isEqualTo(original.token(id));
    }
    for (String text : TEXTS) {
      assertThat(gguf.encode(text, true)).as(text).containsExactly(original.encode(text, true));
    }
    var random = new Random(3);
    for (int i = 0; i < 200; i++) {
      int[] ids = random.ints(30, 0, original.size()).toArray();
      String text = original.decode(ids, true);
      assertThat(gguf.decode(ids, true)).isEqualTo(text);
      assertThat(gguf.encode(text, true)).as(text).containsExactly(original.encode(text, true));
    }
  }

  /** The vocabulary of a GGUF file that was made from a tokenizer. */
  private static GgufVocabulary vocabulary(
      String model, String pre, JsonNode json, boolean scored) {
    JsonNode ids = json.path("model").path("vocab");
    String[] tokens = new String[ids.size()];
    ids.properties().forEach(e -> tokens[e.getValue().intValue()] = e.getKey());
    int[] types = new int[tokens.length];
    float[] scores = new float[tokens.length];
    boolean llama = model.equals("llama");
    for (int id = 0; id < tokens.length; id++) {
      types[id] =
          llama && tokens[id].matches("<0x[0-9A-F]{2}>")
              ? GgufVocabulary.BYTE
              : GgufVocabulary.NORMAL;
    }
    for (JsonNode added : json.path("added_tokens")) {
      types[added.path("id").intValue()] = GgufVocabulary.CONTROL;
    }
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : json.path("model").path("merges")) {
      merges.add(
          merge.isArray()
              ? merge.path(0).textValue() + " " + merge.path(1).textValue()
              : merge.textValue());
    }
    // A token's score is the place of the first merge that yields it.
    Map<String, Integer> ranks = new HashMap<>();
    merges.forEach(m -> ranks.putIfAbsent(m.replaceFirst(" ", ""), ranks.size()));
    for (int id = 0; id < tokens.length; id++) {
      scores[id] = -ranks.getOrDefault(tokens[id], merges.size());
    }
    return new GgufVocabulary(
        model,
        pre,
        List.of(tokens),
        scored ? scores : new float[0],
        types,
        llama ? List.of() : merges,
        llama ? OptionalInt.of(1) : OptionalInt.empty(),
        llama ? OptionalInt.of(2) : OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        llama ? OptionalInt.of(0) : OptionalInt.empty(),
        OptionalInt.empty(),
        llama,
        false,
        llama);
  }
}
