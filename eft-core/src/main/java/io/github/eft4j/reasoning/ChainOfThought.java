package io.github.eft4j.reasoning;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.TokenProbability;
import io.github.eft4j.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/** Answers from chains of thought alone: what {@link TheoremOfThought} is compared with. */
public final class ChainOfThought {
  /** The confidence in a token is the gap between the likeliest and the second likeliest. */
  private static final int TOP_TWO = 2;

  private final EftSampler sampler;
  private final Agent agent;
  private final int maxSteps;

  private ChainOfThought(EftSampler sampler, Agent agent, int maxSteps) {
    this.sampler = sampler;
    this.agent = agent;
    this.maxSteps = maxSteps;
  }

  /**
   * Chains of thought from the prompt of {@link Agent#stepByStep()}, of at most 8 steps.
   *
   * @param sampler writes them
   * @return the chains, from which a method makes answers
   * @throws IllegalArgumentException if no model of the sampler has a tokenizer
   */
  public static ChainOfThought of(EftSampler sampler) {
    return of(sampler, Agent.stepByStep(), 8);
  }

  /**
   * Chains of thought from a prompt of the user's own.
   *
   * @param sampler writes them
   * @param agent the prompt, and how the answer is found
   * @param maxSteps the number of steps that the prompt names
   * @return the chains, from which a method makes answers
   * @throws IllegalArgumentException if {@code maxSteps} is not positive, or no model of the
   *     sampler has a tokenizer
   */
  public static ChainOfThought of(EftSampler sampler, Agent agent, int maxSteps) {
    if (maxSteps < 1) {
      throw new IllegalArgumentException("maxSteps is " + maxSteps + ", expected at least 1");
    }
    Questions.tokenizer(sampler);
    return new ChainOfThought(sampler, Objects.requireNonNull(agent), maxSteps);
  }

  /**
   * The likeliest chain (Wei et al. 2022, <a href="https://arxiv.org/abs/2201.11903">arXiv
   * 2201.11903</a>, decoded greedily).
   *
   * @return the method
   */
  public Reasoner greedy() {
    SamplingOptions options = sampler.options().toBuilder().greedy().build();
    return question -> {
      Completion completion = sampler.sample(request(question, options));
      return SampledAnswer.vote(
          List.of(candidate(question, completion, 1)), completion.tokenIds().size());
    };
  }

  /**
   * Self-consistency (Wang et al. 2023, <a href="https://arxiv.org/abs/2203.11171">arXiv
   * 2203.11171</a>): the answer that most of several sampled chains come to. They are drawn with
   * the sampler's own options.
   *
   * @param chains the number of chains, at least 1
   * @return the method
   * @throws IllegalArgumentException if {@code chains} is not positive, or the sampler is greedy,
   *     so that all chains would be the same one
   */
  public Reasoner selfConsistency(int chains) {
    if (chains < 1) {
      throw new IllegalArgumentException("chains is " + chains + ", expected at least 1");
    }
    if (sampler.options().temperature() == 0) {
      throw new IllegalArgumentException(
          "temperature is 0, expected above 0: self-consistency compares different chains");
    }
    return question -> {
      List<Completion> completions = sampler.sample(request(question, sampler.options()), chains);
      return SampledAnswer.vote(
          completions.stream().map(completion -> candidate(question, completion, 1)).toList(),
          tokens(completions));
    };
  }

  /**
   * CoT-decoding (Wang and Zhou 2024, <a href="https://arxiv.org/abs/2402.10200">arXiv
   * 2402.10200</a>): greedy chains from each of the likeliest first tokens. The confidence in a
   * chain is the mean over the tokens of its answer of the gap between the probabilities of the two
   * likeliest tokens; the answer with the greatest sum of confidences wins.
   *
   * @param chains the number of first tokens k, at least 1
   * @return the method
   * @throws IllegalArgumentException if {@code chains} is not positive
   */
  public Reasoner branching(int chains) {
    if (chains < 1) {
      throw new IllegalArgumentException("chains is " + chains + ", expected at least 1");
    }
    SamplingOptions options =
        sampler.options().toBuilder()
            .greedy()
            .topLogProbabilities(Math.max(chains, TOP_TWO))
            .build();
    return question -> {
      Completion greedy = sampler.sample(request(question, options));
      List<SampleRequest> others =
          greedy.topLogProbabilities().getFirst().stream()
              .skip(1)
              .limit(chains - 1L)
              .map(first -> options.toBuilder().forcedIds(first.id()).build())
              .map(forced -> request(question, forced))
              .toList();
      List<Completion> completions = new ArrayList<>();
      completions.add(greedy);
      completions.addAll(sampler.sampleAll(others));
      return SampledAnswer.vote(
          completions.stream().map(c -> candidate(question, c, confidence(question, c))).toList(),
          tokens(completions));
    };
  }

  private SampleRequest request(String question, SamplingOptions options) {
    Questions.check(question);
    return SampleRequest.of(Prompt.text(agent.prompt(question, maxSteps))).withOptions(options);
  }

  private static int tokens(List<Completion> completions) {
    return completions.stream().mapToInt(c -> c.tokenIds().size()).sum();
  }

  private SampledAnswer.Candidate candidate(String question, Completion completion, double weight) {
    String text = completion.text();
    return new SampledAnswer.Candidate(text, conclusion(question, text), weight);
  }

  private Optional<String> conclusion(String question, String text) {
    return agent.trace(question, maxSteps, text).conclusion();
  }

  /**
   * The confidence in an answer, 0 where there is none. Its tokens are found by growing the text
   * until it comes to the answer for the first time: there it ends with the answer.
   */
  private double confidence(String question, Completion completion) {
    Optional<String> answer = conclusion(question, completion.text());
    if (answer.isEmpty()) {
      return 0;
    }
    Tokenizer tokenizer = Questions.tokenizer(sampler);
    int[] ids = completion.tokenIds().stream().mapToInt(Integer::intValue).toArray();
    List<Integer> lengths = new ArrayList<>();
    for (int count = 1; count <= ids.length; count++) {
      String text = tokenizer.decode(Arrays.copyOf(ids, count), true);
      lengths.add(text.length());
      if (conclusion(question, text).equals(answer)) {
        // An answer that the parser changed is taken to be the last line.
        int start = Math.max(text.lastIndexOf(answer.get()), text.lastIndexOf('\n') + 1);
        return meanGap(completion, lengths, start);
      }
    }
    return 0;
  }

  /** The mean gap of the tokens that reach beyond a character. */
  private static double meanGap(Completion completion, List<Integer> lengths, int start) {
    return IntStream.range(0, lengths.size())
        .filter(token -> lengths.get(token) > start)
        .mapToDouble(token -> gap(completion.topLogProbabilities().get(token)))
        .average()
        .orElse(0);
  }

  private static double gap(List<TokenProbability> likeliest) {
    return Math.exp(likeliest.get(0).logProbability())
        - Math.exp(likeliest.get(1).logProbability());
  }
}
