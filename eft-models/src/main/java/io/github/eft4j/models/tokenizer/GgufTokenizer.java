package io.github.eft4j.models.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.models.format.GgufVocabulary;
import io.github.eft4j.models.format.ModelFormatException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Writes the vocabulary of a GGUF file as a {@code tokenizer.json}, so that one library runs the
 * tokenizers of both kinds of files.
 */
final class GgufTokenizer {
  /** SentencePiece's sign for a space. */
  private static final String SPACE = "▁";

  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  private static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String TEKKEN =
      "[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r"
          + "\\n"
          + "/]*|\\s*[\\r"
          + "\\n"
          + "]+|\\s+(?!\\S)|\\s+";

  /** The kinds that look a whole word up before they merge its bytes. */
  private static final Set<String> WHOLE_WORDS_FIRST =
      Set.of("llama3", "llama-v3", "llama-bpe", "falcon3", "tekken");

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /**
   * Two tokens that become one.
   *
   * @param left the token that goes first
   * @param right the other one
   * @param score the score of the token that they become
   */
  private record Merge(String left, String right, float score) {}

  private final String source;
  private final GgufVocabulary vocabulary;

  private GgufTokenizer(String source, GgufVocabulary vocabulary) {
    this.source = source;
    this.vocabulary = vocabulary;
  }

  /**
   * Writes a vocabulary.
   *
   * @param source the file, for messages
   * @param vocabulary the vocabulary
   * @return a {@code tokenizer.json}
   * @throws ModelFormatException if the vocabulary is of an unsupported kind, or lacks what its
   *     kind needs
   */
  static String toJson(String source, GgufVocabulary vocabulary) {
    return new GgufTokenizer(source, vocabulary).toJson().toString();
  }

  /** What {@code tokenizer_config.json} would say. */
  static TokenizerConfig config(String source, GgufVocabulary vocabulary) {
    return new TokenizerConfig(
        source,
        specialTokens(vocabulary),
        Optional.of(vocabulary.addBeginOfText() && vocabulary.beginOfText().isPresent()),
        Optional.of(vocabulary.addEndOfText() && vocabulary.endOfText().isPresent()),
        Optional.empty());
  }

  /** The special tokens by their keys in {@code tokenizer_config.json}. */
  static Map<String, String> specialTokens(GgufVocabulary vocabulary) {
    Map<String, String> special = new HashMap<>();
    Map<String, OptionalInt> ids =
        Map.of(
            TokenizerConfig.BEGIN_OF_TEXT,
            vocabulary.beginOfText(),
            TokenizerConfig.END_OF_TEXT,
            vocabulary.endOfText(),
            "unk_token",
            vocabulary.unknown(),
            "pad_token",
            vocabulary.padding());
    ids.forEach((key, id) -> id.ifPresent(i -> special.put(key, vocabulary.tokens().get(i))));
    return special;
  }

  private ObjectNode toJson() {
    ObjectNode json = JSON.objectNode();
    json.put("version", "1.0").putNull("truncation").putNull("padding").putNull("post_processor");
    json.set("added_tokens", addedTokens());
    switch (vocabulary.model()) {
      case "llama" -> sentencePiece(json);
      case "gpt2" -> byteLevel(json);
      default ->
          throw new ModelFormatException(
              "%s: tokenizer.ggml.model is %s, supported are llama and gpt2"
                  .formatted(source, vocabulary.model()));
    }
    return json;
  }

  private int type(int id) {
    int[] types = vocabulary.types();
    return types.length == 0 ? GgufVocabulary.NORMAL : types[id];
  }

