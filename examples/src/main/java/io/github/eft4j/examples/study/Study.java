package io.github.eft4j.examples.study;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.Speculation;
import io.github.eft4j.SpeculationStatistics;
import io.github.eft4j.examples.facts.Question;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/** Puts questions to models and combinations of them. */
public final class Study {
  /** Room for every answer in the assistant's forms, in tokens. */
  public static final int MAX_NEW_TOKENS = 48;

  private static final int BATCH_SIZE = 32;

  private final List<Question> questions;
  private final int maxNewTokens;
  private final long seed;

  /**
   * Prepares a study.
   *
   * @param questions the questions
   * @param maxNewTokens the greatest length of an answer, in tokens
   * @param seed what drawn answers come from
   */
  public Study(List<Question> questions, int maxNewTokens, long seed) {
    this.questions = List.copyOf(questions);
    this.maxNewTokens = maxNewTokens;
    this.seed = seed;
  }

  List<Question> questions() {
    return questions;
  }

  /**
   * The answers of each model, and of the large one up-scaled.
   *
   * @param models the models
   * @param temperature the temperature, 0 for the likeliest tokens
   * @return the outcomes by name
   */
  public Map<String, Outcome> compare(Models models, double temperature) {
    Map<String, Outcome> outcomes = new LinkedHashMap<>();
    models
        .combinations()
        .forEach((name, combiner) -> outcomes.put(name, ask(combiner, temperature)));
    return outcomes;
  }

  /**
   * The main figures as a table of plain text.
   *
   * @param outcomes the outcomes by name
   * @return a line for each outcome, then the share of the factuality gap that was recovered
   */
  public static String summary(Map<String, Outcome> outcomes) {
    StringBuilder table = new StringBuilder();
    table.append(row("", "factuality", "helpfulness", "both"));
    outcomes.forEach(
        (name, outcome) ->
            table.append(row(name, outcome.factuality(), outcome.helpfulness(), outcome.both())));
    Recovery.ofFactuality(outcomes)
        .ifPresent(share -> table.append(row("gap recovered", share, "", "")));
    return table.toString();
  }

  private static String row(String name, Object factuality, Object helpfulness, Object both) {
    return "%-14s%-20s%-20s%s%n".formatted(name, factuality, helpfulness, both);
  }

  /**
   * Greedy answers at one setting after another.
   *
   * @param settings the settings
   * @param combiners makes a combination of a setting
   * @return the outcomes by setting
   */
  Map<Double, Outcome> sweep(List<Double> settings, DoubleFunction<LogitCombiner> combiners) {
    Map<Double, Outcome> outcomes = new LinkedHashMap<>();
    settings.forEach(setting -> outcomes.put(setting, ask(combiners.apply(setting), 0)));
    return outcomes;
  }

  private Outcome ask(LogitCombiner combiner, double temperature) {
    EftSampler sampler =
        EftSampler.builder(combiner.prompted(PromptFormat.chatTemplate()))
            .batchSize(BATCH_SIZE)
            .build();
    List<SampleRequest> requests = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      requests.add(request(i, temperature));
    }
    return Outcome.of(questions, sampler.sampleAll(requests));
  }

  private SampleRequest request(int question, double temperature) {
    SamplingOptions options =
        SamplingOptions.builder()
            .temperature(temperature)
            .seed(seed + question)
            .maxNewTokens(maxNewTokens)
            .build();
    return SampleRequest.of(Prompt.text(questions.get(question).text())).withOptions(options);
  }

  /**
   * What speculation brings, one question at a time.
   *
   * @param blockLength the number of tokens that are drafted at a time, 0 for none
   * @param tokens the number of tokens
   * @param seconds the time that they took, prompts left out
   * @param checked the number of drafted tokens that were compared
   * @param accepted the number of drafted tokens that were accepted
   * @param passes the number of passes of the large model
   * @param asWithout whether all tokens are those that come without speculation
   */
  record Speed(
      int blockLength,
      int tokens,
      double seconds,
      int checked,
      int accepted,
      int passes,
      boolean asWithout) {
    double tokensPerSecond() {
      return tokens / seconds;
    }

    double acceptance() {
      return (double) accepted / checked;
    }
  }

  /**
   * Decodes with and without speculation, the small tuned model drafting. All runs take turns, so
   * that what else the machine does falls on each of them.
   *
   * @param models the models
   * @param temperature the temperature
   * @param count the number of questions
   * @param blockLengths the lengths, 0 for no speculation, which comes first
   * @return a result for each length
   */
  List<Speed> speculate(Models models, double temperature, int count, List<Integer> blockLengths) {
    LogitCombiner combiner = models.upScaled(1).prompted(PromptFormat.chatTemplate());
    List<EftSampler> samplers =
        blockLengths.stream().map(n -> sampler(combiner, models.smallTuned(), n)).toList();
    List<List<Completion>> completions = new ArrayList<>();
    blockLengths.forEach(n -> completions.add(new ArrayList<>()));
    int asked = Math.min(count, questions.size());
    for (EftSampler sampler : samplers) { // warms up
      sampler.sample(request(0, temperature));
    }
    for (int question = 0; question < asked; question++) {
      for (int i = 0; i < samplers.size(); i++) {
        completions.get(i).add(samplers.get(i).sample(request(question, temperature)));
      }
    }
    return IntStream.range(0, samplers.size())
        .mapToObj(i -> speed(blockLengths.get(i), completions.get(i), completions.getFirst()))
        .toList();
  }

  private static EftSampler sampler(LogitCombiner combiner, LanguageModel draft, int blockLength) {
    EftSampler.Builder builder = EftSampler.builder(combiner).batchSize(1);
    if (blockLength > 0) {
      builder.speculation(Speculation.draftWith(draft).withBlockLength(blockLength));
    }
    return builder.build();
  }

  private static Speed speed(int blockLength, List<Completion> some, List<Completion> without) {
    int checked = 0;
    int accepted = 0;
    int passes = 0;
    int tokens = 0;
    double seconds = 0;
    boolean same = true;
    for (int i = 0; i < some.size(); i++) {
      Completion completion = some.get(i);
      SpeculationStatistics statistics = completion.speculation();
      if (blockLength > 0) {
        checked += statistics.checked();
        accepted += statistics.accepted();
        passes += statistics.passes();
      } else {
        passes += completion.tokenIds().size();
      }
      tokens += completion.tokenIds().size();
      seconds += completion.decodeTime().toNanos() * 1e-9;
      same &= completion.tokenIds().equals(without.get(i).tokenIds());
    }
    return new Speed(blockLength, tokens, seconds, checked, accepted, passes, same);
  }
}
