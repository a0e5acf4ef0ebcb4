package io.github.eft4j.examples;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.LogitFunction;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * A combination of the user's own: up-scaling in which what the small models say of a token counts
 * for a factor of {@code e³} at most.
 *
 * <p>Runs as the package says. Arguments: the directory of the models that come with the examples,
 * and a question.
 */
public final class CustomCombiner {
  public static void main(String[] args) {
    Path models = Path.of(args[0]);
    try (var large = LanguageModels.load(models.resolve("large-base"));
        var tuned = LanguageModels.load(models.resolve("small-tuned"));
        var base = LanguageModels.load(models.resolve("small-base"))) {
      LogitFunction bounded =
          p -> p.get(0).add(Transforms.max(Transforms.min(p.get(1).sub(p.get(2)), 3), -3));
      var combiner =
          LogitCombiner.custom(
              bounded, LogitCombiner.of(large), LogitCombiner.of(tuned), LogitCombiner.of(base));
      var sampler =
          EftSampler.builder(combiner.prompted(PromptFormat.chatTemplate())).greedy().build();
      System.out.println(sampler.sample(args[1]).text());
    }
  }
}
