package io.github.eft4j.models.tokenizer;

import io.github.eft4j.Tokenizer;
import io.github.eft4j.models.format.GgufVocabulary;
import io.github.eft4j.models.format.ModelFormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer in the form of Hugging Face's {@code tokenizer.json}, or in that of a GGUF file, run
 * by Hugging Face's own library.
 *
 * <p>Special tokens around a text are those of the file's {@code post_processor}, unless {@code
 * tokenizer_config.json} says with {@code add_bos_token} or {@code add_eos_token} (which Llama's
 * tokenizer classes imply) whether a text begins and ends with one.
 *
 * <p>Decoding goes beyond the library in one respect: where it replaces all of a run of byte tokens
 * (such as {@code <0xE2>}) because one is not part of a character, here the whole characters of the
 * run remain. So a character, once whole, does not change with later tokens. Spaces before
 * punctuation stay as they are, whatever {@code clean_up_tokenization_spaces} says.
 *
 * <p>The library is extracted once from its jar to {@code ~/.djl.ai}, or below the directory that
 * the environment variable {@code DJL_CACHE_DIR} names. On machines with a GPU, DJL downloads
 * another build of it unless the system property {@code ai.djl.offline} is {@code true}.
 *
 * <p>A tokenizer holds memory outside the heap until it is closed, and is safe for use by many
 * threads at once.
 */
public final class HuggingFaceTokenizer implements Tokenizer, AutoCloseable {
  /** A text whose tokens show what is put around them. */
  private static final String PROBE = "a";

  private final Vocabulary vocabulary;
  private final NativeTokenizer tokenizer;

  /** The special tokens before a text and behind it. */
  private final int[] prefix;

  private final int[] suffix;

  private HuggingFaceTokenizer(String source, String json, TokenizerConfig config) {
    this.vocabulary = new Vocabulary(source, JsonFiles.object(source, json));
    this.tokenizer = new NativeTokenizer(source, json);
    try {
      int[] bare = tokenizer.encode(PROBE, false);
      int[] whole = tokenizer.encode(PROBE, true);
      int start = indexOf(whole, bare);
      if (start < 0) {
        throw new ModelFormatException(
            "%s: post_processor turns the tokens %s into %s, expected special tokens around them"
                .formatted(source, Arrays.toString(bare), Arrays.toString(whole)));
      }
      this.prefix =
          adjusted(
              Arrays.copyOf(whole, start),
              config.addBeginOfText(),
              config,
              TokenizerConfig.BEGIN_OF_TEXT);
      this.suffix =
          adjusted(
              Arrays.copyOfRange(whole, start + bare.length, whole.length),
              config.addEndOfText(),
              config,
              TokenizerConfig.END_OF_TEXT);
    } catch (RuntimeException | Error e) {
      tokenizer.close();
      throw e;
    }
  }

  /**
   * Reads {@code tokenizer.json} and {@code tokenizer_config.json}.
   *
   * @param directory a Hugging Face model directory
   * @return the tokenizer, to be closed by the caller, or empty if there is no {@code
   *     tokenizer.json}
   * @throws ModelFormatException if a file is malformed, or names a special token that the
   *     vocabulary lacks
   * @throws IOException if a file cannot be read
   */
  public static Optional<HuggingFaceTokenizer> read(Path directory) throws IOException {
    Path file = directory.resolve("tokenizer.json");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    return Optional.of(
        new HuggingFaceTokenizer(
            file.toString(), JsonFiles.text(file), TokenizerConfig.read(directory)));
  }

  /**
   * Builds the tokenizer of a GGUF file: {@code llama}, which is SentencePiece's byte-pair
   * encoding, or {@code gpt2}, which is that of bytes.
   *
   * @param file the file, for messages
   * @param vocabulary its vocabulary
   * @return the tokenizer, to be closed by the caller
   * @throws ModelFormatException if the vocabulary is of an unsupported kind, lacks what its kind
   *     needs, or contradicts itself
   */
  public static HuggingFaceTokenizer of(Path file, GgufVocabulary vocabulary) {
    String source = file.toString();
    return new HuggingFaceTokenizer(
        source, GgufTokenizer.toJson(source, vocabulary), GgufTokenizer.config(source, vocabulary));
  }

