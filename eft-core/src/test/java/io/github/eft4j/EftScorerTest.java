package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.EftScorer.Continuation;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EftScorerTest {
  private static final int VOCABULARY = 12;

  private final FunctionModel large = FunctionModel.random("large", VOCABULARY, 1, 2);
  private final FunctionModel tuned = FunctionModel.random("tuned", VOCABULARY, 2, 2);
  private final FunctionModel base = FunctionModel.random("base", VOCABULARY, 3, 2);
  private final LogitCombiner upScaled = LogitCombiner.upScale(large, tuned, base);

  /** Texts from one token to many, so that steps of every length and several batches occur. */
  private List<Completion> completions() {
    List<Completion> completions = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      completions.add(
          EftSampler.builder(upScaled)
              .seed(i)
              .maxNewTokens(1 + 7 * i)
              .build()
              .sample(Prompt.ids(1, i % VOCABULARY)));
    }
    return completions;
  }

  @Test
  void scoresAreWhatTheSamplerReports() {
    List<Completion> completions = completions();
    List<Continuation> texts = new ArrayList<>();
    for (int i = 0; i < completions.size(); i++) {
      texts.add(new Continuation(Prompt.ids(1, i % VOCABULARY), completions.get(i).tokenIds()));
    }
    List<Score> scores = EftScorer.of(upScaled).score(texts);

    for (int i = 0; i < completions.size(); i++) {
      assertThat(scores.get(i).tokenIds()).isEqualTo(completions.get(i).tokenIds());
      assertThat(scores.get(i).logProbabilities()).isEqualTo(completions.get(i).logProbabilities());
    }
    Score last = scores.getLast();
    assertThat(last.perplexity()).isCloseTo(Math.exp(-last.logProbability() / 134), within(1e-12));
    assertThat(large.openCaches).hasValue(0);
  }

  @Test
  void theImplicitRewardIsTheDifferenceOfBothModels() {
    Continuation text = new Continuation(Prompt.ids(1), List.of(4, 5, 6));
    double ofTuned =
        EftScorer.of(LogitCombiner.of(tuned)).score(List.of(text)).getFirst().logProbability();
    double ofBase =
        EftScorer.of(LogitCombiner.of(base)).score(List.of(text)).getFirst().logProbability();

    assertThat(EftScorer.implicitRewards(tuned, base, 0.1, List.of(text)).getFirst())
        .isCloseTo(0.1 * (ofTuned - ofBase), within(1e-12));
  }

  @Test
  void scoresText() {
    FunctionModel writer = FunctionModel.writing("hello world");
    Score score = EftScorer.of(LogitCombiner.of(writer)).score(Prompt.text("hel"), "lo w");

    assertThat(score.perplexity()).isCloseTo(1 + 28 / Math.exp(9), within(1e-9));
  }

  @Test
  void refusesWhatItCannotScore() {
    EftScorer scorer = EftScorer.of(LogitCombiner.of(FunctionModel.writing("a")));

    assertThatThrownBy(() -> new Continuation(Prompt.ids(1), List.of()))
        .hasMessage("the text to be scored has no tokens");
    assertThatThrownBy(() -> scorer.score(List.of(new Continuation(Prompt.ids(1), List.of(29)))))
        .hasMessageContaining("token id 29 to be scored is outside the vocabulary of 29 ids");
    assertThatThrownBy(() -> scorer.score(Prompt.text(""), "a".repeat(65)))
        .hasMessageContaining("65 tokens to be read, but the context of model writer holds 64");
    assertThatThrownBy(() -> EftScorer.of(upScaled).score(Prompt.ids(1), "a"))
        .hasMessageContaining("has a tokenizer");
  }
}
