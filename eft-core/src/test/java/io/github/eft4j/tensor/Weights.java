package io.github.eft4j.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Random weights of every type, with the extremes that a type has. */
final class Weights {
  private static final short[] EXTREME_HALVES = {
    0, (short) 0x8000, 1, (short) 0x83ff, 0x0400, 0x7bff, (short) 0xfbff, 0x3c00
  };

  private Weights() {}

  /** A matrix whose weights are of the order of 1, with some extreme ones if asked for. */
  static StoredTensor random(
      WeightType type, int rows, int columns, boolean extremes, SplittableRandom random) {
    long count = (long) rows * columns;
    MemorySegment data = Arena.ofAuto().allocate(type.bytes(count));
    byte[] bytes = new byte[(int) data.byteSize()];
    random.nextBytes(bytes);
    data.copyFrom(MemorySegment.ofArray(bytes));
    for (long b = 0; b < count / type.blockSize(); b++) {
      long at = b * type.blockBytes();
      boolean extreme = extremes && random.nextInt(8) == 0;
      switch (type) {
        case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, single(extreme, random));
        case F16 -> half(data, at, extreme, 1, random);
        case BF16 -> {
          int bits = Float.floatToRawIntBits(single(extreme, random));
          data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) (bits >>> 16));
        }
        case Q8_0 -> half(data, at, extreme, 0.01, random);
        case Q4_0, Q5_0 -> half(data, at, extreme, 0.1, random);
        case Q4_1, Q5_1 -> {
          half(data, at, extreme, 0.1, random);
          half(data, at + 2, extreme, 1, random);
        }
        case Q4_K, Q5_K -> {
          half(data, at, extreme, 0.003, random);
          half(data, at + 2, extreme, 0.03, random);
        }
        case Q6_K -> half(data, at + 208, extreme, 0.0005, random);
      }
    }
    return new StoredTensor("random " + type, type, rows, columns, data);
  }

  private static float single(boolean extreme, SplittableRandom random) {
    if (!extreme) {
      return (float) random.nextGaussian();
    }
    return switch (random.nextInt(4)) {
      case 0 -> 0f;
      case 1 -> -0f;
      case 2 -> 1e-42f; // subnormal
      default -> (float) (random.nextGaussian() * 1e15);
    };
  }

  private static void half(
      MemorySegment data, long at, boolean extreme, double size, SplittableRandom random) {
    short half =
        extreme
            ? EXTREME_HALVES[random.nextInt(EXTREME_HALVES.length)]
            : Float.floatToFloat16((float) (random.nextGaussian() * size));
    data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, half);
  }
}
