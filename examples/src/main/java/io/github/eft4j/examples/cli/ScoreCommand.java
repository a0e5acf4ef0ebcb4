package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.EftScorer;
import io.github.eft4j.EftScorer.Continuation;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.Score;
import io.github.eft4j.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tells how likely texts are under a model or a combination of several. */
@Command(
    name = "score",
    description = {
      "Tells how likely texts are as continuations of a prompt. Texts are split into tokens on"
          + " their own, not together with the prompt.",
      "Prints the natural-log probability of each token, their sum and the perplexity, or one JSON"
          + " object a text: {\"ids\":[…],\"logProbs\":[…],\"logProb\":SUM,\"perplexity\":…}"
    })
final class ScoreCommand extends EftCommand {
  @ArgGroup(multiplicity = "1")
  private ModelSource source;

  @ArgGroup(multiplicity = "1")
  private PromptOptions prompt;

  @Mixin private final FormatOption format = new FormatOption();

  @ArgGroup(multiplicity = "1..*")
  private List<Text> texts;

  @Option(
      names = "--reward",
      paramLabel = "BETA",
      description =
          "Adds the reward that fine-tuning has implicitly learnt, with --tuned and --base:"
              + " BETA * (log-probability by TUNED - log-probability by BASE), as \"reward\".")
  private @Nullable Double reward;

  @Option(names = "--json", description = "Prints one JSON object a text.")
  private boolean json;

  @Mixin private final ModelLoader loader = new ModelLoader();

  /** One text, in either form. */
  static final class Text {
    @Option(
        names = "--text",
        required = true,
        paramLabel = "TEXT",
        description = "A text to score. May be given several times.")
    @Nullable String text;

    @Option(
        names = "--text-ids",
        required = true,
        paramLabel = "ID,...",
        converter = ClassifyCommand.Numbers.Converter.class,
        description = "The token ids of a text to score. May be given several times.")
    ClassifyCommand.@Nullable Numbers ids;

    Continuation after(Prompt prompt, Optional<Tokenizer> tokenizer) {
      if (ids != null) {
        return new Continuation(prompt, ids.values());
      }
      int[] tokens =
          tokenizer
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "no model has a tokenizer: give the text as --text-ids"))
              .encode(requireNonNull(text), false);
      return new Continuation(prompt, Arrays.stream(tokens).boxed().toList());
    }
  }

  @Override
  public void run() {
    if (reward != null && source.upScaling == null) {
      throw new IllegalArgumentException("--reward needs --large, --tuned and --base");
    }
    if (reward != null && !Double.isFinite(reward)) {
      throw new IllegalArgumentException("reward is " + reward + ", expected a finite number");
    }
    try (ModelLoader.Models models = loader.open()) {
      PromptFormat promptFormat = format.get();
      LogitCombiner combiner = source.combiner(models, null).prompted(promptFormat);
      Optional<Tokenizer> tokenizer =
          combiner.models().stream().flatMap(m -> m.tokenizer().stream()).findFirst();
      List<Continuation> continuations =
          texts.stream().map(text -> text.after(prompt.get(), tokenizer)).toList();
      List<Score> scores = EftScorer.of(combiner).score(continuations);
      List<Double> rewards = rewards(models, promptFormat, continuations);
      for (int i = 0; i < scores.size(); i++) {
        Score score = scores.get(i);
        Double its = rewards.isEmpty() ? null : rewards.get(i);
        if (json) {
          Json.printLine(out(), generator -> write(generator, score, its));
        } else {
          print(score, its, tokenizer);
        }
      }
    }
  }

  private List<Double> rewards(
      ModelLoader.Models models, PromptFormat promptFormat, List<Continuation> continuations) {
    ModelSource.UpScaling pair = source.upScaling;
    Double beta = reward;
    if (beta == null || pair == null) {
      return List.of();
    }
    List<Score> tuned = scores(models, pair.tuned, promptFormat, continuations);
    List<Score> base = scores(models, pair.base, promptFormat, continuations);
    return IntStream.range(0, tuned.size())
        .mapToObj(i -> beta * (tuned.get(i).logProbability() - base.get(i).logProbability()))
        .toList();
  }

  private static List<Score> scores(
      ModelLoader.Models models,
      String model,
      PromptFormat promptFormat,
      List<Continuation> continuations) {
    return EftScorer.of(LogitCombiner.of(models.load(model)).prompted(promptFormat))
        .score(continuations);
  }

  private void print(Score score, @Nullable Double reward, Optional<Tokenizer> tokenizer) {
    PrintWriter out = out();
    for (int i = 0; i < score.tokenIds().size(); i++) {
      int id = score.tokenIds().get(i);
      String token = tokenizer.flatMap(t -> t.token(id)).orElse("");
      out.println(
          String.format(Locale.ROOT, "%10.4f  %-6d %s", score.logProbabilities().get(i), id, token)
              .stripTrailing());
    }
    out.printf(
        Locale.ROOT, "%10.4f  in all, perplexity %.4f", score.logProbability(), score.perplexity());
    if (reward != null) {
      out.printf(Locale.ROOT, ", reward %.4f", reward);
    }
    out.println();
    out.flush();
  }

  private static void write(JsonGenerator json, Score score, @Nullable Double reward)
      throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("ids");
    for (int id : score.tokenIds()) {
      json.writeNumber(id);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("logProbs");
    for (double logProbability : score.logProbabilities()) {
      json.writeNumber(logProbability);
    }
    json.writeEndArray();
    json.writeNumberField("logProb", score.logProbability());
    json.writeNumberField("perplexity", score.perplexity());
    if (reward != null) {
      json.writeNumberField("reward", reward);
    }
    json.writeEndObject();
  }
}