  private ArrayNode addedTokens() {
    ArrayNode added = JSON.arrayNode();
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      int type = type(id);
      boolean special = type == GgufVocabulary.CONTROL || type == GgufVocabulary.UNKNOWN;
      if (special || type == GgufVocabulary.USER_DEFINED) {
        added
            .addObject()
            .put("id", id)
            .put("content", vocabulary.tokens().get(id))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", special);
      }
    }
    return added;
  }

  private ObjectNode model(ObjectNode json) {
    ObjectNode model = json.putObject("model");
    model
        .put("type", "BPE")
        .putNull("dropout")
        .putNull("continuing_subword_prefix")
        .putNull("end_of_word_suffix");
    ObjectNode ids = model.putObject("vocab");
    for (int id = 0; id < vocabulary.tokens().size(); id++) {
      ids.put(vocabulary.tokens().get(id), id);
    }
    return model;
  }

  private void sentencePiece(ObjectNode json) {
    ArrayNode normalizers = part(json, "normalizer", "normalizers");
    ArrayNode decoders = part(json, "decoder", "decoders");
    if (vocabulary.addSpacePrefix()) {
      normalizers.addObject().put("type", "Prepend").put("prepend", SPACE);
    }
    replace(normalizers, " ", SPACE);
    json.putNull("pre_tokenizer");
    replace(decoders, SPACE, " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    if (vocabulary.addSpacePrefix()) {
      decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    ObjectNode model = model(json);
    model.put("fuse_unk", true).put("byte_fallback", true);
    vocabulary
        .unknown()
        .ifPresentOrElse(
            id -> model.put("unk_token", vocabulary.tokens().get(id)),
            () -> model.putNull("unk_token"));
    ArrayNode merges = model.putArray("merges");
    for (Merge merge : merges()) {
      merges.addArray().add(merge.left()).add(merge.right());
    }
  }

  /**
   * The merges that amount to SentencePiece's way, which joins the two neighbours whose joint token
   * has the greatest score: all pairs that make up a token, those of greater scores first.
   */
  private List<Merge> merges() {
    float[] scores = vocabulary.scores();
    if (scores.length == 0) {
      throw new ModelFormatException(
          source + ": there are no tokenizer.ggml.scores, which a llama tokenizer needs");
    }
    Map<String, Float> normal = new HashMap<>();
    for (int id = 0; id < scores.length; id++) {
      if (type(id) == GgufVocabulary.NORMAL) {
        normal.put(vocabulary.tokens().get(id), scores[id]);
      }
    }
    List<Merge> merges = new ArrayList<>();
    for (int id = 0; id < scores.length; id++) {
      String token = vocabulary.tokens().get(id);
      if (type(id) == GgufVocabulary.NORMAL) {
        for (int i = token.length() - 1; i > 0; i--) {
          String left = token.substring(0, i);
          String right = token.substring(i);
          if (normal.containsKey(left) && normal.containsKey(right)) {
            merges.add(new Merge(left, right, scores[id]));
          }
        }
      }
    }
    merges.sort(Comparator.comparingDouble(Merge::score).reversed());
    return merges;
  }

  private void byteLevel(ObjectNode json) {
    json.putNull("normalizer");
    ArrayNode steps = part(json, "pre_tokenizer", "pretokenizers");
    switch (vocabulary.pre()) {
      case "gpt-2" -> bytes(steps.addObject(), true);
      case "llama3", "llama-v3", "llama-bpe", "falcon3" -> {
        split(steps, LLAMA3);
        bytes(steps.addObject(), false);
      }
      case "tekken" -> {
        split(steps, TEKKEN);
        bytes(steps.addObject(), false);
      }
      case "smollm" -> {
        steps.addObject().put("type", "Digits").put("individual_digits", true);
        bytes(steps.addObject(), true);
      }
      case "falcon" -> {
        steps.addObject().put("type", "Punctuation").put("behavior", "Contiguous");
        bytes(steps.addObject(), true);
        steps.addObject().put("type", "Digits").put("individual_digits", false);
        split(steps, "[0-9][0-9][0-9]");
      }
      case "", "default" -> {
        split(steps, "[\\p{P}\\$\\+<=>\\^~\\|]+");
        split(steps, GPT2);
        split(steps, "\\p{N}+");
        split(steps, "[0-9][0-9][0-9]");
        bytes(steps.addObject(), false);
      }
      default ->
          throw new ModelFormatException(
              "%s: tokenizer.ggml.pre is %s, supported are default, falcon, falcon3, gpt-2,"
                      .formatted(source, vocabulary.pre())
                  + " llama-bpe, llama-v3, llama3, smollm and tekken");
    }
    bytes(json.putObject("decoder"), true);
    ObjectNode model = model(json);
    model
        .put("fuse_unk", false)
        .put("byte_fallback", false)
        .put("ignore_merges", WHOLE_WORDS_FIRST.contains(vocabulary.pre()))
        .putNull("unk_token");
    ArrayNode merges = model.putArray("merges");
    vocabulary.merges().forEach(merges::add);
  }

  private static ArrayNode part(ObjectNode json, String name, String parts) {
    return json.putObject(name).put("type", "Sequence").putArray(parts);
  }

  private static void replace(ArrayNode steps, String pattern, String content) {
    ObjectNode step = steps.addObject().put("type", "Replace").put("content", content);
    step.putObject("pattern").put("String", pattern);
  }

  private static void split(ArrayNode steps, String regex) {
    ObjectNode step = steps.addObject().put("type", "Split");
    step.put("behavior", "Isolated").put("invert", false);
    step.putObject("pattern").put("Regex", regex);
  }

  private static void bytes(ObjectNode step, boolean words) {
    step.put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", words);
  }
}
