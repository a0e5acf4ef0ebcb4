package io.github.eft4j;

import java.util.Arrays;

/**
 * Turns token ids into text while they arrive, one at a time. What it returns consists of whole
 * characters only: bytes of a character whose other bytes are still to come are held back. Joined
 * together, the pieces are exactly what {@link Tokenizer#decode} makes of all the tokens at once.
 *
 * <p>A token has no text of its own: a character may be spread over several, and some tokenizers
 * drop the space before the first token of a text. So each token is decoded together with a few
 * that came before it, at most {@value #WINDOW} as a rule, and the work for a token does not grow
 * with the text. This relies on two properties of a tokenizer. A token's text depends on earlier
 * tokens only through the bytes of an unfinished character and through being the first of a text;
 * and a character, once whole, does not change with later tokens.
 *
 * <p>Special tokens are skipped. Not safe for use by several threads at once.
 */
public final class StreamingDecoder {
  /** Tokens that are decoded together before the older half of them is forgotten. */
  private static final int WINDOW = 16;

  /** Bytes of UTF-8 that can wait for the rest of their character, each decoded as U+FFFD. */
  private static final int MAX_UNFINISHED = 3;

  private static final char REPLACEMENT = '\uFFFD';

  private final Tokenizer tokenizer;
  private final StringBuilder text;

  /** The latest tokens that are not special: {@code window[0 .. size)}. */
  private int[] window;

  private int size;

  /** The size at which older tokens are forgotten. */
  private int limit = WINDOW;

  /** The text of the window, of which the first {@code settled} characters have been returned. */
  private String windowText;

  private int settled;
  private boolean flushed;

  /**
   * A decoder for a text that begins with the first token appended.
   *
   * @param tokenizer decodes the tokens
   */
  public StreamingDecoder(Tokenizer tokenizer) {
    this(tokenizer, new int[0]);
  }

  /**
   * A decoder for the continuation of other tokens, so that a space which opens the continuation is
   * kept. If the context ends within a character, that character counts to the continuation.
   *
   * @param tokenizer decodes the tokens
   * @param contextIds the tokens before the first one appended, possibly none; only the last
   *     {@value #WINDOW} that are not special matter
   * @throws IllegalArgumentException if an id is negative
   */
  public StreamingDecoder(Tokenizer tokenizer, int[] contextIds) {
    this.tokenizer = tokenizer;
    this.text = new StringBuilder();
    int[] visible = Arrays.stream(contextIds).filter(this::isVisible).toArray();
    this.size = Math.min(visible.length, WINDOW);
    this.window =
        Arrays.copyOf(
            Arrays.copyOfRange(visible, visible.length - size, visible.length), 2 * WINDOW);
    this.windowText = decodeWindow(0);
    this.settled = settledLength(windowText);
  }

  /**
   * A decoder that has seen what another one has seen, for a second continuation of the same text.
   *
   * @param other the decoder to copy, which stays as it is
   */
  public StreamingDecoder(StreamingDecoder other) {
    this.tokenizer = other.tokenizer;
    this.text = new StringBuilder(other.text);
    this.window = other.window.clone();
    this.size = other.size;
    this.limit = other.limit;
    this.windowText = other.windowText;
    this.settled = other.settled;
    this.flushed = other.flushed;
  }

  /**
   * Appends a token.
   *
   * @param id the token id
   * @return the characters that became whole with this token, possibly none
   * @throws IllegalArgumentException if the id is negative
   * @throws IllegalStateException after {@link #flush}
   */
  public String append(int id) {
    if (flushed) {
      throw new IllegalStateException("The text has been flushed; it takes no further tokens");
    }
    if (!isVisible(id)) {
      return "";
    }
    if (size >= limit) {
      forgetOldest();
    }
    if (size == window.length) {
      window = Arrays.copyOf(window, 2 * size);
    }
    window[size++] = id;
    windowText = decodeWindow(0);
    return settle(settledLength(windowText));
  }

  /**
   * Ends the text. Calling it again has no effect.
   *
   * @return what was held back, with U+FFFD for an unfinished character; usually empty
   */
  public String flush() {
    flushed = true;
    return settle(windowText.length());
  }

  /**
   * All text returned so far.
   *
   * @return the text, without what is held back
   */
  public String text() {
    return text.toString();
  }

  private boolean isVisible(int id) {
    return tokenizer.token(id).isPresent() && !tokenizer.isSpecial(id);
  }

  private String settle(int length) {
    if (length <= settled) {
      return "";
    }
    String piece = windowText.substring(settled, length);
    settled = length;
    text.append(piece);
    return piece;
  }

  /**
   * Drops the older half of the window. The text of the newer half may begin differently from how
   * it read in the window: a space is dropped, or a character lacks its first bytes. UTF-8 is in
   * step again after three bytes, so the window is cut only if the texts agree beyond those.
   */
  private void forgetOldest() {
    int from = size / 2;
    String newer = decodeWindow(from);
    int held = windowText.length() - settled;
    if (newer.length() > MAX_UNFINISHED + held
        && windowText.endsWith(newer.substring(MAX_UNFINISHED))) {
      System.arraycopy(window, from, window, 0, size - from);
      size -= from;
      windowText = newer;
      settled = newer.length() - held;
      limit = WINDOW;
    } else {
      limit = 2 * size;
    }
  }

  private String decodeWindow(int from) {
    return tokenizer.decode(Arrays.copyOfRange(window, from, size), true);
  }

  /** The length without the replacement characters at the end that may yet become others. */
  private static int settledLength(String text) {
    int length = text.length();
    int least = Math.max(0, length - MAX_UNFINISHED);
    while (length > least && text.charAt(length - 1) == REPLACEMENT) {
      length--;
    }
    return length;
  }
}
