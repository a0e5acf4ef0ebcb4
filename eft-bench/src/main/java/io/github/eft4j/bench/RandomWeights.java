package io.github.eft4j.bench;

import io.github.eft4j.tensor.WeightType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * Random weights of every type, with mean 0 and a standard deviation of {@link #DEVIATION}: random
 * bits, and scales that give the numbers that size.
 */
final class RandomWeights {
  /** What keeps a model's activations of the size that they have in trained ones. */
  static final double DEVIATION = 0.02;

  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  /** Six bits of each scale and minimum of a Q4_K or Q5_K block: all 32, in GGUF's packing. */
  private static final byte[] SCALES_32 = {
    (byte) 0xA0,
    (byte) 0xA0,
    (byte) 0xA0,
    (byte) 0xA0,
    (byte) 0xA0,
    (byte) 0xA0,
    (byte) 0xA0,
    (byte) 0xA0,
    0,
    0,
    0,
    0
  };

  private RandomWeights() {}

  /**
   * Fills memory with blocks.
   *
   * @param type how the weights are stored
   * @param data receives them; a whole number of blocks
   * @param seed what the numbers depend on
   */
  static void fill(WeightType type, MemorySegment data, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (long i = 0; i + Long.BYTES <= data.byteSize(); i += Long.BYTES) {
      data.set(ValueLayout.JAVA_LONG_UNALIGNED, i, random.nextLong());
    }
    for (long i = data.byteSize() / Long.BYTES * Long.BYTES; i < data.byteSize(); i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    for (long at = 0; at < data.byteSize(); at += type.blockBytes()) {
      // Half of the scales are negative: the integers' own mean, such as -1/2 for Q4_0, cancels.
      double one = random.nextBoolean() ? DEVIATION : -DEVIATION;
      switch (type) {
        case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) (one * uniform(random)));
        case F16 -> half(data, at, one * uniform(random));
        case BF16 -> {
          float weight = (float) (one * uniform(random));
          data.set(SHORT, at, (short) (Float.floatToRawIntBits(weight) >>> 16));
        }
        case Q8_0 -> half(data, at, one / deviation(8));
        case Q4_0 -> half(data, at, one / deviation(4));
        case Q5_0 -> half(data, at, one / deviation(5));
        case Q4_1 -> {
          half(data, at, one / deviation(4));
          half(data, at + 2, -7.5 * one / deviation(4));
        }
        case Q5_1 -> {
          half(data, at, one / deviation(5));
          half(data, at + 2, -15.5 * one / deviation(5));
        }
        case Q4_K -> superBlock(data, at, one / deviation(4), 7.5);
        case Q5_K -> superBlock(data, at, one / deviation(5), 15.5);
        case Q6_K -> {
          for (int i = 0; i < 16; i++) {
            data.set(ValueLayout.JAVA_BYTE, at + 192 + i, (byte) (random.nextBoolean() ? 16 : -16));
          }
          half(data, at + 208, one / deviation(6) / 16);
        }
      }
    }
  }

  /** Writes the scales of a Q4_K or Q5_K block whose integers have the mean {@code mean}. */
  private static void superBlock(MemorySegment data, long at, double step, double mean) {
    half(data, at, step / 32);
    half(data, at + 2, mean * step / 32);
    MemorySegment.copy(SCALES_32, 0, data, ValueLayout.JAVA_BYTE, at + 4, SCALES_32.length);
  }

  /** The standard deviation of the integers of a number of bits, all equally likely. */
  private static double deviation(int bits) {
    double count = 1 << bits;
    return Math.sqrt((count * count - 1) / 12);
  }

  /** A number with mean 0 and standard deviation 1. */
  private static double uniform(SplittableRandom random) {
    return random.nextDouble(-1, 1) * Math.sqrt(3);
  }

  private static void half(MemorySegment data, long at, double value) {
    data.set(SHORT, at, Float.floatToFloat16((float) value));
  }
}
