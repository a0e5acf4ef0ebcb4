package io.github.eft4j.reasoning;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Why an agent has no part in an answer.
 *
 * @param agent the agent's name
 * @param reason what kind of failure it is
 * @param message what happened, for people
 * @param cause the exception behind it, or null where there was none
 */
public record AgentFailure(String agent, Reason reason, String message, @Nullable Throwable cause) {
  /** Checks that nothing is missing. */
  public AgentFailure {
    Objects.requireNonNull(agent);
    Objects.requireNonNull(reason);
    Objects.requireNonNull(message);
  }

  /** The kinds of failure. */
  public enum Reason {
    /** The models could not continue the agent's prompt. */
    SAMPLING,
    /** The time was over before the agent had finished, or before its steps' turn to be judged. */
    TIMEOUT,
    /** The agent wrote nothing that its parser takes for a step, or the parser failed. */
    NO_TRACE,
    /** A step cites a step that does not exist, or not before it. */
    INVALID_CITATION,
    /** The steps support one another in a cycle, or the edges are otherwise no graph. */
    INVALID_GRAPH,
    /** The judge of entailment failed, or gave something other than a judgement for each pair. */
    ENTAILMENT
  }
}
