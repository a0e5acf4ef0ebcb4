package io.github.eft4j.models.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import io.github.eft4j.models.format.ModelFormatException;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongFunction;
import java.util.function.LongUnaryOperator;

/**
 * A tokenizer of Hugging Face's Rust library.
 *
 * <p>This calls the library below DJL's own class, which on creation looks for a cloud service to
 * report its use to, truncates by default, and builds five more arrays for each text.
 */
final class NativeTokenizer implements AutoCloseable {
  private static final long CLOSED = 0;

  private final String source;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private long handle;

  NativeTokenizer(String source, String json) {
    this.source = source;
    try {
      LibUtils.checkStatus();
    } catch (EngineException e) {
      throw new IllegalStateException(
          "The native library of the Hugging Face tokenizers cannot be loaded. Where a GPU is"
              + " found, DJL downloads another build of it unless java runs with"
              + " -Dai.djl.offline=true",
          e);
    }
    try {
      this.handle = TokenizersLibrary.LIB.createTokenizerFromString(json);
    } catch (RuntimeException e) {
      throw new ModelFormatException(
          "%s: the tokenizer is malformed or of an unknown kind: %s"
              .formatted(source, e.getMessage()),
          e);
    }
    TokenizersLibrary.LIB.disableTruncation(handle);
    TokenizersLibrary.LIB.disablePadding(handle);
  }

  int[] encode(String text, boolean specialTokens) {
    // A surrogate on its own has no UTF-8 form; the library would garble all of the text.
    String valid = toValidUtf16(text);
    long[] ids =
        withEncoding(
            tokenizer -> TokenizersLibrary.LIB.encode(tokenizer, valid, specialTokens),
            TokenizersLibrary.LIB::getTokenIds);
    return toInts(ids);
  }

  /** Encodes two texts together, with the special tokens that belong around and between them. */
  EncodedPair encodePair(String first, String second) {
    String validFirst = toValidUtf16(first);
    String validSecond = toValidUtf16(second);
    return withEncoding(
        tokenizer -> TokenizersLibrary.LIB.encodeDual(tokenizer, validFirst, validSecond, true),
        encoding ->
            new EncodedPair(
                toInts(TokenizersLibrary.LIB.getTokenIds(encoding)),
                toInts(TokenizersLibrary.LIB.getTypeIds(encoding))));
  }

  private <T> T withEncoding(LongUnaryOperator encode, LongFunction<T> read) {
    return withHandle(
        tokenizer -> {
          long encoding = encode.applyAsLong(tokenizer);
          try {
            return read.apply(encoding);
          } finally {
            TokenizersLibrary.LIB.deleteEncoding(encoding);
          }
        });
  }

  private static int[] toInts(long[] numbers) {
    int[] result = new int[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      result[i] = Math.toIntExact(numbers[i]);
    }
    return result;
  }

  String decode(long[] ids) {
    return withHandle(tokenizer -> TokenizersLibrary.LIB.decode(tokenizer, ids, false));
  }

  /** Runs a call that the tokenizer survives: it is not freed meanwhile. */
  private <T> T withHandle(LongFunction<T> call) {
    Lock reading = lock.readLock();
    reading.lock();
    try {
      if (handle == CLOSED) {
        throw new IllegalStateException(source + ": the tokenizer is closed");
      }
      return call.apply(handle);
    } finally {
      reading.unlock();
    }
  }

  @Override
  public void close() {
    Lock writing = lock.writeLock();
    writing.lock();
    try {
      if (handle != CLOSED) {
        TokenizersLibrary.LIB.deleteTokenizer(handle);
        handle = CLOSED;
      }
    } finally {
      writing.unlock();
    }
  }

  private static String toValidUtf16(String text) {
    StringBuilder valid = new StringBuilder(text.length());
    text.codePoints()
        .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? '\uFFFD' : c)
        .forEach(valid::appendCodePoint);
    return valid.toString();
  }
}
