package io.github.eft4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EftSamplerTest {
  private final FunctionModel writer = FunctionModel.writing("hello world");

  private static EftSampler.Builder sampling(LanguageModel model) {
    return EftSampler.builder(LogitCombiner.of(model));
  }

  @Test
  void writesUntilTheTextEnds() {
    Completion completion = sampling(writer).greedy().build().sample("");

    assertThat(completion.text()).isEqualTo("hello world");
    assertThat(completion.tokenIds()).hasSize(12).endsWith(LetterTokenizer.END);
    assertThat(completion.finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
    assertThat(completion.promptTokens()).isEqualTo(1);
    double likeliest = 9 - Math.log(Math.exp(9) + 28);
    assertThat(completion.logProbabilities())
        .allSatisfy(p -> assertThat(p).isCloseTo(likeliest, within(1e-12)));
    assertThat(completion.logProbability()).isCloseTo(12 * likeliest, within(1e-9));
    assertThat(writer.passes).hasValue(12);
    assertThat(writer.openCaches).hasValue(0);
  }

  @Test
  void goesOnPastTheEndWhereToldTo() {
    Completion completion =
        sampling(writer).greedy().ignoreEndOfText(true).maxNewTokens(15).build().sample("");

    assertThat(completion.tokenIds()).hasSize(15);
    assertThat(completion.text()).isEqualTo("hello world");
    assertThat(completion.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
  }

  @Test
  void endsAtOtherTokensWhereToldTo() {
    int space = new LetterTokenizer().id(' ');
    Completion completion = sampling(writer).greedy().endOfTextIds(space).build().sample("");

    assertThat(completion.text()).isEqualTo("hello");
    assertThat(completion.finishReason()).isEqualTo(FinishReason.END_OF_TEXT);
  }

  @ParameterizedTest
  @CsvSource({"wor, 'hello '", "'lo w', hel", "d, hello worl"})
  void stopStringsEndTheTextAcrossTokens(String stop, String expected) {
    List<String> pieces = new ArrayList<>();
    Completion completion =
        sampling(writer)
            .greedy()
            .stopStrings("xyz", stop)
            .build()
            .sample(
                SampleRequest.of(Prompt.text(""))
                    .withListener(
                        new CompletionListener() {
                          @Override
                          public void onText(String text) {
                            pieces.add(text);
                          }
                        }));

    assertThat(completion.text()).isEqualTo(expected);
    assertThat(String.join("", pieces)).isEqualTo(expected);
    assertThat(completion.finishReason()).isEqualTo(FinishReason.STOP_STRING);
  }

  @Test
  void textHeldBackForAStopStringIsGivenOutAtTheEnd() {
    Completion completion =
        sampling(writer).greedy().maxNewTokens(5).stopStrings("llo worlds").build().sample("");

    assertThat(completion.text()).isEqualTo("hello");
    assertThat(completion.finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
  }

  @Test
  void stopsWhereTheContextIsFull() {
    FunctionModel small = new FunctionModel("small", 4, 10, null, _ -> new float[4]);
    Completion completion = sampling(small).seed(1).build().sample(Prompt.ids(1, 2, 3));

    assertThat(completion.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
    assertThat(completion.tokenIds()).hasSize(8); // the last one is not read
    assertThat(completion.text()).isEmpty();
    assertThat(sampling(small).build().sample(Prompt.ids(new int[10])).tokenIds()).hasSize(1);
  }

  @Test
  void cancellingKeepsWhatThereIs() {
    AtomicBoolean cancelled = new AtomicBoolean();
    Completion completion =
        sampling(writer)
            .greedy()
            .build()
            .sample(
                SampleRequest.of(Prompt.text(""))
                    .cancelledWhen(cancelled::get)
                    .withListener(
                        new CompletionListener() {
                          @Override
                          public void onText(String text) {
                            cancelled.set(text.equals("o"));
                          }
                        }));

    assertThat(completion.text()).isEqualTo("hello");
    assertThat(completion.finishReason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(writer.openCaches).hasValue(0);
  }

  @Test
  void theSameSeedGivesTheSameText() {
    FunctionModel flat = new FunctionModel("flat", 50, 100, null, _ -> new float[50]);
    EftSampler sampler = sampling(flat).maxNewTokens(40).build();
    Completion first = sampler.sample(Prompt.ids(1));
    Completion again =
        sampler.sample(
            SampleRequest.of(Prompt.ids(1))
                .withOptions(sampler.options().toBuilder().seed(first.seed()).build()));

    assertThat(again.tokenIds()).isEqualTo(first.tokenIds());
    assertThat(sampler.sample(Prompt.ids(1)).tokenIds()).isNotEqualTo(first.tokenIds());
    assertThat(first.tokenIds().stream().distinct().count()).isGreaterThan(15);
  }

  @Test
  void upScalesThreeModels() {
    FunctionModel large = FunctionModel.constant("large", 2, 1, 0);
    FunctionModel tuned = FunctionModel.constant("tuned", 0, 3, 0);
    FunctionModel base = FunctionModel.constant("base", 0, 1, 0);
    Completion completion =
        EftSampler.builder(LogitCombiner.upScale(large, tuned, base))
            .greedy()
            .maxNewTokens(1)
            .build()
            .sample(Prompt.ids(0));

    assertThat(completion.tokenIds()).containsExactly(1);
    double logZ = Math.log(Math.exp(2) + Math.exp(3) + 1);
    assertThat(completion.logProbability()).isCloseTo(3 - logZ, within(1e-12));
  }

  @Test
  void eachModelReadsThePromptInItsOwnFormat() {
    List<List<Integer>> seen = new ArrayList<>();
    LetterTokenizer letters = new LetterTokenizer();
    FunctionModel model =
        new FunctionModel(
            "both",
            letters.size(),
            64,
            letters,
            read -> {
              seen.add(List.copyOf(read));
              return new float[letters.size()];
            });
    Completion completion =
        EftSampler.builder(
                LogitCombiner.of(model)
                    .plus(LogitCombiner.of(model).prompted(PromptFormat.around("say ", " x"))))
            .greedy()
            .maxNewTokens(2)
            .build()
            .sample("hi");

    assertThat(model.passes).hasValue(2); // both prompts in one pass
    assertThat(completion.promptTokens()).isEqualTo(9);
    assertThat(letters.decode(seen.get(0).stream().mapToInt(i -> i).toArray(), true))
        .isEqualTo("hi");
    assertThat(letters.decode(seen.get(1).stream().mapToInt(i -> i).toArray(), true))
        .isEqualTo("say hi x");
  }

  @Test
  void refusesVocabulariesThatDiffer() {
    FunctionModel other = new FunctionModel("other", 31, 64, null, _ -> new float[31]);
    LogitCombiner both = LogitCombiner.of(writer).plus(LogitCombiner.of(other));

    assertThatThrownBy(() -> EftSampler.builder(both).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("model writer has 29 ids, model other has 31");
    Completion completion =
        EftSampler.builder(both).allowExtraTokens(true).greedy().build().sample(Prompt.ids(0));
    assertThat(completion.text()).isEqualTo("hello world");
  }

  @Test
  void refusesTokensThatDiffer() {
    Tokenizer shifted =
        new Tokenizer() {
          private final LetterTokenizer letters = new LetterTokenizer();

          @Override
          public int size() {
            return letters.size();
          }

          @Override
          public int[] encode(String text, boolean specialTokens) {
            return letters.encode(text, specialTokens);
          }

          @Override
          public String decode(int[] ids, boolean skipSpecialTokens) {
            return letters.decode(ids, skipSpecialTokens);
          }

          @Override
          public java.util.Optional<String> token(int id) {
            return id < 20 ? letters.token(id) : letters.token(id - 1);
          }

          @Override
          public boolean isSpecial(int id) {
            return letters.isSpecial(id);
          }
        };
    FunctionModel other = new FunctionModel("other", 29, 64, shifted, _ -> new float[29]);

    assertThatThrownBy(
            () ->
                EftSampler.builder(LogitCombiner.of(writer).plus(LogitCombiner.of(other))).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("9 of 29 ids")
        .hasMessageContaining("20 is \"r\" and \"q\", 21 is \"s\" and \"r\", 22 is");
  }

  @Test
  void refusesPromptsThatDoNotFit() {
    EftSampler sampler = sampling(writer).build();

    assertThatThrownBy(() -> sampler.sample(Prompt.ids()))
        .hasMessageContaining("the prompt is empty");
    assertThatThrownBy(() -> sampler.sample("a".repeat(64)))
        .hasMessage("the prompt has 65 tokens, but the context of model writer holds 64");
    assertThatThrownBy(() -> sampler.sample(Prompt.ids(3, 29)))
        .hasMessageContaining("token id 29 at position 1")
        .hasMessageContaining("29 ids");
    assertThatThrownBy(() -> sampler.sample(Prompt.chat(ChatMessage.user("hi"))))
        .hasMessageContaining("model writer has no chat template");
    assertThatThrownBy(() -> sampling(FunctionModel.constant("c", 1, 2)).build().sample("hi"))
        .hasMessageContaining("model c has no tokenizer: give the prompt as token ids");
    assertThat(writer.openCaches).hasValue(0);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void refusesLogitsThatAreNotFinite(float broken) {
    FunctionModel model =
        new FunctionModel(
            "broken", 3, 64, null, read -> new float[] {1, read.size() < 3 ? 0 : broken, 0});
    EftSampler sampler = sampling(model).build();

    assertThatThrownBy(() -> sampler.sample(Prompt.ids(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("model broken gave the logit " + broken + " for token id 1 at new token 2");
    assertThat(model.openCaches).hasValue(0);
  }

  @Test
  void refusesOptionsOutOfRange() {
    assertThatThrownBy(() -> sampling(writer).temperature(-1).build())
        .hasMessage("temperature is -1.0, expected at least 0");
    assertThatThrownBy(() -> sampling(writer).temperature(Double.NaN).build())
        .hasMessageContaining("temperature is NaN");
    assertThatThrownBy(() -> sampling(writer).topK(-1).build())
        .hasMessage("topK is -1, expected at least 0");
    assertThatThrownBy(() -> sampling(writer).topP(0).build())
        .hasMessage("topP is 0.0, expected above 0 and at most 1");
    assertThatThrownBy(() -> sampling(writer).minP(1.5).build())
        .hasMessage("minP is 1.5, expected between 0 and 1");
    assertThatThrownBy(() -> sampling(writer).maxNewTokens(0).build())
        .hasMessage("maxNewTokens is 0, expected at least 1");
    assertThatThrownBy(() -> sampling(writer).stopStrings("").build())
        .hasMessage("a stop string is empty");
    assertThatThrownBy(() -> sampling(writer).endOfTextIds(29).build())
        .hasMessage("end-of-text id 29 is outside the vocabulary of 29 ids");
    assertThatThrownBy(() -> sampling(FunctionModel.constant("c", 1, 2)).stopStrings("x").build())
        .hasMessageContaining("no model of c has a tokenizer");
    LogitCombiner nothing = LogitCombiner.of(writer).minus(LogitCombiner.of(writer));
    assertThatThrownBy(() -> EftSampler.builder(nothing).build())
        .hasMessage("the combination 0 runs no model");
  }
}
