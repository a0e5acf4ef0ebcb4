package io.github.eft4j;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What a model's forward passes cost, by the number of their rows, as measured lately. Where
 * nothing was measured a pass is taken to be cheap, so that it is tried. Safe for use by many
 * threads at once.
 *
 * <p>The first pass with a number of rows may be held up by the compiler many times over, and
 * whoever believes it never tries that number again. So the very first pass, and the first one with
 * a number of rows if it took longer than as many passes of one row, counts only while nothing
 * better is known: the second pass with that number replaces it if it is shorter, and until then
 * the number is taken for an unmeasured one.
 */
final class PassCosts {
  /** The weight of the newest measurement, if it is longer than what was known. */
  private static final double LONGER = 0.2;

  /** Its weight if it is shorter: a pass may be held up by much, but not hurried. */
  private static final double SHORTER = 0.5;

  /** What a row more is taken to cost, as a share of a row, until two numbers were measured. */
  private static final double UNMEASURED_ROW = 0.1;

  /** A pass that takes longer than so many passes of one row for each row was held up. */
  private static final double MOST_PER_ROW = 1.2;

  /** After so many passes with other numbers of rows a measurement is forgotten. */
  private static final int MEMORY = 256;

  /** First passes that may have been held up. */
  private final TreeMap<Integer, Measurement> once = new TreeMap<>();

  private final TreeMap<Integer, Measurement> byRows = new TreeMap<>();
  private long passes;

  private record Measurement(double nanos, long pass) {}

  synchronized void measured(int rows, long time) {
    double nanos = time;
    passes++;
    Measurement old = byRows.get(rows);
    Measurement first = once.remove(rows);
    boolean mayBeHeldUp =
        old == null
            && first == null
            && (byRows.isEmpty() || nanos > MOST_PER_ROW * rows * estimate(1));
    if (old != null) {
      double change = Math.min(nanos, 2 * old.nanos) - old.nanos;
      nanos = old.nanos + (change > 0 ? LONGER : SHORTER) * change;
    } else if (first != null) {
      nanos = Math.min(first.nanos, nanos);
    }
    (mayBeHeldUp ? once : byRows).put(rows, new Measurement(nanos, passes));
    if (passes % MEMORY == 0) {
      long oldest = passes - MEMORY;
      byRows.values().removeIf(m -> m.pass <= oldest);
      once.values().removeIf(m -> m.pass <= oldest);
    }
  }

  synchronized boolean isKnown() {
    return !byRows.isEmpty() || !once.isEmpty();
  }

  /**
   * The time of a pass in nanoseconds: measured, or reckoned from its nearest neighbours, but no
   * more than a pass of more rows took, however long ago this one was measured.
   */
  synchronized double estimate(int rows) {
    double estimate = reckon(rows);
    for (Measurement more : byRows.tailMap(rows).values()) {
      estimate = Math.min(estimate, more.nanos);
    }
    for (Measurement more : once.tailMap(rows).values()) {
      estimate = Math.min(estimate, more.nanos);
    }
    return estimate;
  }

  private double reckon(int rows) {
    NavigableMap<Integer, Measurement> known = byRows.isEmpty() ? once : byRows;
    Map.Entry<Integer, Measurement> below = known.floorEntry(rows);
    Map.Entry<Integer, Measurement> above = known.ceilingEntry(rows);
    if (below == null && above == null) {
      throw new IllegalStateException("no pass was measured");
    }
    if (below == null) {
      return above.getValue().nanos * rows / above.getKey();
    }
    if (above == null) {
      return below.getValue().nanos + (rows - below.getKey()) * slopeAt(below, known);
    }
    if (below.getKey().equals(above.getKey())) {
      return below.getValue().nanos;
    }
    double share = (double) (rows - below.getKey()) / (above.getKey() - below.getKey());
    return below.getValue().nanos + share * (above.getValue().nanos - below.getValue().nanos);
  }

  /**
   * What a row more costs, at the greatest number of rows that was measured: as between the last
   * two, but no less than on average. Rows that one kernel takes together seem to be free, and a
   * great many would be tried in vain.
   */
  private static double slopeAt(
      Map.Entry<Integer, Measurement> last, NavigableMap<Integer, Measurement> known) {
    Map.Entry<Integer, Measurement> before = known.lowerEntry(last.getKey());
    return before == null
        ? UNMEASURED_ROW * last.getValue().nanos / last.getKey()
        : Math.max(0, Math.max(slope(before, last), slope(known.firstEntry(), last)));
  }

  private static double slope(
      Map.Entry<Integer, Measurement> from, Map.Entry<Integer, Measurement> to) {
    return (to.getValue().nanos - from.getValue().nanos) / (to.getKey() - from.getKey());
  }
}
