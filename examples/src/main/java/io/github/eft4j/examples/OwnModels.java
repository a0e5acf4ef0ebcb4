package io.github.eft4j.examples;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.ModelInfo;
import java.nio.file.Path;

/**
 * Up-scales models of one's own, after a look at the memory that they need.
 *
 * <p>Runs as the package says. Arguments: a large base model, a small fine-tuned one and the small
 * one that it was made from, each a Hugging Face directory or a GGUF file, and a question.
 */
public final class OwnModels {
  public static void main(String[] args) {
    for (int i = 0; i < 3; i++) {
      ModelInfo info = LanguageModels.inspect(Path.of(args[i]));
      System.out.printf(
          "%s (%s): weights %.1f MB, cache %.1f MB for 1,000 tokens%n",
          info.name(), info.format(), info.storedBytes() / 1e6, info.cacheBytesPerToken() / 1e3);
    }
    try (var large = LanguageModels.load(Path.of(args[0]));
        var tuned = LanguageModels.load(Path.of(args[1]));
        var base = LanguageModels.load(Path.of(args[2]))) {
      var upScaled =
          LogitCombiner.upScale(large, tuned, base).prompted(PromptFormat.chatTemplate());
      var sampler = EftSampler.builder(upScaled).greedy().build();
      System.out.println(sampler.sample(args[3]).text());
    }
  }
}
