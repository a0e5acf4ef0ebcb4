package io.github.eft4j;

import java.util.Objects;

/**
 * Speculative decoding (Leviathan et al., ICML 2023, <a
 * href="https://arxiv.org/abs/2211.17192">arXiv 2211.17192</a>; Chen et al. 2023, <a
 * href="https://arxiv.org/abs/2302.01318">arXiv 2302.01318</a>): a cheap model drafts a block of
 * tokens one by one, and the other models check the whole block in one pass each. What is drawn
 * follows the combined distribution exactly, whatever the draft model and however it was combined.
 *
 * @param draft the model that drafts. One that the combination runs anyway is best, such as the
 *     small fine-tuned one of an up-scaling: its logits serve twice
 * @param rule how drafted tokens are accepted
 * @param blockLength the greatest number of tokens in a block
 * @param adaptive whether blocks are made as long as serves speed best, from measured acceptance
 *     and measured cost of passes, possibly not drafting at all; else all blocks are {@code
 *     blockLength} long
 */
public record Speculation(
    LanguageModel draft, AcceptanceRule rule, int blockLength, boolean adaptive) {
  /** The greatest block length of adaptive speculation unless told otherwise. */
  private static final int LONGEST_BLOCK = 16;

  /** How drafted tokens are accepted. */
  public enum AcceptanceRule {
    /**
     * Draft and target draw with the same noise, and a drafted token is accepted where both draw
     * the same: the completion is token for token that of sequential decoding with the same seed. A
     * token is accepted with probability at least {@code (1 − TV) / (1 + TV)}, where TV is the
     * total variation between the two distributions.
     */
    COUPLED,
    /**
     * A drafted token is accepted with probability {@code min(1, p/q)}, else one is drawn from the
     * normalised positive part of {@code p − q}. Accepts the most that is possible, {@code 1 − TV};
     * exact in distribution, but other tokens than sequential decoding draws with the same seed,
     * and with an adaptive block length not the same ones every time.
     */
    RATIO
  }

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the block length is not between 1 and 64
   */
  public Speculation {
    Objects.requireNonNull(draft);
    Objects.requireNonNull(rule);
    if (blockLength < 1 || blockLength > 64) {
      throw new IllegalArgumentException(
          "blockLength is " + blockLength + ", expected between 1 and 64");
    }
  }

  /**
   * Adaptive speculation by the coupled rule.
   *
   * @param draft the model that drafts
   * @return the speculation
   */
  public static Speculation draftWith(LanguageModel draft) {
    return new Speculation(draft, AcceptanceRule.COUPLED, LONGEST_BLOCK, true);
  }

  /**
   * The same speculation with another rule.
   *
   * @param rule how drafted tokens are accepted
   * @return the speculation
   */
  public Speculation withRule(AcceptanceRule rule) {
    return new Speculation(draft, rule, blockLength, adaptive);
  }

  /**
   * The same speculation with blocks of one length.
   *
   * @param blockLength the number of tokens in a block, between 1 and 64
   * @return the speculation
   */
  public Speculation withBlockLength(int blockLength) {
    return new Speculation(draft, rule, blockLength, false);
  }
}
