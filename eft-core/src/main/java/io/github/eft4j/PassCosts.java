package io.github.eft4j;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What a model's forward passes cost, by the number of their rows, as measured lately. Where
 * nothing was measured a pass is taken to be cheap, so that it is tried: costs rise by steps, since
 * kernels take several rows together, and a number between two that were measured may cost as
 * little as the lesser. Safe for use by many threads at once.
 *
 * <p>A machine is faster in some minutes than in others, and numbers of rows that are not tried
 * then must not seem better or worse for it: a pass that takes longer than expected tells in part
 * that all would.
 *
 * <p>The first pass with a number of rows may be held up by the compiler many times over, and
 * whoever believes it never tries that number again. So the very first pass, and the first one with
 * a number of rows if it took longer than as many passes of one row, counts only while nothing
 * better is known: the second pass with that number replaces it if it is shorter, and until then
 * the number is taken for an unmeasured one.
 */
final class PassCosts {
  /** The share of an unexpected time by which all numbers of rows are corrected. */
  private static final double ALL = 0.2;

  /** The least share of the rest by which the number that was measured is corrected besides. */
  private static final double OWN = 0.1;

  /** A measurement counts as no more than so many times what was expected: it was held up. */
  private static final double MOST = 2;

  /** What a row more is taken to cost, as a share of a row, until two numbers were measured. */
  private static final double UNMEASURED_ROW = 0.1;

  /** The same between two numbers that were measured, as a share of a row there. */
  private static final double BETWEEN = 0.6;

  /** A pass that takes longer than so many passes of one row for each row was held up. */
  private static final double MOST_PER_ROW = 1.2;

  /** After so many passes with other numbers of rows a measurement is forgotten. */
  private static final int MEMORY = 256;

  /** First passes that may have been held up. */
  private final TreeMap<Integer, Measurement> once = new TreeMap<>();

  private final TreeMap<Integer, Measurement> byRows = new TreeMap<>();
  private long passes;

  /** A mean, of how many passes, and the last of them. */
  private record Measurement(double nanos, int count, long pass) {}

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
      double surprise = Math.min(nanos / old.nanos, MOST) - 1;
      byRows.replaceAll((_, m) -> new Measurement((1 + ALL * surprise) * m.nanos, m.count, m.pass));
      int count = old.count + 1;
      double own = (1 - ALL) * Math.max(OWN, 1.0 / count);
      byRows.put(rows, new Measurement((1 + (ALL + own) * surprise) * old.nanos, count, passes));
    } else {
      nanos = first == null ? nanos : Math.min(first.nanos, nanos);
      (mayBeHeldUp ? once : byRows).put(rows, new Measurement(nanos, 1, passes));
    }
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
   * The time of a pass in nanoseconds: measured, or reckoned from what was, but no more than a pass
   * of more rows took, however long ago this one was measured.
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
    return below.getValue().nanos
        + BETWEEN * share * (above.getValue().nanos - below.getValue().nanos);
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
