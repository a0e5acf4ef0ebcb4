package io.github.eft4j;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link RowKernels} on the Vector API. The loops are written out: C2 may compile a helper on its
 * own before the loop that calls it, then inlines it no more, and allocates every vector.
 *
 * <p>A maximum is blended only where a number is greater: that is seldom, and a predicted branch
 * does not wait for the maximum before, as blending it each time would.
 */
final class VectorRowKernels implements RowKernels {
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> LONGS =
      VectorSpecies.of(long.class, DOUBLES.vectorShape());
  private static final int LENGTH = DOUBLES.length();

  /** As many floats as a register has doubles. */
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(DOUBLES.vectorBitSize() / 2));

  private static final ScalarRowKernels SCALAR = new ScalarRowKernels();
  private static final LongVector INDEX = LongVector.zero(LONGS).addIndex(1);

  /** In one pass where there are three rows, as in up-scaling. */
  @Override
  public double combine(double[] weights, int[] leaves, MemorySegment[] rows, double[] scores) {
    if (weights.length != 3) {
      return RowKernels.super.combine(weights, leaves, rows, scores);
    }
    double wA = weights[0];
    double wB = weights[1];
    double wC = weights[2];
    MemorySegment a = rows[leaves[0]];
    MemorySegment b = rows[leaves[1]];
    MemorySegment c = rows[leaves[2]];
    int end = DOUBLES.loopBound(scores.length);
    DoubleVector spoilt = DoubleVector.zero(DOUBLES);
    DoubleVector max = DoubleVector.broadcast(DOUBLES, Double.NEGATIVE_INFINITY);
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector sum =
          ((DoubleVector)
                  FloatVector.fromMemorySegment(
                          FLOATS, a, (long) Float.BYTES * i, ByteOrder.nativeOrder())
                      .convertShape(VectorOperators.F2D, DOUBLES, 0))
              .mul(wA);
      sum =
          ((DoubleVector)
                  FloatVector.fromMemorySegment(
                          FLOATS, b, (long) Float.BYTES * i, ByteOrder.nativeOrder())
                      .convertShape(VectorOperators.F2D, DOUBLES, 0))
              .lanewise(VectorOperators.FMA, wB, sum);
      sum =
          ((DoubleVector)
                  FloatVector.fromMemorySegment(
                          FLOATS, c, (long) Float.BYTES * i, ByteOrder.nativeOrder())
                      .convertShape(VectorOperators.F2D, DOUBLES, 0))
              .lanewise(VectorOperators.FMA, wC, sum);
      sum.intoArray(scores, i);
      spoilt = sum.lanewise(VectorOperators.FMA, 0, spoilt);
      VectorMask<Double> greater = sum.compare(VectorOperators.GT, max);
      if (greater.anyTrue()) {
        max = max.blend(sum, greater);
      }
    }
    SCALAR.scaled(wA, a, scores, end, scores.length);
    SCALAR.addScaled(wB, b, scores, end, scores.length);
    SCALAR.addScaled(wC, c, scores, end, scores.length);
    return ScalarRowKernels.max(scores, end, max.reduceLanes(VectorOperators.MAX))
        + spoilt.reduceLanes(VectorOperators.ADD)
        + SCALAR.spoilt(scores, end, scores.length);
  }

  @Override
  public void scaled(double weight, MemorySegment row, double[] scores, int from, int to) {
    int end = from + DOUBLES.loopBound(to - from);
    for (int i = from; i < end; i += LENGTH) {
      ((DoubleVector)
              FloatVector.fromMemorySegment(
                      FLOATS, row, (long) Float.BYTES * i, ByteOrder.nativeOrder())
                  .convertShape(VectorOperators.F2D, DOUBLES, 0))
          .mul(weight)
          .intoArray(scores, i);
    }
    SCALAR.scaled(weight, row, scores, end, to);
  }

  @Override
  public void addScaled(double weight, MemorySegment row, double[] scores, int from, int to) {
    int end = from + DOUBLES.loopBound(to - from);
    for (int i = from; i < end; i += LENGTH) {
      ((DoubleVector)
              FloatVector.fromMemorySegment(
                      FLOATS, row, (long) Float.BYTES * i, ByteOrder.nativeOrder())
                  .convertShape(VectorOperators.F2D, DOUBLES, 0))
          .lanewise(VectorOperators.FMA, weight, DoubleVector.fromArray(DOUBLES, scores, i))
          .intoArray(scores, i);
    }
    SCALAR.addScaled(weight, row, scores, end, to);
  }

  @Override
  public double spoilt(double[] scores, int from, int to) {
    DoubleVector spoilt = DoubleVector.zero(DOUBLES);
    int end = from + DOUBLES.loopBound(to - from);
    for (int i = from; i < end; i += LENGTH) {
      spoilt = DoubleVector.fromArray(DOUBLES, scores, i).lanewise(VectorOperators.FMA, 0, spoilt);
    }
    return spoilt.reduceLanes(VectorOperators.ADD) + SCALAR.spoilt(scores, end, to);
  }

  @Override
  public double max(double[] values) {
    DoubleVector max = DoubleVector.broadcast(DOUBLES, Double.NEGATIVE_INFINITY);
    int end = DOUBLES.loopBound(values.length);
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector v = DoubleVector.fromArray(DOUBLES, values, i);
      VectorMask<Double> greater = v.compare(VectorOperators.GT, max);
      if (greater.anyTrue()) {
        max = max.blend(v, greater);
      }
    }
    return ScalarRowKernels.max(values, end, max.reduceLanes(VectorOperators.MAX));
  }

  /** Step by step what {@link Distribution#exp2} does. */
  @Override
  public double exp(double[] scores, double max, double factor, double[] out, double[] sums) {
    double scale = factor * Distribution.LOG2_E;
    int end = scores.length - scores.length % SUMS;
    for (int part = 0; part < SUMS; part += LENGTH) {
      DoubleVector sum = DoubleVector.zero(DOUBLES);
      for (int i = part; i < end; i += SUMS) {
        DoubleVector y = DoubleVector.fromArray(DOUBLES, scores, i).sub(max).mul(scale);
        DoubleVector rounded = y.add(Distribution.ROUND);
        DoubleVector r = y.sub(rounded.sub(Distribution.ROUND));
        DoubleVector p = DoubleVector.broadcast(DOUBLES, Distribution.C9);
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C8));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C7));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C6));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C5));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C4));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C3));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C2));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C1));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, 1));
        DoubleVector scaled =
            p.reinterpretAsLongs()
                .add(rounded.reinterpretAsLongs().lanewise(VectorOperators.LSHL, 52))
                .reinterpretAsDoubles();
        VectorMask<Double> vanishes = y.compare(VectorOperators.LT, Distribution.EXP2_LEAST);
        DoubleVector result = scaled.blend(0, vanishes);
        result.intoArray(out, i);
        sum = sum.add(result);
      }
      sum.intoArray(sums, part);
    }
    ScalarRowKernels.exp(scores, max, scale, out, end);
    return ScalarRowKernels.sum(out, end, sums);
  }

  @Override
  public double sumExp(double[] scores, double max, double[] sums) {
    int end = scores.length - scores.length % SUMS;
    for (int part = 0; part < SUMS; part += LENGTH) {
      DoubleVector sum = DoubleVector.zero(DOUBLES);
      for (int i = part; i < end; i += SUMS) {
        DoubleVector y =
            DoubleVector.fromArray(DOUBLES, scores, i).sub(max).mul(Distribution.LOG2_E);
        DoubleVector rounded = y.add(Distribution.ROUND);
        DoubleVector r = y.sub(rounded.sub(Distribution.ROUND));
        DoubleVector p = DoubleVector.broadcast(DOUBLES, Distribution.C9);
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C8));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C7));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C6));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C5));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C4));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C3));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C2));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C1));
        p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, 1));
        DoubleVector scaled =
            p.reinterpretAsLongs()
                .add(rounded.reinterpretAsLongs().lanewise(VectorOperators.LSHL, 52))
                .reinterpretAsDoubles();
        VectorMask<Double> vanishes = y.compare(VectorOperators.LT, Distribution.EXP2_LEAST);
        sum = sum.add(scaled.blend(0, vanishes));
      }
      sum.intoArray(sums, part);
    }
    return ScalarRowKernels.sumExp(scores, max, end, sums);
  }

  @Override
  public int collect(double[] values, double least, int[] ids) {
    double lowest = Math.max(least, Double.MIN_VALUE);
    int end = DOUBLES.loopBound(values.length);
    int count = 0;
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector v = DoubleVector.fromArray(DOUBLES, values, i);
      VectorMask<Double> wanted = v.compare(VectorOperators.GE, lowest);
      if (wanted.anyTrue()) {
        for (long lanes = wanted.toLong(); lanes != 0; lanes &= lanes - 1) {
          ids[count++] = i + Long.numberOfTrailingZeros(lanes);
        }
      }
    }
    return ScalarRowKernels.collect(values, least, ids, end, count);
  }

  @Override
  public int race(double[] weights, double least, long address) {
    int winner = -1;
    double best = 0;
    double lowest = Math.max(least, Double.MIN_VALUE);
    int end = DOUBLES.loopBound(weights.length);
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector w = DoubleVector.fromArray(DOUBLES, weights, i);
      VectorMask<Double> runs = w.compare(VectorOperators.GE, lowest);
      if (!runs.anyTrue()) {
        continue;
      }
      // Noise.uniform
      LongVector z = INDEX.mul(Noise.GOLDEN_GAMMA).add(address + (i + 1L) * Noise.GOLDEN_GAMMA);
      z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 30)).mul(Noise.MIX_1);
      z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 27)).mul(Noise.MIX_2);
      z = z.lanewise(VectorOperators.XOR, z.lanewise(VectorOperators.LSHR, 31));
      // A 53-bit integer, exactly: its halves become the mantissas of two doubles.
      LongVector bits = z.lanewise(VectorOperators.LSHR, 11);
      DoubleVector high =
          bits.lanewise(VectorOperators.LSHR, 32)
              .lanewise(VectorOperators.OR, Double.doubleToRawLongBits(0x1p84))
              .reinterpretAsDoubles()
              .sub(0x1p84);
      DoubleVector low =
          bits.lanewise(VectorOperators.AND, 0xffffffffL)
              .lanewise(VectorOperators.OR, Double.doubleToRawLongBits(0x1p52))
              .reinterpretAsDoubles()
              .sub(0x1p52);
      DoubleVector u = high.add(low).add(0.5).mul(0x1p-53);
      VectorMask<Double> mayWin = runs.and(w.compare(VectorOperators.GT, u.mul(best)));
      if (mayWin.anyTrue()) {
        for (long lanes = mayWin.toLong(); lanes != 0; lanes &= lanes - 1) {
          int id = i + Long.numberOfTrailingZeros(lanes);
          double time = time(weights[id], address, id);
          if (time > best) {
            best = time;
            winner = id;
          }
        }
      }
    }
    for (int id = end; id < weights.length; id++) {
      double time = weights[id] >= lowest ? time(weights[id], address, id) : 0;
      if (time > best) {
        best = time;
        winner = id;
      }
    }
    return winner;
  }

  private static double time(double weight, long address, int id) {
    return ScalarRowKernels.time(weight, Noise.uniform(address, id));
  }
}
