package io.github.eft4j.models.remote;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.TruncationPolicy;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Against llama.cpp itself. Serve a float32 GGUF file of {@code examples/models/large-base}, as
 * {@code eft quantize --type F32} writes it, with {@code src/test/peers/llama_cpp_server.mjs} or
 * llama.cpp's own server, then run this class with {@code -Deft4j.peer=http://127.0.0.1:8089}. It
 * prints what it counted.
 */
@EnabledIfSystemProperty(
    named = "eft4j.peer",
    matches = "http.*",
    disabledReason = "needs a served model; the class says how")
class LlamaCppPeerTest {
  private static final Path MODELS = Path.of("../examples/models");
  private static final int SEEDS = 200;
  private static final int NEW_TOKENS = 16;

  /** Two engines sum in different orders: in so many tokens a draw may come out otherwise. */
  private static final double FLIPS = 1e-3;

  private static LanguageModel large;
  private static LanguageModel tuned;
  private static LanguageModel base;

  @BeforeAll
  static void load() {
    large = LanguageModels.load(MODELS.resolve("large-base"));
    tuned = LanguageModels.load(MODELS.resolve("small-tuned"));
    base = LanguageModels.load(MODELS.resolve("small-base"));
  }

  @AfterAll
  static void close() {
    large.close();
    tuned.close();
    base.close();
  }

  private static LanguageModel connect(int firstList) {
    return LanguageModels.remote(
        "llamacpp:" + System.getProperty("eft4j.peer"),
        large,
        RemoteOptions.defaults().withFirstList(firstList));
  }

  private static EftSampler sampler(LanguageModel largest, double temperature, long seed) {
    return EftSampler.builder(LogitCombiner.upScale(largest, tuned, base))
        .options(
            SamplingOptions.builder()
                .temperature(temperature)
                .seed(seed)
                .maxNewTokens(NEW_TOKENS)
                .ignoreEndOfText(true)
                .build())
        .truncation(TruncationPolicy.failAbove(0))
        .build();
  }

  /** A prompt of its own for every seed. */
  private static Prompt prompt(int seed) {
    return Prompt.text("Question number %d: what is the capital of Finland?".formatted(seed));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 1})
  void aWholeVocabularyGivesTheSameTokens(double temperature) {
    int same = 0;
    int compared = 0;
    int equal = 0;
    try (LanguageModel served = connect(large.vocabularySize())) {
      for (int seed = 0; seed < SEEDS; seed++) {
        Completion theirs = sampler(served, temperature, seed).sample(prompt(seed));
        Completion ours = sampler(large, temperature, seed).sample(prompt(seed));
        equal += theirs.tokenIds().equals(ours.tokenIds()) ? 1 : 0;
        // Up to the first difference, behind which the texts are not the same any more.
        for (int i = 0; i < NEW_TOKENS; i++) {
          compared++;
          if (!theirs.tokenIds().get(i).equals(ours.tokenIds().get(i))) {
            break;
          }
          same++;
        }
      }
    }
    System.out.printf(
        "temperature %s: %d of %d completions are equal, %d of %d tokens%n",
        temperature, equal, SEEDS, same, compared);
    assertThat(compared - same).isLessThanOrEqualTo((int) Math.ceil(FLIPS * compared));
  }

  @Test
  void theShareOfDrawsThatAListDecides() {
    for (int firstList : new int[] {20, 100, 1000}) {
      int tokens = 0;
      int again = 0;
      try (LanguageModel served = connect(firstList)) {
        for (int seed = 0; seed < SEEDS; seed++) {
          Completion completion = sampler(served, 1, seed).sample(prompt(seed));
          tokens += completion.tokenIds().size();
          again += completion.truncation().askedAgain();
        }
      }
      System.out.printf(
          "lists of %d: %.2f %% of %d draws needed no second request%n",
          firstList, 100.0 * (tokens - again) / tokens, tokens);
      assertThat(again).isLessThan(tokens);
    }
  }
}
