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

/** {@link RowKernels} on the Vector API. */
final class VectorRowKernels implements RowKernels {
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> LONGS =
      VectorSpecies.of(long.class, DOUBLES.vectorShape());
  private static final int LENGTH = DOUBLES.length();

  /** As many floats as a register has doubles. */
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(DOUBLES.vectorBitSize() / 2));

  private static final LongVector INDEX = LongVector.zero(LONGS).addIndex(1);

  @Override
  public boolean addScaled(double weight, MemorySegment row, double[] scores) {
    DoubleVector spoilt = DoubleVector.zero(DOUBLES);
    int end = DOUBLES.loopBound(scores.length);
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector logits =
          (DoubleVector)
              FloatVector.fromMemorySegment(
                      FLOATS, row, (long) Float.BYTES * i, ByteOrder.nativeOrder())
                  .convertShape(VectorOperators.F2D, DOUBLES, 0);
      logits
          .lanewise(VectorOperators.FMA, weight, DoubleVector.fromArray(DOUBLES, scores, i))
          .intoArray(scores, i);
      spoilt = spoilt.add(logits.mul(0));
    }
    boolean rest = ScalarRowKernels.addScaled(weight, row, scores, end);
    return spoilt.reduceLanes(VectorOperators.ADD) == 0 && rest;
  }

  @Override
  public double max(double[] values) {
    DoubleVector max = DoubleVector.broadcast(DOUBLES, Double.NEGATIVE_INFINITY);
    int end = DOUBLES.loopBound(values.length);
    for (int i = 0; i < end; i += LENGTH) {
      max = max.max(DoubleVector.fromArray(DOUBLES, values, i));
    }
    return ScalarRowKernels.max(values, end, max.reduceLanes(VectorOperators.MAX));
  }

  @Override
  public double exp(double[] scores, double max, double factor, double[] out, double[] sums) {
    int end = DOUBLES.loopBound(scores.length);
    for (int i = 0; i < end; i += LENGTH) {
      exp(DoubleVector.fromArray(DOUBLES, scores, i).sub(max).mul(factor)).intoArray(out, i);
    }
    ScalarRowKernels.exp(scores, max, factor, out, end);
    return sum(out, sums);
  }

  /** Step by step what {@link Distribution#exp} does. */
  private static DoubleVector exp(DoubleVector x) {
    DoubleVector rounded = x.lanewise(VectorOperators.FMA, Distribution.LOG2_E, Distribution.ROUND);
    DoubleVector k = rounded.sub(Distribution.ROUND).neg();
    DoubleVector r =
        k.lanewise(
            VectorOperators.FMA,
            DoubleVector.broadcast(DOUBLES, Distribution.LN2_LOW),
            k.lanewise(
                VectorOperators.FMA, DoubleVector.broadcast(DOUBLES, Distribution.LN2_HIGH), x));
    DoubleVector p = polynomial(r).lanewise(VectorOperators.FMA, r.mul(r), r).add(1);
    // The low bits of the rounded number are the integer itself; 1023 is the exponent's offset.
    DoubleVector scale =
        rounded
            .reinterpretAsLongs()
            .add(1023)
            .lanewise(VectorOperators.LSHL, 52)
            .reinterpretAsDoubles();
    VectorMask<Double> vanishes = x.compare(VectorOperators.LT, Distribution.EXP_LEAST);
    return p.mul(scale).blend(0, vanishes);
  }

  private static DoubleVector polynomial(DoubleVector r) {
    DoubleVector p = DoubleVector.broadcast(DOUBLES, Distribution.C13);
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C12));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C11));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C10));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C9));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C8));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C7));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C6));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C5));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C4));
    p = p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C3));
    return p.lanewise(VectorOperators.FMA, r, DoubleVector.broadcast(DOUBLES, Distribution.C2));
  }

  private static double sum(double[] values, double[] sums) {
    int end = values.length - values.length % SUMS;
    for (int part = 0; part < SUMS; part += LENGTH) {
      DoubleVector sum = DoubleVector.zero(DOUBLES);
      for (int i = part; i < end; i += SUMS) {
        sum = sum.add(DoubleVector.fromArray(DOUBLES, values, i));
      }
      sum.intoArray(sums, part);
    }
    return ScalarRowKernels.sum(values, end, sums);
  }

  @Override
  public void zeroBelow(double[] values, double least) {
    int end = DOUBLES.loopBound(values.length);
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector v = DoubleVector.fromArray(DOUBLES, values, i);
      v.blend(0, v.compare(VectorOperators.LT, least)).intoArray(values, i);
    }
    ScalarRowKernels.zeroBelow(values, least, end);
  }

  @Override
  public int collect(double[] values, double least, double[] out) {
    int end = DOUBLES.loopBound(values.length);
    int count = 0;
    for (int i = 0; i < end; i += LENGTH) {
      if (DoubleVector.fromArray(DOUBLES, values, i).compare(VectorOperators.GE, least).anyTrue()) {
        count = ScalarRowKernels.collect(values, least, out, i, i + LENGTH, count);
      }
    }
    return ScalarRowKernels.collect(values, least, out, end, values.length, count);
  }

  @Override
  public int race(double[] weights, long address) {
    int winner = -1;
    double best = 0;
    int end = DOUBLES.loopBound(weights.length);
    for (int i = 0; i < end; i += LENGTH) {
      DoubleVector u = uniform(address + (i + 1L) * Noise.GOLDEN_GAMMA);
      VectorMask<Double> mayWin =
          DoubleVector.fromArray(DOUBLES, weights, i).compare(VectorOperators.GT, u.mul(best));
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
      double time = weights[id] > 0 ? time(weights[id], address, id) : 0;
      if (time > best) {
        best = time;
        winner = id;
      }
    }
    return winner;
  }

  private static double time(double weight, long address, int id) {
    return weight / -StrictMath.log1p(-Noise.uniform(address, id));
  }

  /** {@link Noise#uniform} of as many ids as a register holds. */
  private static DoubleVector uniform(long first) {
    LongVector z = INDEX.mul(Noise.GOLDEN_GAMMA).add(first);
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
    return high.add(low).add(0.5).mul(0x1p-53);
  }
}
