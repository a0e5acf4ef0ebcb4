/**
 * Emulated fine-tuning: sampling from a language model that was never trained, by arithmetic on the
 * next-token logits of several models (Mitchell et al., ICLR 2024, <a
 * href="https://arxiv.org/abs/2310.12962">arXiv 2310.12962</a>).
 *
 * <p>Start at {@link io.github.eft4j.EftSampler} and {@link io.github.eft4j.LogitCombiner}.
 */
@NullMarked
package io.github.eft4j;

import org.jspecify.annotations.NullMarked;
