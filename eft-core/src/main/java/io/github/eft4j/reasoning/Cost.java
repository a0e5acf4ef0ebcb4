package io.github.eft4j.reasoning;

/**
 * What an answer took.
 *
 * @param decodingPasses the number of completions that were decoded
 * @param tokens the number of tokens that were generated
 * @param nliCalls the number of pairs of statements that a judge of entailment was asked about
 * @param beliefUpdates the number of nodes whose belief was computed from their parents
 */
public record Cost(int decodingPasses, int tokens, int nliCalls, int beliefUpdates) {}
