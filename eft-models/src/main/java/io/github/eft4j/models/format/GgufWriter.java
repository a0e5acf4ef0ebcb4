package io.github.eft4j.models.format;

import io.github.eft4j.tensor.WeightType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.IntConsumer;

/**
 * Writes a GGUF file of version 3: metadata and tensors are declared, then all is written at once.
 * The file appears under its name only when it is complete. Not safe for use by several threads at
 * once.
 *
 * <p>A key that is set twice is written twice, which readers refuse.
 */
public final class GgufWriter {
  private static final int ALIGNMENT = 32;

  /** Writes a tensor's weights. */
  @FunctionalInterface
  public interface Weights {
    /**
     * Writes all weights, row after row.
     *
     * @param out takes them; not to be closed
     * @throws IOException if they cannot be read or written
     */
    void writeTo(OutputStream out) throws IOException;
  }

  private record Tensor(
      String name, WeightType type, List<Long> shape, long bytes, Weights weights) {}

  private final ByteArrayOutputStream pairs = new ByteArrayOutputStream();
  private final List<Tensor> tensors = new ArrayList<>();
  private long pairCount;

  /** Makes a writer of a file without metadata and tensors. */
  public GgufWriter() {}

  /**
   * Sets a text.
   *
   * @param key the name in the metadata
   * @param value the text
   */
  public void string(String key, String value) {
    key(key, GgufValueType.STRING);
    put(pairs, value);
  }

  /**
   * Sets an integer.
   *
   * @param key the name in the metadata
   * @param value the integer, whose 32 bits are stored as an unsigned number
   */
  public void uint32(String key, int value) {
    key(key, GgufValueType.UINT32);
    put(pairs, value);
  }

  /**
   * Sets a number, which is rounded to single precision.
   *
   * @param key the name in the metadata
   * @param value the number
   */
  public void float32(String key, double value) {
    key(key, GgufValueType.FLOAT32);
    put(pairs, Float.floatToIntBits((float) value));
  }

  /**
   * Sets a truth value.
   *
   * @param key the name in the metadata
   * @param value the truth value
   */
  public void bool(String key, boolean value) {
    key(key, GgufValueType.BOOL);
    pairs.write(value ? 1 : 0);
  }

  /**
   * Sets a list of texts.
   *
   * @param key the name in the metadata
   * @param values the texts
   */
  public void strings(String key, List<String> values) {
    array(key, GgufValueType.STRING, values.size());
    for (String value : values) {
      put(pairs, value);
    }
  }

  /**
   * Sets a list of numbers.
   *
   * @param key the name in the metadata
   * @param values the numbers
   */
  public void floats(String key, float[] values) {
    array(key, GgufValueType.FLOAT32, values.length);
    for (float value : values) {
      put(pairs, Float.floatToIntBits(value));
    }
  }

  /**
   * Sets a list of signed 32-bit integers.
   *
   * @param key the name in the metadata
   * @param values the integers
   */
  public void integers(String key, int[] values) {
    array(key, GgufValueType.INT32, values.length);
    for (int value : values) {
      put(pairs, value);
    }
  }

  private void array(String key, GgufValueType element, int count) {
    key(key, GgufValueType.ARRAY);
    put(pairs, element.id());
    put(pairs, (long) count);
  }

  private void key(String key, GgufValueType type) {
    pairCount++;
    put(pairs, key);
    put(pairs, type.id());
  }

  /**
   * Declares a tensor.
   *
   * @param name its GGUF name
   * @param type how its weights are stored
   * @param shape its dimensions, slowest first
   * @param weights writes its weights, exactly as many bytes as the type and shape need
   * @throws ArithmeticException if the size in bytes is beyond 64 bits
   */
  public void tensor(String name, WeightType type, List<Long> shape, Weights weights) {
    long bytes = type.bytes(shape.stream().reduce(1L, Math::multiplyExact));
    tensors.add(new Tensor(name, type, List.copyOf(shape), bytes, weights));
  }

  /**
   * Writes the file. An existing one is replaced; if anything goes wrong, it stays as it was.
   *
   * @param file the file
   * @param progress hears the number of tensors written, after each
   * @throws IOException if it cannot be written
   * @throws IllegalStateException if a tensor's weights are not as many bytes as were declared
   */
  public void write(Path file, IntConsumer progress) throws IOException {
    Path temporary = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID());
    try {
      try (OutputStream out =
          Files.newOutputStream(
              temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        writeTo(new Counter(out), progress);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private void writeTo(Counter out, IntConsumer progress) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    head.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    put(head, 3);
    put(head, (long) tensors.size());
    put(head, pairCount);
    pairs.writeTo(head);
    long offset = 0;
    for (Tensor tensor : tensors) {
      put(head, tensor.name);
      put(head, tensor.shape.size());
      for (long dimension : tensor.shape.reversed()) {
        put(head, dimension);
      }
      put(head, GgufTensorType.id(tensor.type));
      put(head, offset);
      offset += tensor.bytes + padding(tensor.bytes);
    }
    head.writeTo(out);
    for (int i = 0; i < tensors.size(); i++) {
      Tensor tensor = tensors.get(i);
      out.write(new byte[padding(out.written)]);
      long start = out.written;
      tensor.weights.writeTo(out);
      if (out.written - start != tensor.bytes) {
        throw new IllegalStateException(
            "tensor %s: %d bytes written, %d declared"
                .formatted(tensor.name, out.written - start, tensor.bytes));
      }
      progress.accept(i + 1);
    }
    out.write(new byte[padding(out.written)]);
  }

  /** The number of bytes to the next multiple of the alignment. */
  private static int padding(long position) {
    return (int) (-position & (ALIGNMENT - 1));
  }

  private static void put(ByteArrayOutputStream out, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    put(out, (long) bytes.length);
    out.writeBytes(bytes);
  }

  private static void put(ByteArrayOutputStream out, int value) {
    out.writeBytes(
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void put(ByteArrayOutputStream out, long value) {
    out.writeBytes(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  /** Counts what is written. */
  private static final class Counter extends OutputStream {
    private final OutputStream out;
    private long written;

    Counter(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
      written++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
      written += length;
    }
  }
}
