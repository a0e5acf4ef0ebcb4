package io.github.eft4j.examples.cli;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.tensor.NativeArrays;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints a model's logits. */
@Command(
    name = "logits",
    description =
        "Prints a model's next-token logits after each token as {\"vocab\":N,\"rows\":[[…],…]}.")
final class LogitsCommand extends EftCommand {
  @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The model.")
  private String model;

  @Option(
      names = "--ids",
      required = true,
      split = ",",
      splitSynopsisLabel = ",",
      paramLabel = "ID",
      description = "The token ids that the model reads.")
  private int[] ids;

  @Option(names = "--last", description = "Prints the logits after the last token alone.")
  private boolean last;

  @Mixin private final ModelLoader loader = new ModelLoader();

  @Override
  public void run() {
    try (ModelLoader.Models models = loader.open()) {
      LanguageModel loaded = models.load(model);
      int rows = last ? 1 : ids.length;
      try (KeyValueCache cache = loaded.newCache();
          INDArray logits = models.ops().allocate(rows, loaded.vocabularySize())) {
        ForwardBatch batch = new ForwardBatch().add(cache, ids, 0, ids.length, rows);
        loaded.forward(batch, logits);
        print(loaded, logits, ids.length - rows);
      }
    }
  }

  private void print(LanguageModel model, INDArray logits, int firstPosition) {
    int vocabulary = model.vocabularySize();
    long rows = logits.size(0);
    MemorySegment values = NativeArrays.floats(logits);
    for (long i = 0; i < rows * vocabulary; i++) {
      float value = values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
      if (!Float.isFinite(value)) {
        throw new IllegalStateException(
            "the logit of id %d after position %d of model %s is %s"
                .formatted(i % vocabulary, firstPosition + i / vocabulary, model.name(), value));
      }
    }
    Json.printLine(
        out(),
        json -> {
          json.writeStartObject();
          json.writeNumberField("vocab", vocabulary);
          json.writeArrayFieldStart("rows");
          for (long row = 0; row < rows; row++) {
            json.writeStartArray();
            for (int id = 0; id < vocabulary; id++) {
              json.writeNumber(values.getAtIndex(ValueLayout.JAVA_FLOAT, row * vocabulary + id));
            }
            json.writeEndArray();
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }
}
