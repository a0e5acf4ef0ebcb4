package io.github.eft4j;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * What a sampler has measured in its life, by which it chooses how much to draft: the cost of
 * passes, and how often drafted tokens are accepted. Safe for use by many threads at once.
 */
final class SpeculationMeasurements {
  /** The share of time to spend on a drafter that does not pay, to notice when it begins to. */
  private static final double PROBE_SHARE = 0.03;

  /** The same after it was tried and would have been of use. */
  private static final double HOPEFUL_SHARE = 0.06;

  /** How much of its weight a check keeps with each one after it. */
  private static final double MEMORY = 0.99;

  private final LongSupplier clock;
  private final Map<LanguageModel, PassCosts> costs = new HashMap<>();

  /** Recent checks of drafted tokens, and how many were accepted, with a prior of 0.7 in 2. */
  private double checked = 2;

  private double accepted = 1.4;
  private boolean lastAccepted;

  /** Tokens that were drawn without a draft since the last one. */
  private int withoutDraft;

  /**
   * Makes measurements of nothing yet.
   *
   * @param models all models that are run
   * @param clock the time in nanoseconds
   */
  SpeculationMeasurements(List<LanguageModel> models, LongSupplier clock) {
    this.clock = clock;
    models.forEach(model -> costs.put(model, new PassCosts()));
  }

  long nanoTime() {
    return clock.getAsLong();
  }

  /** What the passes of a model cost. */
  PassCosts costs(LanguageModel model) {
    PassCosts found = costs.get(model);
    if (found == null) {
      throw new IllegalStateException("model " + model.name() + " is none that is run");
    }
    return found;
  }

  /** Notes whether a drafted token was, or would have been, accepted. */
  synchronized void checked(boolean accept) {
    checked = MEMORY * checked + 1;
    accepted = MEMORY * accepted + (accept ? 1 : 0);
    lastAccepted = accept;
  }

  /** How likely drafted tokens are to be accepted. */
  synchronized double acceptance() {
    return accepted / checked;
  }

  /**
   * Whether to draft a token though it does not seem to pay, because nobody would notice otherwise
   * that it has begun to. It is asked before each token that is drawn without a draft.
   *
   * @param cost the time that drafting would take, with all that the drafter has to read first
   * @param token the time that a token takes without
   */
  synchronized boolean isWorthAProbe(double cost, double token) {
    withoutDraft++;
    if (cost > (lastAccepted ? HOPEFUL_SHARE : PROBE_SHARE) * withoutDraft * token) {
      return false;
    }
    withoutDraft = 0;
    return true;
  }
}
