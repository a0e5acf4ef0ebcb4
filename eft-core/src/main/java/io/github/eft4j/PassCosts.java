package io.github.eft4j;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a model's forward passes cost, by the number of their rows, as measured lately. Where
 * nothing was measured a pass is taken to be cheap, so that it is tried. Safe for use by many
 * threads at once.
 */
final class PassCosts {
  /** The weight of the newest measurement, if it is longer than what was known. */
  private static final double LONGER = 0.2;

  /** Its weight if it is shorter: a pass may be held up by much, but not hurried. */
  private static final double SHORTER = 0.5;

  /** What a row more is taken to cost, as a share of a row, until two numbers were measured. */
  private static final double UNMEASURED_ROW = 0.1;

  /** After so many passes with other numbers of rows a measurement is forgotten. */
  private static final int MEMORY = 256;

  private final TreeMap<Integer, Measurement> byRows = new TreeMap<>();
  private long passes;

  private record Measurement(double nanos, long pass) {}

  synchronized void measured(int rows, long nanos) {
    passes++;
    Measurement old = byRows.get(rows);
    double now = nanos;
    if (old != null) {
      double change = Math.min(now, 2 * old.nanos) - old.nanos;
      now = old.nanos + (change > 0 ? LONGER : SHORTER) * change;
    }
    byRows.put(rows, new Measurement(now, passes));
    if (passes % MEMORY == 0) {
      // It may be from before the code was compiled, and nobody would try that number again.
      byRows.values().removeIf(m -> m.pass <= passes - MEMORY);
    }
  }

  synchronized boolean isKnown() {
    return !byRows.isEmpty();
  }

  /** The time of a pass in nanoseconds: measured, or reckoned from its nearest neighbours. */
  synchronized double estimate(int rows) {
    Map.Entry<Integer, Measurement> below = byRows.floorEntry(rows);
    Map.Entry<Integer, Measurement> above = byRows.ceilingEntry(rows);
    if (below == null && above == null) {
      throw new IllegalStateException("no pass was measured");
    }
    if (below == null) {
      return above.getValue().nanos * rows / above.getKey();
    }
    if (above == null) {
      return below.getValue().nanos + (rows - below.getKey()) * slopeAt(below);
    }
    if (below.getKey().equals(above.getKey())) {
      return below.getValue().nanos;
    }
    double share = (double) (rows - below.getKey()) / (above.getKey() - below.getKey());
    return below.getValue().nanos + share * (above.getValue().nanos - below.getValue().nanos);
  }

  /** What a row more costs, at the greatest number of rows that was measured. */
  private double slopeAt(Map.Entry<Integer, Measurement> last) {
    Map.Entry<Integer, Measurement> before = byRows.lowerEntry(last.getKey());
    return before == null
        ? UNMEASURED_ROW * last.getValue().nanos / last.getKey()
        : Math.max(0, last.getValue().nanos - before.getValue().nanos)
            / (last.getKey() - before.getKey());
  }
}
