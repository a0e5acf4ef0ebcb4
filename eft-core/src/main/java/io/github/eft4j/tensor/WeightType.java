package io.github.eft4j.tensor;

/** How a weight is stored: plain numbers, or blocks of small integers that share a scale. */
public enum WeightType {
  /** IEEE single precision. */
  F32(1, 4),
  /** IEEE half precision. */
  F16(1, 2),
  /** The upper half of IEEE single precision. */
  BF16(1, 2),
  /** GGUF: 32 bytes and one half-precision scale. */
  Q8_0(32, 34),
  /** GGUF: 32 nibbles and one half-precision scale. */
  Q4_0(32, 18),
  /** GGUF: 32 nibbles, a half-precision scale and minimum. */
  Q4_1(32, 20),
  /** GGUF: 32 five-bit integers and one half-precision scale. */
  Q5_0(32, 22),
  /** GGUF: 32 five-bit integers, a half-precision scale and minimum. */
  Q5_1(32, 24),
  /** GGUF: 256 nibbles in eight sub-blocks with six-bit scales and minima. */
  Q4_K(256, 144),
  /** GGUF: 256 five-bit integers in eight sub-blocks with six-bit scales and minima. */
  Q5_K(256, 176),
  /** GGUF: 256 six-bit integers in sixteen sub-blocks with eight-bit scales. */
  Q6_K(256, 210);

  private final int blockSize;
  private final int blockBytes;

  WeightType(int blockSize, int blockBytes) {
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
  }

  /**
   * The number of weights in a block.
   *
   * @return the number of weights, 1 for plain numbers
   */
  public int blockSize() {
    return blockSize;
  }

  /**
   * The size of a block.
   *
   * @return the size in bytes
   */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * The size of a number of weights.
   *
   * @param weights the number of weights, a multiple of {@link #blockSize()}
   * @return the size in bytes
   */
  public long bytes(long weights) {
    return Math.multiplyExact(weights / blockSize, blockBytes);
  }
}
