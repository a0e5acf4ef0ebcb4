package io.github.eft4j.models.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Converts the {@code tokenizer.json} of a Hugging Face directory into a GGUF vocabulary. Two kinds
 * have a counterpart there: byte-level byte-pair encoding becomes {@code gpt2}, and byte-pair
 * encoding with bytes for unknown characters, which stems from SentencePiece, becomes {@code
 * llama}.
 */
final class TokenizerConverter {
  /** SentencePiece's sign for a space. */
  private static final String SPACE = "▁";

  private static final String LLAMA3_SPLIT =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private final JsonObject json;
  private final JsonObject model;
  private final @Nullable JsonObject config;
  private final GenerationConfig generation;
  private final String[] tokens;
  private final int[] types;
  private final Map<String, Integer> ids = new HashMap<>();

  private TokenizerConverter(
      JsonObject json,
      @Nullable JsonObject config,
      GenerationConfig generation,
      int vocabularySize) {
    this.json = json;
    this.model = json.requiredObject("model");
    this.config = config;
    this.generation = generation;
    this.tokens = new String[vocabularySize];
    this.types = new int[vocabularySize];
  }

  /**
   * Reads the tokenizer of a directory.
   *
   * @param directory the directory
   * @param generation the special tokens that the model's configuration names
   * @param vocabularySize the number of ids that the model gives logits for; ids without a token
   *     get an unused one
   * @return the vocabulary, or empty if there is no {@code tokenizer.json}
   * @throws ModelFormatException if the tokenizer has no counterpart in GGUF files
   */
  static Optional<GgufVocabulary> read(
      Path directory, GenerationConfig generation, int vocabularySize) throws IOException {
    Path file = directory.resolve("tokenizer.json");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Path configFile = directory.resolve("tokenizer_config.json");
    return Optional.of(
        new TokenizerConverter(
                JsonObject.read(file),
                Files.exists(configFile) ? JsonObject.read(configFile) : null,
                generation,
                vocabularySize)
            .convert());
  }

  private GgufVocabulary convert() {
    if (!model.requiredString("type").equals("BPE")) {
      throw model.error("type", "BPE: no other kind of tokenizer can be written to GGUF files");
    }
    List<JsonNode> splits = parts("pre_tokenizer", "pretokenizers");
    boolean byteLevel = splits.stream().anyMatch(s -> type(s).equals("ByteLevel"));
    if (!byteLevel && !model.bool("byte_fallback", false)) {
      throw model.error("byte_fallback", "true where pre_tokenizer has no ByteLevel");
    }
    readTokens(byteLevel);
    OptionalInt begin = special("bos_token", generation.beginningOfTextId());
    List<Integer> ends = endOfTextIds();
    OptionalInt end = at(ends, 0);
    List<String> merges = merges();
    return new GgufVocabulary(
        byteLevel ? "gpt2" : "llama",
        byteLevel ? split(splits) : "",
        List.of(tokens),
        byteLevel ? new float[0] : scores(merges),
        types,
        byteLevel ? merges : List.of(),
        begin,
        end,
        at(ends, 1),
        at(ends, 2),
        model.string("unk_token").map(this::id).orElse(OptionalInt.empty()),
        special("pad_token", generation.paddingId()),
        adds("add_bos_token", true, begin),
        adds("add_eos_token", false, end),
        !byteLevel && addsSpace(splits));
  }

  private void readTokens(boolean byteLevel) {
    JsonNode vocabulary = model.value("vocab");
    vocabulary
        .properties()
        .forEach(
            entry -> {
              String token = entry.getKey();
              put(entry.getValue(), token, GgufVocabulary.NORMAL);
              ids.put(token, entry.getValue().intValue());
            });
    if (!byteLevel) {
      for (int b = 0; b < 256; b++) {
        String token = "<0x%02X>".formatted(b);
        Integer id = ids.get(token);
        if (id == null) {
          throw model.error("vocab", "a token " + token + " for byte_fallback");
        }
        types[id] = GgufVocabulary.BYTE;
      }
    }
    for (JsonNode added : json.value("added_tokens")) {
      String token = added.path("content").asText();
      boolean special = added.path("special").asBoolean();
      put(added.path("id"), token, special ? GgufVocabulary.CONTROL : GgufVocabulary.USER_DEFINED);
      ids.put(token, added.path("id").intValue());
    }
    model
        .string("unk_token")
        .flatMap(token -> Optional.ofNullable(ids.get(token)))
        .ifPresent(id -> types[id] = GgufVocabulary.UNKNOWN);
    for (int id = 0; id < tokens.length; id++) {
      if (types[id] == 0) {
        tokens[id] = "[PAD" + id + "]";
        types[id] = GgufVocabulary.UNUSED;
      }
    }
  }

