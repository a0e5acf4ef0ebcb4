package io.github.eft4j.models.format;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The vocabulary that a GGUF file carries, with everything that a tokenizer is built from. Defaults
 * that the format prescribes are filled in.
 *
 * @param model the algorithm: {@code llama} (SentencePiece), {@code gpt2} (byte-level byte-pair
 *     encoding), or another
 * @param pre how text is split before byte-pair encoding, such as {@code llama-bpe} or {@code
 *     falcon}; empty if the file does not say
 * @param tokens the token of each id
 * @param scores the score of each id, or empty if the file has none
 * @param types the type of each id, one of the constants of this class, or nothing if the file has
 *     none
 * @param merges the pairs that byte-pair encoding joins, the first ones first, each with a space
 *     between its parts; empty if the file has none
 * @param beginOfText the id that begins a text
 * @param endOfText the id that ends a text
 * @param endOfTurn the id that ends a chat turn
 * @param endOfMessage the id that ends a message to a tool
 * @param unknown the id for text that has no token
 * @param padding the id that fills up batches
 * @param addBeginOfText whether a text is to begin with {@code beginOfText}
 * @param addEndOfText whether a text is to end with {@code endOfText}
 * @param addSpacePrefix whether a space is put before a text ({@code llama} only)
 */
@SuppressWarnings("ArrayRecordComponent") // one number a token: lists would box
public record GgufVocabulary(
    String model,
    String pre,
    List<String> tokens,
    float[] scores,
    int[] types,
    List<String> merges,
    OptionalInt beginOfText,
    OptionalInt endOfText,
    OptionalInt endOfTurn,
    OptionalInt endOfMessage,
    OptionalInt unknown,
    OptionalInt padding,
    boolean addBeginOfText,
    boolean addEndOfText,
    boolean addSpacePrefix) {
  /** The type of a token that stands for text. */
  public static final int NORMAL = 1;

  /** The type of the token for text that has no token. */
  public static final int UNKNOWN = 2;

  /** The type of a special token, which stands for no text. */
  public static final int CONTROL = 3;

  /** The type of a token that was added by hand and is never split. */
  public static final int USER_DEFINED = 4;

  /** The type of an id that nothing is encoded to. */
  public static final int UNUSED = 5;

  /** The type of a token that stands for a byte, spelled like {@code <0x0A>}. */
  public static final int BYTE = 6;

  private static final String PREFIX = "tokenizer.ggml.";

  static final String BEGIN_OF_TEXT = PREFIX + "bos_token_id";
  static final String PADDING = PREFIX + "padding_token_id";

  private static final String END_OF_TEXT = PREFIX + "eos_token_id";
  private static final String END_OF_TURN = PREFIX + "eot_token_id";
  private static final String END_OF_MESSAGE = PREFIX + "eom_token_id";
  private static final String UNKNOWN_TOKEN = PREFIX + "unknown_token_id";

  /** How files write that there is no such token. */
  private static final long NO_TOKEN = 0xffffffffL;

  /**
   * Checks that the lists fit together.
   *
   * @throws IllegalArgumentException if there are not as many scores or types as tokens, or an id
   *     has no token
   */
  public GgufVocabulary {
    tokens = List.copyOf(tokens);
    merges = List.copyOf(merges);
    checkLength("scores", scores.length, tokens.size());
    checkLength("token types", types.length, tokens.size());
    for (OptionalInt id :
        List.of(beginOfText, endOfText, endOfTurn, endOfMessage, unknown, padding)) {
      if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= tokens.size())) {
        throw new IllegalArgumentException(
            "special token id %d is outside the vocabulary of %d tokens"
                .formatted(id.getAsInt(), tokens.size()));
      }
    }
  }

  private static void checkLength(String what, int length, int tokens) {
    if (length != 0 && length != tokens) {
      throw new IllegalArgumentException(length + " " + what + " for " + tokens + " tokens");
    }
  }

  /**
   * Reads the vocabulary of a file.
   *
   * @param file the file
   * @return the vocabulary, or empty if the file has none
   * @throws ModelFormatException if a key has a value of the wrong type, or the values do not fit
   *     together
   */
  static Optional<GgufVocabulary> of(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    Optional<List<String>> tokens = metadata.strings(PREFIX + "tokens");
    if (tokens.isEmpty()) {
      return Optional.empty();
    }
    String model =
        metadata
            .string(PREFIX + "model")
            .orElseThrow(
                () -> new ModelFormatException(file.path() + ": there is no " + PREFIX + "model"));
    String pre = metadata.string(PREFIX + "pre").orElse("");
    boolean sentencePiece = model.equals("llama");
    try {
      return Optional.of(
          new GgufVocabulary(
              model,
              pre,
              tokens.get(),
              metadata.floats(PREFIX + "scores").orElse(new float[0]),
              metadata.integers(PREFIX + "token_type").orElse(new int[0]),
              metadata.strings(PREFIX + "merges").orElse(List.of()),
              id(file, BEGIN_OF_TEXT),
              id(file, END_OF_TEXT),
              id(file, END_OF_TURN),
              id(file, END_OF_MESSAGE),
              id(file, UNKNOWN_TOKEN),
              id(file, PADDING),
              metadata.bool(PREFIX + "add_bos_token").orElse(sentencePiece || beginsText(pre)),
              metadata.bool(PREFIX + "add_eos_token").orElse(false),
              metadata.bool(PREFIX + "add_space_prefix").orElse(sentencePiece)));
    } catch (ModelFormatException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(file.path() + ": " + PREFIX + "*: " + e.getMessage(), e);
    }
  }

  /** The splits whose models expect a begin-of-text token even where the file does not say so. */
  private static boolean beginsText(String pre) {
    return switch (pre) {
      case "llama3", "llama-v3", "llama-bpe", "falcon3", "tekken" -> true;
      default -> false;
    };
  }

  /** The id of a special token. */
  static OptionalInt id(GgufFile file, String key) {
    long id = file.metadata().integer(key).orElse(NO_TOKEN);
    // Files write "none" as -1 of 32 bits, signed or not.
    if (id == NO_TOKEN || id == -1) {
      return OptionalInt.empty();
    }
    if (id < 0 || id > Integer.MAX_VALUE) {
      throw new ModelFormatException(
          "%s: %s is %d, expected a token id".formatted(file.path(), key, id));
    }
    return OptionalInt.of((int) id);
  }

  /** Writes the vocabulary, so that reading it gives an equal one. */
  void write(GgufWriter writer) {
    writer.string(PREFIX + "model", model);
    if (!pre.isEmpty()) {
      writer.string(PREFIX + "pre", pre);
    }
    writer.strings(PREFIX + "tokens", tokens);
    if (scores.length > 0) {
      writer.floats(PREFIX + "scores", scores);
    }
    if (types.length > 0) {
      writer.integers(PREFIX + "token_type", types);
    }
    if (!merges.isEmpty()) {
      writer.strings(PREFIX + "merges", merges);
    }
    writeIds(writer, beginOfText, endOfText, endOfTurn, endOfMessage, padding);
    unknown.ifPresent(id -> writer.uint32(UNKNOWN_TOKEN, id));
    writer.bool(PREFIX + "add_bos_token", addBeginOfText);
    writer.bool(PREFIX + "add_eos_token", addEndOfText);
    writer.bool(PREFIX + "add_space_prefix", addSpacePrefix);
  }

  /** Writes the ids of special tokens, which a file may name without having a vocabulary. */
  static void writeIds(
      GgufWriter writer,
      OptionalInt beginOfText,
      OptionalInt endOfText,
      OptionalInt endOfTurn,
      OptionalInt endOfMessage,
      OptionalInt padding) {
    beginOfText.ifPresent(id -> writer.uint32(BEGIN_OF_TEXT, id));
    endOfText.ifPresent(id -> writer.uint32(END_OF_TEXT, id));
    endOfTurn.ifPresent(id -> writer.uint32(END_OF_TURN, id));
    endOfMessage.ifPresent(id -> writer.uint32(END_OF_MESSAGE, id));
    padding.ifPresent(id -> writer.uint32(PADDING, id));
  }

  /** The ids that end a text in the eyes of a decoding loop: a text's, a turn's, a message's. */
  static Set<Integer> endOfTextIds(GgufFile file) {
    Set<Integer> ids = new HashSet<>();
    for (String key : List.of(END_OF_TEXT, END_OF_TURN, END_OF_MESSAGE)) {
      id(file, key).ifPresent(ids::add);
    }
    return ids;
  }
}
