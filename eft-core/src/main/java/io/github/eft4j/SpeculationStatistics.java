package io.github.eft4j;

/**
 * What came of drafting.
 *
 * @param drafted the number of tokens that were drafted
 * @param checked the number of drafted tokens that were compared with the target: all up to the
 *     first that was not accepted
 * @param accepted the number of drafted tokens that were accepted
 * @param passes the number of passes of the target models, each of which checked one block
 */
public record SpeculationStatistics(int drafted, int checked, int accepted, int passes) {
  /**
   * The share of drafted tokens that were accepted of those that were compared with the target.
   *
   * @return the share, NaN where none was compared
   */
  public double acceptance() {
    return (double) accepted / checked;
  }
}
