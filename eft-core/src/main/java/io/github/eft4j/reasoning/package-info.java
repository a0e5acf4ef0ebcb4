/**
 * Reasoning with a sampler and a judge of entailment: Theorem-of-Thought (Abdaljalil et al. 2025,
 * <a href="https://arxiv.org/abs/2506.07106">arXiv 2506.07106</a>) and the methods that it is
 * compared with.
 *
 * <p>Start at {@link io.github.eft4j.reasoning.TheoremOfThought}. What the paper leaves open is
 * decided here and can be configured: the prompts ({@link io.github.eft4j.reasoning.Agent}), which
 * steps support which ({@link io.github.eft4j.reasoning.EdgeRule}), and the unit of entropies
 * ({@link io.github.eft4j.reasoning.EntropyUnit}).
 */
@NullMarked
package io.github.eft4j.reasoning;

import org.jspecify.annotations.NullMarked;
