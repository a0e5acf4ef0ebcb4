package io.github.eft4j.models.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files, damaged ones too. */
final class SafetensorsFiles {
  private SafetensorsFiles() {}

  /** Writes a header, in which single quotes stand for double ones, and bytes 0, 1, 2, … */
  static void write(Path file, String header, int dataBytes) throws IOException {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    byte[] data = new byte[dataBytes];
    for (int i = 0; i < dataBytes; i++) {
      data[i] = (byte) i;
    }
    write(file, json.length, json, data);
  }

  /** Writes the three parts of a file, whatever the length says. */
  static void write(Path file, long length, byte[] header, byte[] data) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Long.BYTES + header.length + data.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(length)
            .put(header)
            .put(data);
    Files.write(file, bytes.array());
  }
}
