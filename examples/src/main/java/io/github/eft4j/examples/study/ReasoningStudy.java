package io.github.eft4j.examples.study;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.examples.facts.Judgement;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Question;
import io.github.eft4j.examples.reasoning.StatementPairs;
import io.github.eft4j.examples.reasoning.Way;
import io.github.eft4j.models.NliModel;
import io.github.eft4j.reasoning.ChainOfThought;
import io.github.eft4j.reasoning.Cost;
import io.github.eft4j.reasoning.Reasoner;
import io.github.eft4j.reasoning.ReasoningResult;
import io.github.eft4j.reasoning.ScoredGraph;
import io.github.eft4j.reasoning.TheoremOfThought;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Compares Theorem-of-Thought with chain of thought, self-consistency and CoT-decoding, on
 * questions that take two facts.
 */
public final class ReasoningStudy {
  /** The chains of self-consistency and of CoT-decoding, as many as Wang and Zhou 2024 took. */
  static final int CHAINS = 10;

  /** The temperature of self-consistency, that of Wang et al. 2023. */
  static final double TEMPERATURE = 0.7;

  static final String THEOREM_OF_THOUGHT = "Theorem-of-Thought";

  private static final int MAX_STEPS = 8;
  private static final int MAX_NEW_TOKENS = 80;
  private static final int UNSEEN_PAIRS = 1000;
  private static final int UNSEEN_ENTITY_PAIRS = 500;

  private final List<MultiHop> questions;
  private final NliModel judge;
  private final long seed;
  private final Consumer<String> progress;
  private final Map<String, Map<String, List<Answered>>> results = new LinkedHashMap<>();

  /**
   * Begins a study without results.
   *
   * @param questions the questions
   * @param judge judges steps
   * @param seed what sampled chains come from
   * @param progress is told what is done next
   */
  public ReasoningStudy(
      List<MultiHop> questions, NliModel judge, long seed, Consumer<String> progress) {
    this.questions = List.copyOf(questions);
    this.judge = judge;
    this.seed = seed;
    this.progress = progress;
  }

  /**
   * An answer.
   *
   * @param hop the question
   * @param answer the answer, with what it took
   */
  record Answered(MultiHop hop, Reasoner.Answer answer) {
    boolean right() {
      return right(hop, answer.answer().orElse(""));
    }

    static boolean right(MultiHop hop, String answer) {
      return Judgement.of(new Question(hop.sought(), hop.question()), answer, true).factual();
    }
  }

  /**
   * Asks all questions of one model or combination, by every method.
   *
   * @param name what the report calls it
   * @param combiner what is sampled
   */
  public void add(String name, LogitCombiner combiner) {
    Map<String, List<Answered>> byMethod = new LinkedHashMap<>();
    methods(combiner)
        .forEach(
            (method, reasoner) -> {
              progress.accept(name + ": " + method);
              byMethod.put(
                  method,
                  questions.stream()
                      .map(hop -> new Answered(hop, reasoner.answer(hop.question())))
                      .toList());
            });
    results.put(name, byMethod);
  }

  /**
   * Adds the small reasoner, the large base model, and both together: the up-scaled one.
   *
   * @param large the large base model
   * @param reasoner the small model that was taught to reason
   * @param base the small base model
   */
  public void addAll(LanguageModel large, LanguageModel reasoner, LanguageModel base) {
    add("small reasoner", LogitCombiner.of(reasoner));
    add("large base", LogitCombiner.of(large));
    add(Models.UP_SCALED, LogitCombiner.upScale(large, reasoner, base));
  }

  private Map<String, Reasoner> methods(LogitCombiner combiner) {
    EftSampler.Builder builder =
        EftSampler.builder(combiner).maxNewTokens(MAX_NEW_TOKENS).seed(seed).batchSize(CHAINS);
    EftSampler greedy = builder.greedy().build();
    EftSampler drawing = builder.temperature(TEMPERATURE).build();
    Map<String, Reasoner> methods = new LinkedHashMap<>();
    methods.put("chain of thought", chains(greedy).greedy());
    methods.put("self-consistency", chains(drawing).selfConsistency(CHAINS));
    methods.put("CoT-decoding", chains(greedy).branching(CHAINS));
    methods.put(
        THEOREM_OF_THOUGHT, TheoremOfThought.builder(greedy, judge).agents(Way.agents()).build());
    return methods;
  }

