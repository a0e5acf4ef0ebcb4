package io.github.eft4j.examples;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.models.LanguageModels;
import java.nio.file.Path;

public final class Quickstart {
  public static void main(String[] args) {
    Path models = Path.of(args[0]);
    try (var large = LanguageModels.load(models.resolve("large-base"));
        var tuned = LanguageModels.load(models.resolve("small-tuned"));
        var base = LanguageModels.load(models.resolve("small-base"))) {
      var upScaled =
          LogitCombiner.upScale(large, tuned, base).prompted(PromptFormat.chatTemplate());
      var sampler = EftSampler.builder(upScaled).temperature(0.7).topP(0.95).seed(42).build();
      System.out.println(sampler.sample(args[1]).text());
    }
  }
}
