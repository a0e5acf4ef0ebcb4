package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DequantizeTest {
  /** Finds one weight in double precision, bit by bit, as the format's description reads. */
  private static double weight(WeightType type, byte[] data, int index) {
    int at = index / type.blockSize() * type.blockBytes();
    int i = index % type.blockSize();
    return switch (type) {
      case F32 ->
          Float.intBitsToFloat(
              u(data, at) | u(data, at + 1) << 8 | u(data, at + 2) << 16 | u(data, at + 3) << 24);
      case F16 -> half(data, at);
      case BF16 -> Float.intBitsToFloat(u(data, at) << 16 | u(data, at + 1) << 24);
      case Q8_0 -> half(data, at) * data[at + 2 + i];
      case Q4_0 -> half(data, at) * (nibble(data, at + 2, i) - 8);
      case Q4_1 -> half(data, at) * nibble(data, at + 4, i) + half(data, at + 2);
      case Q5_0 -> half(data, at) * (nibble(data, at + 6, i) + 16 * bits(data, at + 2, i, 1) - 16);
      case Q5_1 ->
          half(data, at) * (nibble(data, at + 8, i) + 16 * bits(data, at + 4, i, 1))
              + half(data, at + 2);
      case Q4_K -> {
        int j = i / 32;
        int q = bits(data, at + 16 + 32 * (j / 2) + i % 32, j % 2 * 4, 4);
        yield half(data, at) * scale(data, at + 4, j) * q
            - half(data, at + 2) * minimum(data, at + 4, j);
      }
      case Q5_K -> {
        int j = i / 32;
        int q = bits(data, at + 48 + 32 * (j / 2) + i % 32, j % 2 * 4, 4);
        q += 16 * bits(data, at + 16 + i % 32, j, 1);
        yield half(data, at) * scale(data, at + 4, j) * q
            - half(data, at + 2) * minimum(data, at + 4, j);
      }
      case Q6_K -> {
        int side = i / 128;
        int quarter = i % 128 / 32;
        int low = bits(data, at + 64 * side + i % 64, quarter / 2 * 4, 4);
        int high = bits(data, at + 128 + 32 * side + i % 32, quarter * 2, 2);
        yield half(data, at + 208) * data[at + 192 + i / 16] * (low + 16 * high - 32);
      }
    };
  }

  /** Q4_0 and its kin: sixteen bytes whose low nibbles come before their high nibbles. */
  private static int nibble(byte[] data, int at, int i) {
    return bits(data, at + i % 16, i / 16 * 4, 4);
  }

  private static int scale(byte[] data, int at, int j) {
    return j < 4
        ? bits(data, at + j, 0, 6)
        : bits(data, at + j + 4, 0, 4) + 16 * bits(data, at + j - 4, 6, 2);
  }

  private static int minimum(byte[] data, int at, int j) {
    return j < 4
        ? bits(data, at + 4 + j, 0, 6)
        : bits(data, at + j + 4, 4, 4) + 16 * bits(data, at + j, 6, 2);
  }

  /** Some bits, counted from the lowest one of the byte at a position on. */
  private static int bits(byte[] data, int at, int from, int count) {
    return u(data, at + from / 8) >> from % 8 & (1 << count) - 1;
  }

  private static int u(byte[] data, int at) {
    return Byte.toUnsignedInt(data[at]);
  }

  private static double half(byte[] data, int at) {
    return Float.float16ToFloat((short) (u(data, at) | u(data, at + 1) << 8));
  }

  @Property(tries = 300)
  void everyTypeGivesTheExactWeightRoundedOnce(
      @ForAll WeightType type, @ForAll @IntRange(min = 1, max = 5) int blocks, @ForAll long seed) {
    byte[] data = new byte[blocks * type.blockBytes()];
    new Random(seed).nextBytes(data);
    float[] weights = new float[blocks * type.blockSize()];
    Dequantize.toFloats(type, MemorySegment.ofArray(data), MemorySegment.ofArray(weights));
    float[] expected = new float[weights.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = (float) weight(type, data, i);
    }
    // NaN and infinite scales included: they must come out as such.
    assertThat(weights).isEqualTo(expected);
  }

  @Property(tries = 100)
  void rowsAreReadWithoutTheRest(@ForAll WeightType type, @ForAll long seed) {
    int rows = 5;
    int columns = 2 * type.blockSize();
    byte[] data = new byte[(int) type.bytes((long) rows * columns)];
    new Random(seed).nextBytes(data);
    float[] all = new float[rows * columns];
    try (Arena arena = Arena.ofConfined()) {
      // One byte further, so that nothing is aligned.
      MemorySegment odd = arena.allocate(data.length + 1L).asSlice(1);
      MemorySegment.copy(data, 0, odd, ValueLayout.JAVA_BYTE, 0, data.length);
      StoredTensor tensor = new StoredTensor("t", type, rows, columns, odd);
      Dequantize.rows(tensor, 0, rows, MemorySegment.ofArray(all));
      float[] row = new float[columns];
      for (int r = 0; r < rows; r++) {
        Dequantize.row(tensor, r, row);
        assertThat(row).isEqualTo(Arrays.copyOfRange(all, r * columns, (r + 1) * columns));
      }
    }
  }

  @Test
  void aRowOutsideTheTensorIsRefused() {
    StoredTensor tensor =
        new StoredTensor("t", WeightType.F16, 2, 3, MemorySegment.ofArray(new byte[12]));
    assertThatThrownBy(() -> Dequantize.row(tensor, 2, new float[3]))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> Dequantize.row(tensor, 1, new float[2]))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void sizesThatDoNotFitAreRefused() {
    assertThatThrownBy(
            () ->
                Dequantize.toFloats(
                    WeightType.Q8_0,
                    MemorySegment.ofArray(new byte[34]),
                    MemorySegment.ofArray(new float[31])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("34 bytes of Q8_0, in blocks of 32 weights, for 31 floats");
  }
}
