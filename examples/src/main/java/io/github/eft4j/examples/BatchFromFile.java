package io.github.eft4j.examples;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.models.LanguageModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Answers the questions in a file, one a line, several at a time; each answer is what its question
 * alone would get.
 *
 * <p>Runs as the package says. Arguments: the directory of the models that come with the examples,
 * and the file.
 */
public final class BatchFromFile {
  public static void main(String[] args) throws IOException {
    Path models = Path.of(args[0]);
    var questions = Files.readAllLines(Path.of(args[1]));
    try (var large = LanguageModels.load(models.resolve("large-base"));
        var tuned = LanguageModels.load(models.resolve("small-tuned"));
        var base = LanguageModels.load(models.resolve("small-base"))) {
      var upScaled =
          LogitCombiner.upScale(large, tuned, base).prompted(PromptFormat.chatTemplate());
      var sampler = EftSampler.builder(upScaled).temperature(0.7).seed(42).batchSize(16).build();
      var answers = sampler.sample(questions);
      for (int i = 0; i < answers.size(); i++) {
        System.out.println(questions.get(i) + " " + answers.get(i).text().strip());
      }
    }
  }
}
