package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class StreamingDecoderTest {
  private static final int BYTES = 256;
  private static final int SPECIAL = BYTES;
  private static final int HELLO = BYTES + 1;
  private static final int WORLD = BYTES + 2;
  private static final int HALF_EMOJI = BYTES + 3;
  private static final int ABSENT = BYTES + 4;
  private static final int SPACES = BYTES + 5;
  private static final int EMPTY = BYTES + 6;
  private static final int IDS = BYTES + 7;

  @Test
  void returnsACharacterWithItsLastByte() {
    var decoder = new StreamingDecoder(new BytesTokenizer(false));
    byte[] emoji = "😀".getBytes(StandardCharsets.UTF_8);
    assertThat(decoder.append(emoji[0] & 0xFF)).isEmpty();
    assertThat(decoder.append(emoji[1] & 0xFF)).isEmpty();
    assertThat(decoder.append(emoji[2] & 0xFF)).isEmpty();
    assertThat(decoder.text()).isEmpty();
    assertThat(decoder.append(emoji[3] & 0xFF)).isEqualTo("😀");
    assertThat(decoder.text()).isEqualTo("😀");
    assertThat(decoder.flush()).isEmpty();
  }

  @Test
  void flushEndsAnUnfinishedCharacter() {
    var decoder = new StreamingDecoder(new BytesTokenizer(false));
    assertThat(decoder.append(HALF_EMOJI)).isEmpty();
    assertThat(decoder.flush()).isEqualTo("\uFFFD");
    assertThat(decoder.flush()).isEmpty();
    assertThat(decoder.text()).isEqualTo("\uFFFD");
    assertThatIllegalStateException().isThrownBy(() -> decoder.append(HELLO));
  }

  @Test
  void dropsTheSpaceBeforeATextButNotBeforeAContinuation() {
    var tokenizer = new BytesTokenizer(true);
    var text = new StreamingDecoder(tokenizer);
    assertThat(text.append(HELLO)).isEqualTo("Hello");
    assertThat(text.append(WORLD)).isEqualTo(" world");

    var continuation = new StreamingDecoder(tokenizer, new int[] {SPECIAL, HELLO, SPECIAL});
    assertThat(continuation.append(SPECIAL)).isEmpty();
    assertThat(continuation.append(WORLD)).isEqualTo(" world");
    assertThat(continuation.text()).isEqualTo(" world");

    var afterSpecialOnly = new StreamingDecoder(tokenizer, new int[] {SPECIAL});
    assertThat(afterSpecialOnly.append(HELLO)).isEqualTo("Hello");
  }

  @Test
  void completesACharacterOfTheContext() {
    var decoder = new StreamingDecoder(new BytesTokenizer(true), new int[] {HELLO, HALF_EMOJI});
    assertThat(decoder.append(0x98)).isEmpty();
    assertThat(decoder.append(0x80)).isEqualTo("😀");
  }

  @Test
  void aCopyGoesItsOwnWay() {
    var first = new StreamingDecoder(new BytesTokenizer(true));
    first.append(HELLO);
    first.append(HALF_EMOJI);
    var second = new StreamingDecoder(first);
    first.append(0x98);
    first.append(0x80);
    second.append(WORLD);
    assertThat(first.text()).isEqualTo("Hello😀");
    assertThat(second.text()).isEqualTo("Hello\uFFFD\uFFFD world");
  }

  @Test
  void refusesANegativeId() {
    var decoder = new StreamingDecoder(new BytesTokenizer(false));
    assertThatIllegalArgumentException().isThrownBy(() -> decoder.append(-1));
  }

  /** However long the text and whatever the tokens, few of them are decoded for each new one. */
  @Property(tries = 100)
  void worksOnAFewTokensAtATime(@ForAll boolean dropsFirstSpace, @ForAll("token") int id) {
    var tokenizer = new BytesTokenizer(dropsFirstSpace);
    var decoder = new StreamingDecoder(tokenizer);
    for (int i = 0; i < 1000; i++) {
      decoder.append(id);
    }
    decoder.flush();
    assertThat(tokenizer.longest).isLessThanOrEqualTo(id == EMPTY ? 1000 : 32);
    assertThat(decoder.text())
        .isEqualTo(tokenizer.decode(IntStream.generate(() -> id).limit(1000).toArray(), true));
  }

  @Property
  void piecesJoinToTheDecodedText(@ForAll boolean dropsFirstSpace, @ForAll("tokens") int[] ids) {
    var tokenizer = new BytesTokenizer(dropsFirstSpace);
    var decoder = new StreamingDecoder(tokenizer);
    StringBuilder pieces = new StringBuilder();
    for (int id : ids) {
      String piece = decoder.append(id);
      pieces.append(piece);
      assertThat(decoder.text()).hasToString(pieces.toString());
    }
    pieces.append(decoder.flush());
    assertThat(pieces.toString()).isEqualTo(tokenizer.decode(ids, true));
  }

  @Property
  void aContinuationIsTheRestOfTheDecodedText(
      @ForAll boolean dropsFirstSpace,
      @ForAll("tokens") int[] context,
      @ForAll("tokens") int[] ids) {
    var tokenizer = new BytesTokenizer(dropsFirstSpace);
    int[] wholeContext = Arrays.copyOf(context, context.length + 1);
    wholeContext[context.length] = 'x';
    int[] all = Arrays.copyOf(wholeContext, wholeContext.length + ids.length);
    System.arraycopy(ids, 0, all, wholeContext.length, ids.length);

    var decoder = new StreamingDecoder(tokenizer, wholeContext);
    for (int id : ids) {
      decoder.append(id);
    }
    decoder.flush();
    assertThat(tokenizer.decode(wholeContext, true) + decoder.text())
        .isEqualTo(tokenizer.decode(all, true));
  }

  @Provide
  Arbitrary<Integer> token() {
    return Arbitraries.oneOf(
        Arbitraries.integers().between(0, 0x7F),
        Arbitraries.integers().between(0x80, 0xBF),
        Arbitraries.integers().between(0xC0, 0xFF),
        Arbitraries.integers().between(SPECIAL, IDS - 1));
  }

  @Provide
  Arbitrary<int[]> tokens() {
    return token().array(int[].class).ofMaxSize(80);
  }

  /**
   * A tokenizer whose tokens are single bytes, two words, two spaces and the first half of an
   * emoji; like SentencePiece's it may drop the first space of a text, and then puts a U+FFFD for
   * each byte that is not part of a character instead of one for several.
   */
  private static final class BytesTokenizer implements Tokenizer {
    private final boolean dropsFirstSpace;

    /** The most tokens decoded at once. */
    private int longest;

    BytesTokenizer(boolean dropsFirstSpace) {
      this.dropsFirstSpace = dropsFirstSpace;
    }

    @Override
    public int size() {
      return IDS;
    }

    @Override
    public int[] encode(String text, boolean specialTokens) {
      throw new UnsupportedOperationException("not needed here");
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
      longest = Math.max(longest, ids.length);
      var bytes = new ByteArrayOutputStream();
      for (int id : ids) {
        switch (id) {
          case SPECIAL -> bytes.writeBytes(bytes(skipSpecialTokens ? "" : "<s>"));
          case HELLO -> bytes.writeBytes(bytes(" Hello"));
          case WORLD -> bytes.writeBytes(bytes(" world"));
          case SPACES -> bytes.writeBytes(bytes("  "));
          case HALF_EMOJI -> bytes.write(bytes("😀"), 0, 2);
          case ABSENT, EMPTY -> {}
          default -> bytes.write(id);
        }
      }
      if (!dropsFirstSpace) {
        return bytes.toString(StandardCharsets.UTF_8);
      }
      String text = replacingEachByte(bytes.toByteArray());
      return text.startsWith(" ") ? text.substring(1) : text;
    }

    private static String replacingEachByte(byte[] bytes) {
      CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
      ByteBuffer in = ByteBuffer.wrap(bytes);
      CharBuffer out = CharBuffer.allocate(bytes.length);
      while (in.hasRemaining()) {
        CoderResult result = utf8.decode(in, out, true);
        if (result.isMalformed()) {
          in.get();
          out.put('\uFFFD');
        }
      }
      return out.flip().toString();
    }

    private static byte[] bytes(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Optional<String> token(int id) {
      if (id < 0) {
        throw new IllegalArgumentException("token id " + id + " is negative");
      }
      return id == ABSENT || id >= IDS ? Optional.empty() : Optional.of("token " + id);
    }

    @Override
    public boolean isSpecial(int id) {
      return id == SPECIAL;
    }
  }
}