  private void put(JsonNode id, String token, int type) {
    if (!id.isIntegralNumber()
        || !id.canConvertToInt()
        || id.intValue() < 0
        || id.intValue() >= tokens.length) {
      throw new ModelFormatException(
          "%s: token %s has id %s, expected 0 to %d, the model's ids"
              .formatted(json.file(), token, id, tokens.length - 1));
    }
    tokens[id.intValue()] = token;
    types[id.intValue()] = type;
  }

  /** The pairs to merge, each written as one text with a space between the parts. */
  private List<String> merges() {
    List<String> merges = new ArrayList<>();
    for (JsonNode merge : model.value("merges")) {
      merges.add(
          merge.isArray() ? merge.path(0).asText() + " " + merge.path(1).asText() : merge.asText());
    }
    return merges;
  }

  /**
   * SentencePiece merges the pair whose joint token has the greatest score, so scores fall in the
   * order in which merges first yield a token. Tokens that no merge yields come last: they are
   * single characters.
   */
  private float[] scores(List<String> merges) {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    for (String merge : merges) {
      ranks.putIfAbsent(merge.replaceFirst(" ", ""), ranks.size());
    }
    float[] scores = new float[tokens.length];
    for (int id = 0; id < scores.length; id++) {
      if (types[id] == GgufVocabulary.NORMAL) {
        Integer rank = ranks.get(tokens[id]);
        if (rank == null && tokens[id].codePointCount(0, tokens[id].length()) > 1) {
          throw new ModelFormatException(
              "%s: no merge yields token %d, %s: it cannot be written to a GGUF file"
                  .formatted(json.file(), id, tokens[id]));
        }
        scores[id] = -(rank == null ? ranks.size() : rank);
      }
    }
    return scores;
  }

  /** The name of how a byte-level tokenizer splits text. */
  private String split(List<JsonNode> splits) {
    refuseNormalizer(parts("normalizer", "normalizers"));
    List<String> kinds = splits.stream().map(TokenizerConverter::type).toList();
    JsonNode byteLevel =
        splits.stream().filter(s -> type(s).equals("ByteLevel")).findFirst().orElseThrow();
    boolean words = byteLevel.path("use_regex").asBoolean(true);
    if (byteLevel.path("add_prefix_space").asBoolean(true)) {
      throw unsupportedSplit();
    }
    if (kinds.equals(List.of("ByteLevel")) && words) {
      return "gpt-2";
    }
    if (kinds.equals(List.of("Split", "ByteLevel"))
        && !words
        && isolates(splits.getFirst(), LLAMA3_SPLIT)) {
      return "llama-bpe";
    }
    if (kinds.equals(List.of("Punctuation", "ByteLevel", "Digits", "Split"))
        && splits.getFirst().path("behavior").asText().equals("Contiguous")
        && words
        && !splits.get(2).path("individual_digits").asBoolean()
        && isolates(splits.get(3), "[0-9][0-9][0-9]")) {
      return "falcon";
    }
    throw unsupportedSplit();
  }

  private static boolean isolates(JsonNode split, String regex) {
    return split.path("pattern").path("Regex").asText().equals(regex)
        && split.path("behavior").asText().equals("Isolated")
        && !split.path("invert").asBoolean();
  }

  private ModelFormatException unsupportedSplit() {
    return json.error("pre_tokenizer", "that of GPT-2, Llama 3 or Falcon");
  }

  private void refuseNormalizer(List<JsonNode> normalizers) {
    if (!normalizers.isEmpty()) {
      throw json.error("normalizer", "null beside a ByteLevel pre_tokenizer");
    }
  }

  /** Whether a SentencePiece-like tokenizer puts a space before a text. */
  private boolean addsSpace(List<JsonNode> splits) {
    List<JsonNode> normalizers = parts("normalizer", "normalizers");
    List<String> kinds = normalizers.stream().map(TokenizerConverter::type).toList();
    if (splits.isEmpty() && kinds.equals(List.of("Prepend", "Replace"))) {
      if (normalizers.getFirst().path("prepend").asText().equals(SPACE)
          && replacesSpaces(normalizers.get(1))) {
        return true;
      }
    } else if (splits.isEmpty() && kinds.equals(List.of("Replace"))) {
      if (replacesSpaces(normalizers.getFirst())) {
        return false;
      }
    } else if (normalizers.isEmpty()
        && splits.size() == 1
        && type(splits.getFirst()).equals("Metaspace")
        && splits.getFirst().path("replacement").asText().equals(SPACE)
        && !splits.getFirst().path("split").asBoolean(true)) {
      return !splits.getFirst().path("prepend_scheme").asText("always").equals("never");
    }
    throw new ModelFormatException(
        "%s: normalizer %s with pre_tokenizer %s, expected SentencePiece's treatment of spaces"
            .formatted(json.file(), json.value("normalizer"), json.value("pre_tokenizer")));
  }

