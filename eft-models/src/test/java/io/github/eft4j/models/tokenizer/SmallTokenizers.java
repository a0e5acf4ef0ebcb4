package io.github.eft4j.models.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** Small tokenizers to test with. */
final class SmallTokenizers {
  /** Where real tokenizers may lie beside a checkout, seen from this module. */
  static final Path REAL = Path.of("../../shared/real");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static final String[] LLAMA_PIECES = {
    "▁", "t", "h", "e", "c", "a", "▁t", "he", "▁the", "▁c", "at", "▁cat", "▁▁", "é"
  };

  private SmallTokenizers() {}

  /** The directory of a byte-level tokenizer with 1,024 tokens. */
  static Path demo() {
    URL url = Objects.requireNonNull(SmallTokenizers.class.getResource("/tokenizer/demo"));
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A tokenizer.json built like Llama 2's: three special tokens, 256 bytes, some pieces. */
  static ObjectNode llama() {
    ObjectNode json = MAPPER.createObjectNode();
    json.put("version", "1.0").putNull("truncation").putNull("padding");
    ArrayNode added = json.putArray("added_tokens");
    ObjectNode vocabulary = MAPPER.createObjectNode();
    for (String special : new String[] {"<unk>", "<s>", "</s>"}) {
      added
          .addObject()
          .put("id", vocabulary.size())
          .put("content", special)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
      vocabulary.put(special, vocabulary.size());
    }
    for (int b = 0; b < 256; b++) {
      vocabulary.put("<0x%02X>".formatted(b), vocabulary.size());
    }
    for (String piece : LLAMA_PIECES) {
      vocabulary.put(piece, vocabulary.size());
    }
    json.set(
        "normalizer",
        tree(
            """
            {"type": "Sequence", "normalizers": [
              {"type": "Prepend", "prepend": "▁"},
              {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}\
            """));
    json.putNull("pre_tokenizer");
    json.set(
        "post_processor",
        tree(
            """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                        {"Sequence": {"id": "A", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                      {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}\
            """));
    json.set(
        "decoder",
        tree(
            """
            {"type": "Sequence", "decoders": [
              {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
              {"type": "ByteFallback"},
              {"type": "Fuse"},
              {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}\
            """));
    ObjectNode model = json.putObject("model");
    model
        .put("type", "BPE")
        .putNull("dropout")
        .put("unk_token", "<unk>")
        .putNull("continuing_subword_prefix")
        .putNull("end_of_word_suffix")
        .put("fuse_unk", true)
        .put("byte_fallback", true);
    model.set("vocab", vocabulary);
    model
        .putArray("merges")
        .add("▁ t")
        .add("h e")
        .add("▁t he")
        .add("▁ c")
        .add("a t")
        .add("▁c at")
        .add("▁ ▁");
    return json;
  }

  static ObjectNode tree(String json) {
    try {
      return (ObjectNode) MAPPER.readTree(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads a tokenizer from files with some contents. */
  static HuggingFaceTokenizer read(Path directory, String tokenizer, String config)
      throws IOException {
    Files.writeString(directory.resolve("tokenizer.json"), tokenizer);
    Files.writeString(directory.resolve("tokenizer_config.json"), config);
    return HuggingFaceTokenizer.read(directory).orElseThrow();
  }
}
