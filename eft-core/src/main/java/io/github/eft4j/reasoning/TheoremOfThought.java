package io.github.eft4j.reasoning;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.FinishReason;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.reasoning.AgentFailure.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Theorem-of-Thought (Abdaljalil et al. 2025, <a href="https://arxiv.org/abs/2506.07106">arXiv
 * 2506.07106</a>): some agents reason about a question in different ways. The steps of each are a
 * graph, whose edges a judge of entailment weighs; belief spreads through each graph once, and the
 * graph with the most belief and the least uncertainty answers.
 *
 * <p>With k agents of at most s steps this takes k completions, decoded as one batch, and (where no
 * step cites several others) at most k (s − 1) judgements and as many updates of belief.
 *
 * <p>An agent that fails is left out and reported; the others go on without it. See {@link
 * AgentFailure.Reason} for how an agent can fail. Steps beyond the greatest number are left out of
 * the graph.
 *
 * <p>The sampler's options say how agents' texts are drawn, and how long they may get.
 */
public final class TheoremOfThought implements Reasoner {
  private final EftSampler sampler;
  private final EntailmentModel entailment;
  private final List<Agent> agents;
  private final int maxSteps;
  private final EdgeRule edges;
  private final TrustModel trust;
  private final BeliefPropagation propagation;
  private final EntropyUnit entropyUnit;
  private final @Nullable Duration writingTimeout;
  private final @Nullable Duration judgingTimeout;
  private final LongSupplier nanoClock;

  private TheoremOfThought(Builder builder) {
    sampler = builder.sampler;
    entailment = builder.entailment;
    agents = builder.agents;
    maxSteps = builder.maxSteps;
    edges = builder.edges;
    trust = builder.trust;
    propagation = builder.propagation;
    entropyUnit = builder.entropyUnit;
    writingTimeout = builder.writingTimeout;
    judgingTimeout = builder.judgingTimeout;
    nanoClock = builder.nanoClock;
  }

  /**
   * Starts building.
   *
   * @param sampler writes the agents' texts
   * @param entailment judges whether steps follow from one another
   * @return the builder
   * @throws IllegalArgumentException if no model of the sampler has a tokenizer
   */
  public static Builder builder(EftSampler sampler, EntailmentModel entailment) {
    return new Builder(sampler, entailment);
  }

  /** An agent failed; it is caught before anyone outside sees it. */
  private static final class FailedAgentException extends Exception {
    private static final long serialVersionUID = 1L;

    @SuppressWarnings("serial") // never serialised
    private final AgentFailure failure;

    FailedAgentException(Agent agent, Reason reason, String message, @Nullable Throwable cause) {
      super(message, cause);
      failure = new AgentFailure(agent.name(), reason, message, cause);
    }
  }

  /** What is counted while a question is answered. */
  private static final class Counts {
    int decodingPasses;
    int tokens;
    int nliCalls;
    int beliefUpdates;

    Cost cost() {
      return new Cost(decodingPasses, tokens, nliCalls, beliefUpdates);
    }
  }

  /**
   * Answers a question.
   *
   * @param question the question
   * @return the answer, the graphs and what failed; without an answer if all agents failed
   * @throws IllegalArgumentException if the question is blank, or a {@link TrustModel} of the
   *     user's own gives a trust out of its range
   */
  @Override
  public ReasoningResult answer(String question) {
    Questions.check(question);
    BooleanSupplier writingIsOver = over(writingTimeout);
    List<SampleRequest> requests =
        agents.stream()
            .map(agent -> SampleRequest.of(Prompt.text(agent.prompt(question, maxSteps))))
            .map(request -> request.cancelledWhen(writingIsOver))
            .toList();
    Counts counts = new Counts();
    List<ScoredGraph> graphs = new ArrayList<>();
    List<AgentFailure> failures = new ArrayList<>();
    List<Attempt> attempts = sample(requests, counts);
    BooleanSupplier judgingIsOver = over(judgingTimeout);
    for (int i = 0; i < agents.size(); i++) {
      try {
        graphs.add(evaluate(agents.get(i), question, attempts.get(i), judgingIsOver, counts));
      } catch (FailedAgentException e) {
        failures.add(e.failure);
      }
    }
    return new ReasoningResult(graphs, failures, counts.cost());
  }

  /** Tells whether a time that begins now is over. */
  private BooleanSupplier over(@Nullable Duration timeout) {
    if (timeout == null) {
      return () -> false;
    }
    long start = nanoClock.getAsLong();
    return () -> nanoClock.getAsLong() - start >= timeout.toNanos();
  }