  private static boolean replacesSpaces(JsonNode replace) {
    return replace.path("pattern").path("String").asText().equals(" ")
        && replace.path("content").asText().equals(SPACE);
  }

  /**
   * Whether the tokenizer adds a special token before (or behind) a text: what {@code
   * tokenizer_config.json} says goes before what {@code tokenizer.json} does.
   */
  private boolean adds(String key, boolean before, OptionalInt expected) {
    boolean adds = processorAdds(before, expected);
    if (config != null && config.has(key)) {
      adds = config.bool(key, adds);
    }
    if (adds && expected.isEmpty()) {
      throw json.error(
          "post_processor",
          "no special token %s a text, as none is known".formatted(before ? "before" : "behind"));
    }
    return adds;
  }

  private boolean processorAdds(boolean before, OptionalInt expected) {
    List<String> added = new ArrayList<>();
    for (JsonNode processor : parts("post_processor", "processors")) {
      if (type(processor).equals("TemplateProcessing")) {
        boolean seen = false;
        for (JsonNode item : processor.path("single")) {
          if (item.has("Sequence")) {
            seen = true;
          } else if (seen != before) {
            added.add(item.path("SpecialToken").path("id").asText());
          }
        }
      } else if (!type(processor).equals("ByteLevel")) {
        throw json.error("post_processor", "TemplateProcessing or ByteLevel");
      }
    }
    if (added.isEmpty()) {
      return false;
    }
    if (added.size() != 1 || !id(added.getFirst()).equals(expected)) {
      throw json.error(
          "post_processor",
          "at most the %s token around a text".formatted(before ? "beginning" : "end-of-text"));
    }
    return true;
  }

  /** The ids that end a text; that of the tokenizer's own configuration comes first. */
  private List<Integer> endOfTextIds() {
    OptionalInt own = special("eos_token", OptionalInt.empty());
    return endOfTextIds(json.file(), own, generation);
  }

  private static List<Integer> endOfTextIds(
      Path file, OptionalInt first, GenerationConfig generation) {
    TreeSet<Integer> rest = new TreeSet<>(generation.endOfTextIds());
    List<Integer> ends = new ArrayList<>();
    if (first.isPresent() && (rest.isEmpty() || rest.remove(first.getAsInt()))) {
      ends.add(first.getAsInt());
    }
    ends.addAll(rest);
    if (ends.size() > 3) {
      throw new ModelFormatException(
          "%s: %d ids end a text, %s, but GGUF files name at most 3"
              .formatted(file, ends.size(), ends));
    }
    return ends;
  }

  private static OptionalInt at(List<Integer> ids, int index) {
    return index < ids.size() ? OptionalInt.of(ids.get(index)) : OptionalInt.empty();
  }

  /** Writes the special tokens of a model that came without a tokenizer. */
  static void writeIds(GgufWriter writer, Path directory, GenerationConfig generation) {
    List<Integer> ends = endOfTextIds(directory, OptionalInt.empty(), generation);
    GgufVocabulary.writeIds(
        writer,
        generation.beginningOfTextId(),
        at(ends, 0),
        at(ends, 1),
        at(ends, 2),
        generation.paddingId());
  }

  /** A special token that {@code tokenizer_config.json} names by its text or an object. */
  private OptionalInt special(String key, OptionalInt absent) {
    if (config == null || !config.has(key)) {
      return absent;
    }
    JsonNode value = config.value(key);
    String token = value.isObject() ? value.path("content").asText() : value.asText();
    OptionalInt id = id(token);
    if (id.isEmpty()) {
      throw config.error(key, "a token of " + json.file().getFileName());
    }
    return id;
  }

  private OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** The parts of a component, which is missing, a single one, or a sequence. */
  private List<JsonNode> parts(String key, String partsKey) {
    if (!json.has(key)) {
      return List.of();
    }
    JsonNode component = json.value(key);
    if (!type(component).equals("Sequence")) {
      return List.of(component);
    }
    List<JsonNode> parts = new ArrayList<>();
    component.path(partsKey).forEach(parts::add);
    return parts;
  }

  private static String type(JsonNode component) {
    return component.path("type").asText();
  }
}
