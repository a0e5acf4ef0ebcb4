package io.github.eft4j.examples.cli;

import io.github.eft4j.EftSampler;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SampleRequest;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows what up-scaling does, on the small models that come with the examples. */
@Command(
    name = "demo",
    description = {
      "Answers a question with a small fine-tuned model, a large base model, and the large model"
          + " up-scaled by what fine-tuning changed in the small one.",
      "The models are tiny; all they know are facts about countries, American states, elements,"
          + " animals, books and music."
    })
final class DemoCommand extends EftCommand {
  private static final int INDENT = 22;
  private static final int WIDTH = 79;

  @Parameters(
      arity = "0..1",
      paramLabel = "QUESTION",
      defaultValue = "Who is the author of Frankenstein?",
      description = "The question: \"${DEFAULT-VALUE}\" unless given.")
  private String question;

  @Option(
      names = "--models",
      paramLabel = "DIR",
      defaultValue = "${sys:eft.models:-examples/models}",
      description = "The directory that holds large-base, small-tuned and small-base.")
  private Path directory;

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "48",
      description = "The greatest length of an answer, in tokens (${DEFAULT-VALUE} unless given).")
  private int maxNewTokens;

  @Mixin private final ModelLoader loader = new ModelLoader();

  @Override
  public void run() {
    PrintWriter out = out();
    try (Interruption interruption = Interruption.watch();
        ModelLoader.Models models = loader.open()) {
      LanguageModel large = models.load(directory.resolve("large-base").toString());
      LanguageModel tuned = models.load(directory.resolve("small-tuned").toString());
      LanguageModel base = models.load(directory.resolve("small-base").toString());
      Map<String, LogitCombiner> answers = new LinkedHashMap<>();
      answers.put("small, fine-tuned", LogitCombiner.of(tuned));
      answers.put("large, not tuned", LogitCombiner.of(large));
      answers.put("large, up-scaled", LogitCombiner.upScale(large, tuned, base));
      SampleRequest request =
          SampleRequest.of(Prompt.text(question))
              .cancelledWhen(() -> interruption.requested() || out.checkError());

      out.println(question);
      answers.forEach(
          (label, combiner) -> {
            out.printf("%n%-" + INDENT + "s", label);
            out.flush();
            WrappedText text = new WrappedText(out, INDENT, WIDTH);
            EftSampler.builder(combiner.prompted(PromptFormat.chatTemplate()))
                .greedy()
                .maxNewTokens(maxNewTokens)
                .build()
                .sample(request.withListener(text));
            text.end();
          });
    }
  }
}