  /** A completion, or why there is none. */
  private record Attempt(@Nullable Completion completion, @Nullable RuntimeException failure) {}

  private List<Attempt> sample(List<SampleRequest> requests, Counts counts) {
    List<Attempt> attempts = new ArrayList<>();
    try {
      for (Completion completion : sampler.sampleAll(requests)) {
        counts.decodingPasses++;
        counts.tokens += completion.tokenIds().size();
        attempts.add(new Attempt(completion, null));
      }
    } catch (RuntimeException e) {
      if (requests.size() == 1) {
        return List.of(new Attempt(null, e));
      }
      // The batch does not say whose fault it was, so the others get another chance alone.
      for (SampleRequest request : requests) {
        attempts.addAll(sample(List.of(request), counts));
      }
    }
    return attempts;
  }

  private ScoredGraph evaluate(
      Agent agent, String question, Attempt attempt, BooleanSupplier judgingIsOver, Counts counts)
      throws FailedAgentException {
    Trace trace = trace(agent, question, attempt);
    ReasoningGraph graph = graph(agent, trace);
    if (judgingIsOver.getAsBoolean()) {
      throw new FailedAgentException(
          agent,
          Reason.TIMEOUT,
          "the time for judging was over before its steps were judged",
          null);
    }
    List<Judgement> judgements = judge(agent, graph, counts);
    List<Double> trusts = judgements.stream().map(trust::trust).toList();
    BeliefPropagation.Beliefs beliefs = propagation.propagate(graph, trusts);
    counts.beliefUpdates += beliefs.updates();
    return new ScoredGraph(
        agent.name(),
        trace,
        graph,
        judgements,
        trusts,
        beliefs.values(),
        GraphScore.of(beliefs.values(), entropyUnit));
  }

  private Trace trace(Agent agent, String question, Attempt attempt) throws FailedAgentException {
    Completion completion = attempt.completion;
    if (completion == null) {
      throw failed(agent, Reason.SAMPLING, "its text could not be sampled", attempt.failure);
    }
    if (completion.finishReason() == FinishReason.CANCELLED) {
      throw new FailedAgentException(
          agent,
          Reason.TIMEOUT,
          "the time for writing was over after %d tokens".formatted(completion.tokenIds().size()),
          null);
    }
    Trace trace;
    try {
      trace = agent.trace(question, maxSteps, completion.text()).firstSteps(maxSteps);
    } catch (RuntimeException e) {
      throw failed(agent, Reason.NO_TRACE, "its parser failed", e);
    }
    if (trace.steps().isEmpty()) {
      throw new FailedAgentException(
          agent, Reason.NO_TRACE, "it wrote no steps: " + completion.text().strip(), null);
    }
    return trace;
  }

  private ReasoningGraph graph(Agent agent, Trace trace) throws FailedAgentException {
    try {
      return new ReasoningGraph(
          trace.steps().stream().map(Step::text).toList(), edges.edges(trace));
    } catch (InvalidCitationException e) {
      throw new FailedAgentException(agent, Reason.INVALID_CITATION, message(e), e);
    } catch (IllegalArgumentException e) {
      throw new FailedAgentException(agent, Reason.INVALID_GRAPH, message(e), e);
    }
  }

  private List<Judgement> judge(Agent agent, ReasoningGraph graph, Counts counts)
      throws FailedAgentException {
    List<EntailmentModel.Pair> pairs =
        graph.edges().stream()
            .map(
                edge ->
                    new EntailmentModel.Pair(
                        graph.nodes().get(edge.parent()), graph.nodes().get(edge.child())))
            .toList();
    if (pairs.isEmpty()) {
      return List.of();
    }
    counts.nliCalls += pairs.size();
    List<Judgement> judgements;
    try {
      judgements = entailment.judge(pairs);
    } catch (RuntimeException e) {
      throw failed(agent, Reason.ENTAILMENT, "its steps could not be judged", e);
    }
    if (judgements.size() != pairs.size()) {
      throw new FailedAgentException(
          agent,
          Reason.ENTAILMENT,
          "%d judgements were given for %d pairs".formatted(judgements.size(), pairs.size()),
          null);
    }
    return judgements;
  }

  private static FailedAgentException failed(
      Agent agent, Reason reason, String what, @Nullable RuntimeException cause) {
    return new FailedAgentException(
        agent, reason, cause == null ? what : what + ": " + message(cause), cause);
  }