  private static int indexOf(int[] whole, int[] part) {
    for (int i = 0; i + part.length <= whole.length; i++) {
      if (Arrays.equals(whole, i, i + part.length, part, 0, part.length)) {
        return i;
      }
    }
    return -1;
  }

  /** The special tokens at one end of a text, with or without a certain one as a flag says. */
  private int[] adjusted(int[] ids, Optional<Boolean> flag, TokenizerConfig config, String key) {
    if (flag.isEmpty()) {
      return ids;
    }
    @Nullable String token = config.specialTokens().get(key);
    Optional<Integer> id = Optional.ofNullable(token).flatMap(vocabulary::id);
    if (!flag.get()) {
      return Arrays.stream(ids).filter(i -> id.isEmpty() || i != id.get()).toArray();
    }
    if (id.isEmpty()) {
      throw new ModelFormatException(
          "%s: %s is %s, expected a token of the vocabulary, since it is to be added to texts"
              .formatted(config.source(), key, token == null ? "missing" : '"' + token + '"'));
    }
    return new int[] {id.get()};
  }

  @Override
  public int size() {
    return vocabulary.size();
  }

  @Override
  public int[] encode(String text, boolean specialTokens) {
    int[] ids = tokenizer.encode(text, false);
    if (!specialTokens) {
      return ids;
    }
    int[] result = Arrays.copyOf(prefix, prefix.length + ids.length + suffix.length);
    System.arraycopy(ids, 0, result, prefix.length, ids.length);
    System.arraycopy(suffix, 0, result, prefix.length + ids.length, suffix.length);
    return result;
  }

  /**
   * Splits two texts into tokens, with the special tokens that the file's {@code post_processor}
   * puts around and between them. Texts are never truncated.
   *
   * @param first the first text
   * @param second the second text
   * @return the tokens of both
   */
  public EncodedPair encodePair(String first, String second) {
    return tokenizer.encodePair(first, second);
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    int[] visible =
        Arrays.stream(ids)
            .filter(id -> token(id).isPresent() && !(skipSpecialTokens && isSpecial(id)))
            .toArray();
    int @Nullable [] byteIds = vocabulary.byteIds();
    if (byteIds != null) {
      visible = withWholeCharacters(visible, byteIds);
    }
    return tokenizer.decode(Arrays.stream(visible).asLongStream().toArray());
  }

  /** Replaces, in runs of byte tokens, what is not part of a character by the bytes of U+FFFD. */
  private int[] withWholeCharacters(int[] ids, int[] byteIds) {
    IntStream.Builder result = IntStream.builder();
    var run = new ByteArrayOutputStream();
    for (int id : ids) {
      @Nullable Byte value = vocabulary.byteOf(id);
      if (value == null) {
        addCharacters(run, byteIds, result);
        result.add(id);
      } else {
        run.write(value);
      }
    }
    addCharacters(run, byteIds, result);
    return result.build().toArray();
  }

  private static void addCharacters(
      ByteArrayOutputStream run, int[] byteIds, IntStream.Builder result) {
    for (byte b : run.toString(StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8)) {
      result.add(byteIds[b & 0xFF]);
    }
    run.reset();
  }

  @Override
  public Optional<String> token(int id) {
    return vocabulary.token(nonNegative(id));
  }

  @Override
  public boolean isSpecial(int id) {
    return vocabulary.isSpecial(nonNegative(id));
  }

  private static int nonNegative(int id) {
    if (id < 0) {
      throw new IllegalArgumentException("token id " + id + " is negative");
    }
    return id;
  }

  /** Frees the memory outside the heap. Closing twice has no effect. */
  @Override
  public void close() {
    tokenizer.close();
  }
}
