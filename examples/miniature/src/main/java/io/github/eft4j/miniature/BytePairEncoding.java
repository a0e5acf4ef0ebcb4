package io.github.eft4j.miniature;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A byte-level byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909; on bytes: Radford et al.
 * 2019), learned from text.
 *
 * @param vocabulary the tokens in order of their ids, the special ones first
 * @param merges the pairs of tokens that are joined, in this order
 */
record BytePairEncoding(List<String> vocabulary, List<Pair> merges) {
  /** How GPT-2 splits text before it encodes, and with it Hugging Face's {@code ByteLevel}. */
  private static final Pattern WORD =
      Pattern.compile(
          "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

  private static final int BYTES = 256;

  /** Copies the lists. */
  BytePairEncoding {
    vocabulary = List.copyOf(vocabulary);
    merges = List.copyOf(merges);
  }

  /**
   * Two tokens that stand side by side.
   *
   * @param left the first one
   * @param right the second one
   */
  record Pair(String left, String right) {
    String joined() {
      return left + right;
    }
  }

  /** A word as tokens, and how often it occurs. */
  private static final class Word {
    private final List<String> tokens;
    private long count;

    private Word(String text) {
      tokens = new ArrayList<>();
      for (byte b : text.getBytes(UTF_8)) {
        tokens.add(symbol(b & 0xff));
      }
    }

    private void join(Pair pair) {
      for (int i = 0; i + 1 < tokens.size(); i++) {
        if (tokens.get(i).equals(pair.left()) && tokens.get(i + 1).equals(pair.right())) {
          tokens.set(i, pair.joined());
          tokens.remove(i + 1);
        }
      }
    }
  }

  /**
   * Learns an encoding: joins the most frequent pair of neighbours, time after time.
   *
   * @param texts the text to learn from
   * @param special tokens that stand for no text
   * @param size the number of tokens to come to
   * @return the encoding
   */
  static BytePairEncoding learn(Iterable<String> texts, List<String> special, int size) {
    Map<String, Word> words = new LinkedHashMap<>();
    for (String text : texts) {
      for (Matcher matcher = WORD.matcher(text); matcher.find(); ) {
        words.computeIfAbsent(matcher.group(), Word::new).count++;
      }
    }
    List<String> vocabulary = new ArrayList<>(special);
    IntStream.range(0, BYTES).mapToObj(BytePairEncoding::symbol).sorted().forEach(vocabulary::add);
    List<Pair> merges = new ArrayList<>();
    while (vocabulary.size() < size) {
      Pair best = mostFrequent(words.values());
      merges.add(best);
      vocabulary.add(best.joined());
      words.values().forEach(word -> word.join(best));
    }
    return new BytePairEncoding(vocabulary, merges);
  }

  private static Pair mostFrequent(Iterable<Word> words) {
    Map<Pair, Long> counts = new HashMap<>();
    for (Word word : words) {
      for (int i = 0; i + 1 < word.tokens.size(); i++) {
        counts.merge(new Pair(word.tokens.get(i), word.tokens.get(i + 1)), word.count, Long::sum);
      }
    }
    // Of equally frequent ones the first in the alphabet, so that the outcome is always the same.
    return counts.entrySet().stream()
        .min(
            Map.Entry.<Pair, Long>comparingByValue()
                .reversed()
                .thenComparing(e -> e.getKey().left())
                .thenComparing(e -> e.getKey().right()))
        .orElseThrow(() -> new IllegalArgumentException("there is too little text for the size"))
        .getKey();
  }

  /** The printable character that stands for a byte, as GPT-2 has it. */
  private static String symbol(int value) {
    if (printable(value)) {
      return Character.toString(value);
    }
    int others = (int) IntStream.range(0, value).filter(b -> !printable(b)).count();
    return Character.toString(BYTES + others);
  }

  private static boolean printable(int value) {
    return (value >= '!' && value <= '~')
        || (value >= 0xa1 && value <= 0xac)
        || (value >= 0xae && value <= 0xff);
  }

  /**
   * What {@code tokenizer.json} says.
   *
   * @param special the tokens that stand for no text
   * @return the content of the file
   */
  Map<String, Object> json(List<String> special) {
    Map<String, Object> byteLevel = new TreeMap<>();
    byteLevel.put("type", "ByteLevel");
    byteLevel.put("add_prefix_space", false);
    byteLevel.put("trim_offsets", true);
    byteLevel.put("use_regex", true);
    Map<String, Integer> ids = new LinkedHashMap<>();
    vocabulary.forEach(token -> ids.put(token, ids.size()));
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("vocab", ids);
    model.put("merges", merges.stream().map(pair -> List.of(pair.left(), pair.right())).toList());
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put(
        "added_tokens",
        special.stream().map(token -> added(token, vocabulary.indexOf(token))).toList());
    json.put("pre_tokenizer", byteLevel);
    json.put("decoder", byteLevel);
    json.put("model", model);
    return json;
  }

  private static Map<String, Object> added(String token, int id) {
    Map<String, Object> added = new LinkedHashMap<>();
    added.put("id", id);
    added.put("content", token);
    added.put("single_word", false);
    added.put("lstrip", false);
    added.put("rstrip", false);
    added.put("normalized", false);
    added.put("special", true);
    return added;
  }
}