  private static String message(RuntimeException e) {
    return Objects.requireNonNullElse(e.getMessage(), e.getClass().getName());
  }

  /** Collects how to reason. */
  public static final class Builder {
    private final EftSampler sampler;
    private final EntailmentModel entailment;
    private List<Agent> agents = Agent.standard();
    private int maxSteps = 8;
    private EdgeRule edges = EdgeRule.citedOrPrevious();
    private TrustModel trust = TrustModel.hardLabel();
    private BeliefPropagation propagation = BeliefPropagation.STANDARD;
    private EntropyUnit entropyUnit = EntropyUnit.NATS;
    private @Nullable Duration writingTimeout;
    private @Nullable Duration judgingTimeout;
    private LongSupplier nanoClock = System::nanoTime;

    private Builder(EftSampler sampler, EntailmentModel entailment) {
      Questions.tokenizer(sampler);
      this.sampler = sampler;
      this.entailment = Objects.requireNonNull(entailment);
    }

    /**
     * Sets who reasons; {@link Agent#standard()} unless set.
     *
     * @param agents the agents, at least one, each with a name of its own
     * @return this builder
     * @throws IllegalArgumentException if there is none, or two have the same name
     */
    public Builder agents(List<Agent> agents) {
      if (agents.isEmpty()) {
        throw new IllegalArgumentException("there are no agents, expected at least one");
      }
      if (agents.stream().map(Agent::name).distinct().count() < agents.size()) {
        throw new IllegalArgumentException(
            "two agents have the same name: " + agents.stream().map(Agent::name).toList());
      }
      this.agents = List.copyOf(agents);
      return this;
    }

    /**
     * Sets how many steps of a trace are looked at; 8 unless set.
     *
     * @param maxSteps the greatest number, at least 1
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder maxSteps(int maxSteps) {
      if (maxSteps < 1) {
        throw new IllegalArgumentException("maxSteps is " + maxSteps + ", expected at least 1");
      }
      this.maxSteps = maxSteps;
      return this;
    }

    /**
     * Sets which steps support which; {@link EdgeRule#citedOrPrevious()} unless set.
     *
     * @param edges the rule
     * @return this builder
     */
    public Builder edges(EdgeRule edges) {
      this.edges = Objects.requireNonNull(edges);
      return this;
    }

    /**
     * Sets what judgements are worth; {@link TrustModel#hardLabel()} unless set.
     *
     * @param trust the model
     * @return this builder
     */
    public Builder trust(TrustModel trust) {
      this.trust = Objects.requireNonNull(trust);
      return this;
    }

    /**
     * Sets the belief in steps that nothing supports; 0.5 unless set.
     *
     * @param belief the belief, above 0 and below 1
     * @return this builder
     * @throws IllegalArgumentException if it is out of its range
     */
    public Builder rootBelief(double belief) {
      this.propagation = new BeliefPropagation(belief);
      return this;
    }

    /**
     * Sets the unit of entropies; {@link EntropyUnit#NATS} unless set.
     *
     * @param unit the unit
     * @return this builder
     */
    public Builder entropyUnit(EntropyUnit unit) {
      this.entropyUnit = Objects.requireNonNull(unit);
      return this;
    }

    /**
     * Limits the time in which the agents write; there is no limit unless set. Agents that have not
     * finished by then fail, and the texts of the others are judged.
     *
     * @param timeout the time, above zero
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder writingTimeout(Duration timeout) {
      this.writingTimeout = positive("writingTimeout", timeout);
      return this;
    }

    /**
     * Limits the time in which steps are judged, from the end of writing on; there is no limit
     * unless set. Agents whose turn has not come by then fail. A turn that has begun is not
     * interrupted.
     *
     * @param timeout the time, above zero
     * @return this builder
     * @throws IllegalArgumentException if it is not positive
     */
    public Builder judgingTimeout(Duration timeout) {
      this.judgingTimeout = positive("judgingTimeout", timeout);
      return this;
    }

    private static Duration positive(String option, Duration timeout) {
      if (!timeout.isPositive()) {
        throw new IllegalArgumentException(option + " is " + timeout + ", expected above zero");
      }
      return timeout;
    }

    /** Replaces the clock, for tests. */
    Builder nanoClock(LongSupplier nanoClock) {
      this.nanoClock = nanoClock;
      return this;
    }

    /**
     * Makes the reasoner.
     *
     * @return the reasoner
     */
    public TheoremOfThought build() {
      return new TheoremOfThought(this);
    }
  }
}
