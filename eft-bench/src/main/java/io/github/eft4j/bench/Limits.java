package io.github.eft4j.bench;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The two things that limit a linear layer, as plain as Java can write them. */
final class Limits {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  /** Bytes that one step of {@link #sum} reads. */
  static final int STEP = 4 * SPECIES.vectorByteSize();

  /** Multiply-adds of one step of {@link #multiplyAdd}. */
  static final int MULTIPLY_ADDS = 10 * SPECIES.length();

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Limits() {}

  /**
   * Adds up all numbers of a piece of memory.
   *
   * @param memory the memory
   * @param from where to begin, in bytes
   * @param to where to end, in bytes: a multiple of {@link #STEP} behind {@code from}
   * @return the sum
   */
  static float sum(MemorySegment memory, long from, long to) {
    int length = SPECIES.vectorByteSize();
    FloatVector a = FloatVector.zero(SPECIES);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    for (long i = from; i < to; i += STEP) {
      a = a.add(FloatVector.fromMemorySegment(SPECIES, memory, i, ORDER));
      b = b.add(FloatVector.fromMemorySegment(SPECIES, memory, i + length, ORDER));
      c = c.add(FloatVector.fromMemorySegment(SPECIES, memory, i + 2L * length, ORDER));
      d = d.add(FloatVector.fromMemorySegment(SPECIES, memory, i + 3L * length, ORDER));
    }
    return a.add(b).add(c.add(d)).lane(0);
  }

  /**
   * Makes ten independent chains of fused multiply-adds, which hide one another's latency. Each
   * adds to its register, as a dot product does: multiplying it would take a copy of the addend.
   *
   * @param steps the length of a chain
   * @return something that depends on all of them
   */
  static float multiplyAdd(int steps) {
    FloatVector x = FloatVector.broadcast(SPECIES, 1.0001f);
    FloatVector y = FloatVector.broadcast(SPECIES, 0.9f);
    FloatVector a = x;
    FloatVector b = x;
    FloatVector c = x;
    FloatVector d = x;
    FloatVector e = x;
    FloatVector f = x;
    FloatVector g = x;
    FloatVector h = x;
    FloatVector i = x;
    FloatVector j = x;
    for (int s = 0; s < steps; s++) {
      a = x.fma(y, a);
      b = x.fma(y, b);
      c = x.fma(y, c);
      d = x.fma(y, d);
      e = x.fma(y, e);
      f = x.fma(y, f);
      g = x.fma(y, g);
      h = x.fma(y, h);
      i = x.fma(y, i);
      j = x.fma(y, j);
    }
    return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).lane(0);
  }
}
