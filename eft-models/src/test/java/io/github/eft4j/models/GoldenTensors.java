package io.github.eft4j.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Expected values from a small safetensors file, which is read as a whole. */
public final class GoldenTensors {
  private final JsonNode header;
  private final ByteBuffer data;

  private GoldenTensors(JsonNode header, ByteBuffer data) {
    this.header = header;
    this.data = data;
  }

  /** The directory of a golden model. */
  public static Path directory(String model) {
    return Path.of("src/test/resources/golden", model);
  }

  /** Reads a file. */
  public static GoldenTensors read(Path file) {
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
      byte[] json = new byte[Math.toIntExact(bytes.getLong())];
      bytes.get(json);
      JsonNode header = new ObjectMapper().readTree(json);
      return new GoldenTensors(header, bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A vector of I64, all within the range of int. */
  public int[] ints(String name) {
    ByteBuffer bytes = bytes(name, "I64");
    int[] values = new int[bytes.remaining() / Long.BYTES];
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.toIntExact(bytes.getLong());
    }
    return values;
  }

  /** A vector of F64. */
  public double[] doubles(String name) {
    ByteBuffer bytes = bytes(name, "F64");
    double[] values = new double[bytes.remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(values);
    return values;
  }

  /** A vector or matrix of F32, row after row. */
  public float[] floats(String name) {
    ByteBuffer bytes = bytes(name, "F32");
    float[] values = new float[bytes.remaining() / Float.BYTES];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /** The rows of a matrix of F32. */
  public float[][] rows(String name) {
    float[] values = floats(name);
    float[][] rows = new float[header.get(name).get("shape").get(0).intValue()][];
    int columns = values.length / rows.length;
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.copyOfRange(values, r * columns, (r + 1) * columns);
    }
    return rows;
  }

  private ByteBuffer bytes(String name, String type) {
    JsonNode tensor = header.get(name);
    if (tensor == null || !tensor.get("dtype").textValue().equals(type)) {
      throw new IllegalArgumentException("no " + type + " tensor " + name + " in " + header);
    }
    int from = tensor.get("data_offsets").get(0).intValue();
    int to = tensor.get("data_offsets").get(1).intValue();
    return data.slice(from, to - from).order(ByteOrder.LITTLE_ENDIAN);
  }
}
