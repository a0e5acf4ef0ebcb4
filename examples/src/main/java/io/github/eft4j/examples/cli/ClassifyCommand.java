package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.models.NliModel;
import io.github.eft4j.models.SequenceClassifiers;
import io.github.eft4j.models.transformer.Classification;
import io.github.eft4j.models.transformer.EncoderInput;
import io.github.eft4j.models.transformer.SequenceClassifier;
import io.github.eft4j.reasoning.EntailmentModel;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Classifies token ids or pairs of texts. */
@Command(
    name = "classify",
    description = {
      "Classifies token ids, or pairs of texts, with a BERT or RoBERTa sequence classifier. What is"
          + " given several times is one batch.",
      "Prints the probability of each label, or one JSON object:"
          + " {\"labels\":[…],\"rows\":[{\"logits\":[…],\"probabilities\":[…]},…]}"
    })
final class ClassifyCommand extends EftCommand {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "The classifier, a Hugging Face directory.")
  private Path model;

  @ArgGroup(multiplicity = "1")
  private Inputs inputs;

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  @Mixin private final ModelLoader loader = new ModelLoader();

  /** What is classified: either kind of input, as often as one likes. */
  static final class Inputs {
    @ArgGroup(exclusive = false, multiplicity = "1..*")
    @Nullable List<Tokens> tokens;

    @ArgGroup(exclusive = false, multiplicity = "1..*")
    @Nullable List<Texts> texts;
  }

  /** One input as token ids. */
  static final class Tokens {
    @Option(
        names = "--ids",
        required = true,
        paramLabel = "ID,...",
        converter = Numbers.Converter.class,
        description = "The token ids of an input, special ones included.")
    Numbers ids;

    @Option(
        names = "--attention-mask",
        paramLabel = "0|1,...",
        converter = Numbers.Converter.class,
        description = "1 for each token that others read, 0 for a hidden one. All 1 unless given.")
    @Nullable Numbers attentionMask;

    @Option(
        names = "--type-ids",
        paramLabel = "TYPE,...",
        converter = Numbers.Converter.class,
        description = "The type of each token. All 0 unless given.")
    @Nullable Numbers typeIds;

    EncoderInput get() {
      int length = ids.values().size();
      return new EncoderInput(
          ids.values(),
          attentionMask == null ? Collections.nCopies(length, 1) : attentionMask.values(),
          typeIds == null ? Collections.nCopies(length, 0) : typeIds.values());
    }
  }

  /** One input as a pair of texts. */
  static final class Texts {
    @Option(
        names = "--premise",
        required = true,
        paramLabel = "TEXT",
        description = "The first text of a pair, for a model that judges entailment.")
    String premise;

    @Option(
        names = "--hypothesis",
        required = true,
        paramLabel = "TEXT",
        description = "The second text of the pair.")
    String hypothesis;

    EntailmentModel.Pair get() {
      return new EntailmentModel.Pair(premise, hypothesis);
    }
  }

  /** Integers between commas. An option of such a type begins a new input when it is repeated. */
  record Numbers(List<Integer> values) {
    /** Reads them. */
    static final class Converter implements ITypeConverter<Numbers> {
      @Override
      public Numbers convert(String list) {
        try {
          return new Numbers(
              Arrays.stream(list.split(",", -1)).map(String::strip).map(Integer::valueOf).toList());
        } catch (NumberFormatException e) {
          throw new TypeConversionException(
              "'%s' is not a list of integers between commas".formatted(list));
        }
      }
    }
  }

  @Override
  public void run() {
    try (ModelLoader.Models models = loader.open()) {
      if (inputs.texts != null) {
        classifyTexts(inputs.texts, models.ops());
      } else {
        classifyTokens(requireNonNull(inputs.tokens), models.ops());
      }
    }
  }

  private void classifyTexts(List<Texts> texts, TensorOps ops) {
    try (NliModel nli = NliModel.load(model, ops)) {
      print(nli.labels(), nli.classify(texts.stream().map(Texts::get).toList()));
    }
  }

  private void classifyTokens(List<Tokens> tokens, TensorOps ops) {
    List<EncoderInput> all = tokens.stream().map(Tokens::get).toList();
    try (SequenceClassifier classifier = SequenceClassifiers.load(model, ops)) {
      print(classifier.labels(), classifier.classify(all));
    }
  }

  private void print(List<String> labels, List<Classification> rows) {
    if (json) {
      Json.printLine(out(), generator -> write(generator, labels, rows));
      return;
    }
    for (Classification row : rows) {
      out()
          .println(
              IntStream.range(0, labels.size())
                  .mapToObj(
                      i ->
                          String.format(
                              Locale.ROOT, "%s %.4f", labels.get(i), row.probabilities().get(i)))
                  .collect(Collectors.joining("  ")));
    }
  }

  private static void write(JsonGenerator json, List<String> labels, List<Classification> rows)
      throws IOException {
    json.writeStartObject();
    json.writeArrayFieldStart("labels");
    for (String label : labels) {
      json.writeString(label);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("rows");
    for (Classification row : rows) {
      json.writeStartObject();
      json.writeArrayFieldStart("logits");
      for (float logit : row.logits()) {
        json.writeNumber(logit);
      }
      json.writeEndArray();
      json.writeArrayFieldStart("probabilities");
      for (double probability : row.probabilities()) {
        json.writeNumber(probability);
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
