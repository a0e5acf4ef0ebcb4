package io.github.eft4j.models.format;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The vocabulary that a GGUF file carries, with everything that a tokenizer is built from. Defaults
 * that the format prescribes are filled in.
 *
 * @param model the algorithm: {@code llama} (SentencePiece), {@code gpt2} (byte-level byte-pair
 *     encoding), or another
 * @param pre how text is split before byte-pair encoding, such as {@code llama-bpe} or {@code
 *     falcon}; empty if the file does not say
 * @param tokens the token of each id
 * @param scores the score of each id, or nothing if the file has none
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
    float @Nullable [] scores,
    int @Nullable [] types,
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
    if (scores != null) {
      checkLength("scores", scores.length, tokens.size());
    }
    if (types != null) {
      checkLength("token types", types.length, tokens.size());
    }
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
    if (length != tokens) {
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
              metadata.floats(PREFIX + "scores").orElse(null),
              metadata.integers(PREFIX + "token_type").orElse(null),
              metadata.strings(PREFIX + "merges").orElse(List.of()),
              id(file, "bos_token_id"),
              id(file, "eos_token_id"),
              id(file, "eot_token_id"),
              id(file, "eom_token_id"),
              id(file, "unknown_token_id"),
              id(file, "padding_token_id"),
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

  private static OptionalInt id(GgufFile file, String key) {
    long id = file.metadata().integer(PREFIX + key).orElse(NO_TOKEN);
    // Files write "none" as -1 of 32 bits, signed or not.
    if (id == NO_TOKEN || id == -1) {
      return OptionalInt.empty();
    }
    if (id < 0 || id > Integer.MAX_VALUE) {
      throw new ModelFormatException(
          "%s: %s%s is %d, expected a token id".formatted(file.path(), PREFIX, key, id));
    }
    return OptionalInt.of((int) id);
  }

  /**
   * The ids that end a text in the eyes of a decoding loop: of the text, of a turn, of a message.
   *
   * @return the ids, possibly none
   */
  public Set<Integer> endOfTextIds() {
    Set<Integer> ids = new LinkedHashSet<>();
    endOfText.ifPresent(ids::add);
    endOfTurn.ifPresent(ids::add);
    endOfMessage.ifPresent(ids::add);
    return Collections.unmodifiableSet(ids);
  }
}
