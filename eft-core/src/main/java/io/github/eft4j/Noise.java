package io.github.eft4j;

/**
 * Randomness that is addressed, not consumed: each number is a pure function of where it is used,
 * so that a draw does not depend on how many were made before it or beside it.
 */
final class Noise {
  static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
  static final long MIX_1 = 0xbf58476d1ce4e5b9L;
  static final long MIX_2 = 0x94d049bb133111ebL;

  /** What a number at an address is used for. */
  enum Use {
    /** Drawing a token, by target and draft alike. */
    DRAW(0),
    /** Accepting a drafted token by the ratio rule. */
    ACCEPT(1),
    /** Drawing in place of a drafted token that the ratio rule refused. */
    RESIDUAL(2);

    private final int offset;

    Use(int offset) {
      this.offset = offset;
    }
  }

  private Noise() {}

  /** The address of one draw: of one position of one completion. */
  static long address(long seed, long position, Use use) {
    return mix(mix(seed) + (3 * position + use.offset) * GOLDEN_GAMMA);
  }

  /** The seed of one of several completions of a request; the first has the request's own. */
  static long seed(long seed, int completion) {
    return completion == 0 ? seed : mix(mix(~seed) + completion * GOLDEN_GAMMA);
  }

  /** A number in (0, 1), uniform, of 53 bits: for one token id at one draw. */
  static double uniform(long address, int id) {
    return ((mix(address + (id + 1L) * GOLDEN_GAMMA) >>> 11) + 0.5) * 0x1p-53;
  }

  /** The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014; constants by Stafford). */
  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * MIX_1;
    z = (z ^ (z >>> 27)) * MIX_2;
    return z ^ (z >>> 31);
  }
}