  private static ChainOfThought chains(EftSampler sampler) {
    return ChainOfThought.of(sampler, Way.DEDUCTIVE.agent(), MAX_STEPS);
  }

  /** The answers by model and method. */
  Map<String, Map<String, List<Answered>>> results() {
    return results;
  }

  static Proportion accuracy(List<Answered> answers) {
    return share(answers, Answered::right);
  }

  /** The mean of a cost over the questions. */
  static double mean(List<Answered> answers, ToIntFunction<Cost> cost) {
    return answers.stream()
        .mapToInt(a -> cost.applyAsInt(a.answer().cost()))
        .average()
        .orElseThrow();
  }

  /** What the agents of Theorem-of-Thought came to on their own, and what a better choice would. */
  static Map<String, Proportion> agents(List<Answered> answers) {
    Map<String, Proportion> shares = new LinkedHashMap<>();
    for (Way way : Way.values()) {
      String name = way.agent().name();
      shares.put(
          name + " agent",
          share(answers, a -> graphs(a).stream().anyMatch(g -> is(g, name) && right(a, g))));
    }
    shares.put(
        "two of them or more",
        share(answers, a -> graphs(a).stream().filter(g -> right(a, g)).count() > 1));
    shares.put("any of them", share(answers, a -> graphs(a).stream().anyMatch(g -> right(a, g))));
    return shares;
  }

  /** The mean score of graphs whose answer is right, or of those where it is wrong. */
  static OptionalDouble meanScore(List<Answered> answers, boolean right) {
    return answers.stream()
        .flatMap(a -> graphs(a).stream().filter(g -> right(a, g) == right))
        .mapToDouble(g -> g.score().value())
        .average();
  }

  private static boolean is(ScoredGraph graph, String agent) {
    return graph.agent().equals(agent);
  }

  private static boolean right(Answered answered, ScoredGraph graph) {
    return Answered.right(answered.hop(), graph.trace().conclusion().orElse(""));
  }

  private static List<ScoredGraph> graphs(Answered answered) {
    return answered.answer() instanceof ReasoningResult result ? result.graphs() : List.of();
  }

  private static <T> Proportion share(List<T> all, Predicate<T> counts) {
    return new Proportion((int) all.stream().filter(counts).count(), all.size());
  }

  /** How often the judge is right about pairs that it has not seen, by kind and label. */
  Map<String, Map<String, Proportion>> judgeAccuracy() {
    progress.accept("the judge");
    Map<String, Map<String, Proportion>> all = new LinkedHashMap<>();
    all.put("unseen pairs, known entities", byLabel(StatementPairs.unseenPairs(UNSEEN_PAIRS)));
    all.put(
        "unseen entities, form alone", byLabel(StatementPairs.unseenEntities(UNSEEN_ENTITY_PAIRS)));
    return all;
  }

  private Map<String, Proportion> byLabel(List<StatementPairs.Labelled> pairs) {
    List<io.github.eft4j.reasoning.Judgement> judgements =
        judge.judge(pairs.stream().map(StatementPairs.Labelled::pair).toList());
    Map<String, Proportion> shares = new LinkedHashMap<>();
    List<Integer> all = IntStream.range(0, pairs.size()).boxed().toList();
    Predicate<Integer> hit = i -> judgements.get(i).label() == pairs.get(i).label();
    shares.put("all", share(all, hit));
    for (var label : io.github.eft4j.reasoning.Judgement.Label.values()) {
      List<Integer> some = all.stream().filter(i -> pairs.get(i).label() == label).toList();
      shares.put(label.name().toLowerCase(Locale.ROOT), share(some, hit));
    }
    return shares;
  }

  /**
   * Writes the report and its chart.
   *
   * @param directory where to
   * @param command the command that made it
   * @throws IOException if that fails
   */
  public void write(Path directory, String command) throws IOException {
    ReasoningReport.write(directory, StudyReport.circumstances(command, questions.size()), this);
  }
}
