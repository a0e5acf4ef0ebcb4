package io.github.eft4j.models.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Puts GGUF files together field by field, damaged ones too. */
final class GgufBytes {
  static final int UINT32 = 4;
  static final int FLOAT32 = 6;
  static final int STRING = 8;
  static final int ARRAY = 9;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /** Magic number, version and counts. */
  static GgufBytes header(int version, long tensors, long pairs) {
    return new GgufBytes().raw("GGUF").int32(version).int64(tensors).int64(pairs);
  }

  GgufBytes raw(String text) {
    bytes.writeBytes(text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  GgufBytes raw(byte... data) {
    bytes.writeBytes(data);
    return this;
  }

  GgufBytes int32(int value) {
    return raw(buffer(4).putInt(value).array());
  }

  GgufBytes int64(long value) {
    return raw(buffer(8).putLong(value).array());
  }

  GgufBytes string(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return int64(utf8.length).raw(utf8);
  }

  GgufBytes uint32(String key, int value) {
    return string(key).int32(UINT32).int32(value);
  }

  GgufBytes float32(String key, float value) {
    return string(key).int32(FLOAT32).int32(Float.floatToIntBits(value));
  }

  GgufBytes text(String key, String value) {
    return string(key).int32(STRING).string(value);
  }

  /** The head of an array, without its elements. */
  GgufBytes array(String key, int element, long count) {
    return string(key).int32(ARRAY).int32(element).int64(count);
  }

  /** What a file says of a tensor. Dimensions are fastest first. */
  GgufBytes tensor(String name, int type, long offset, long... dimensions) {
    string(name).int32(dimensions.length);
    for (long dimension : dimensions) {
      int64(dimension);
    }
    return int32(type).int64(offset);
  }

  /** Zeros up to a multiple of 32, then the bytes 0, 1, 2, … */
  GgufBytes data(int count) {
    bytes.writeBytes(new byte[-bytes.size() & 31]);
    for (int i = 0; i < count; i++) {
      bytes.write(i);
    }
    return this;
  }

  byte[] toArray() {
    return bytes.toByteArray();
  }

  Path write(Path directory) throws IOException {
    return Files.write(directory.resolve("model.gguf"), toArray());
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
