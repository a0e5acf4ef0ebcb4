package io.github.eft4j;

import java.util.Map;
import java.util.TreeMap;

/** What a model's forward passes cost, by the number of their rows, as measured lately. */
final class PassCosts {
  /** The weight of the newest measurement. */
  private static final double NEWEST = 0.2;

  /** What a row more is taken to cost, as a share of the pass, until it was measured. */
  private static final double UNMEASURED_ROW = 0.1;

  private final TreeMap<Integer, Double> nanosByRows = new TreeMap<>();

  void measured(int rows, long nanos) {
    // A pass may be held up by much, but not hurried: outliers upwards count for less.
    nanosByRows.merge(
        rows, (double) nanos, (old, now) -> old + NEWEST * (Math.min(now, 2 * old) - old));
  }

  boolean isKnown() {
    return !nanosByRows.isEmpty();
  }

  /** The time of a pass in nanoseconds: measured, or reckoned from its nearest neighbours. */
  double estimate(int rows) {
    Map.Entry<Integer, Double> below = nanosByRows.floorEntry(rows);
    Map.Entry<Integer, Double> above = nanosByRows.ceilingEntry(rows);
    if (below == null && above == null) {
      throw new IllegalStateException("no pass was measured");
    }
    if (below == null) {
      return above.getValue();
    }
    if (above == null) {
      int more = rows - below.getKey();
      return below.getValue() * (1 + UNMEASURED_ROW * more / below.getKey());
    }
    if (below.getKey().equals(above.getKey())) {
      return below.getValue();
    }
    double share = (double) (rows - below.getKey()) / (above.getKey() - below.getKey());
    return below.getValue() + share * (above.getValue() - below.getValue());
  }
}
