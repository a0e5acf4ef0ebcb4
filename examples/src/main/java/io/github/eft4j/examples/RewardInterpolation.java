package io.github.eft4j.examples;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.Weight;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;
import java.util.Map;

/**
 * Two ways of fine-tuning, mixed anew for each request: one sampler answers from tersely (0) to
 * politely (1).
 *
 * <p>Runs as the package says. Arguments: the directory of the models that come with the examples,
 * and a question.
 */
public final class RewardInterpolation {
  public static void main(String[] args) {
    Path models = Path.of(args[0]);
    try (var large = LanguageModels.load(models.resolve("large-base"));
        var polite = LanguageModels.load(models.resolve("small-tuned"));
        var terse = LanguageModels.load(models.resolve("small-terse"));
        var base = LanguageModels.load(models.resolve("small-base"))) {
      var lambda = Weight.named("politeness", 0.5);
      var mixed = LogitCombiner.interpolate(large, polite, terse, base, lambda);
      var sampler =
          EftSampler.builder(mixed.prompted(PromptFormat.chatTemplate())).greedy().build();
      var request = SampleRequest.of(Prompt.text(args[1]));
      for (double politeness : new double[] {0, 0.5, 1}) {
        var answer = sampler.sample(request.withWeights(Map.of("politeness", politeness)));
        System.out.println(politeness + ": " + answer.text().strip());
      }
    }
  }
}
