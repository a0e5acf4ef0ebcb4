package io.github.eft4j;

/**
 * A token and how likely it was.
 *
 * @param id the token id
 * @param logProbability its natural-log probability under the combined distribution before
 *     temperature and filters
 */
public record TokenProbability(int id, double logProbability) {}
