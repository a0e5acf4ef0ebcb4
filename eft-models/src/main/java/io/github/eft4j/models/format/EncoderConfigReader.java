package io.github.eft4j.models.format;

import io.github.eft4j.models.config.EncoderConfig;
import io.github.eft4j.models.config.EncoderConfig.Family;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Reads the {@code config.json} of a sequence classifier. A key that is missing has the value that
 * Hugging Face documents for its {@code BertConfig} and {@code RobertaConfig}; a value that is
 * there but not supported is an error.
 */
final class EncoderConfigReader {
  private EncoderConfigReader() {}

  static EncoderConfig read(JsonObject config) {
    Family family = family(config);
    ConfigReader.checkStorage(config);
    config.onlyItems(
        "architectures",
        List.of(
            switch (family) {
              case BERT -> "BertForSequenceClassification";
              case ROBERTA -> "RobertaForSequenceClassification";
            }));
    config.oneOf("hidden_act", List.of("gelu"));
    config.oneOf("position_embedding_type", List.of("absolute"));
    config.oneOf("problem_type", List.of("single_label_classification"));
    if (config.bool("is_decoder", false)) {
      throw config.error("is_decoder", "false: a classifier reads its text in both directions");
    }
    try {
      return new EncoderConfig(
          family,
          config.size("hidden_size", 768),
          config.size("num_hidden_layers", 12),
          config.size("num_attention_heads", 12),
          config.size("intermediate_size", 3072),
          config.size("vocab_size", family == Family.BERT ? 30522 : 50265),
          config.size("max_position_embeddings", 512),
          config.size("type_vocab_size", 2),
          (float) config.positive("layer_norm_eps", 1e-12),
          config.natural("pad_token_id").orElse(family == Family.BERT ? 0 : 1),
          labels(config));
    } catch (ModelFormatException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      // The configuration's own checks know nothing of files.
      throw new ModelFormatException(config.file() + ": " + e.getMessage(), e);
    }
  }

  private static Family family(JsonObject config) {
    String type = config.string("model_type").orElse("");
    return Arrays.stream(Family.values())
        .filter(f -> f.modelType().equals(type))
        .findFirst()
        .orElseThrow(
            () ->
                config.error(
                    "model_type",
                    Arrays.stream(Family.values())
                            .map(Family::modelType)
                            .collect(Collectors.joining(" or "))
                        + " for a sequence classifier"));
  }

  /** The labels by index, in whatever order the file lists them. */
  private static List<String> labels(JsonObject config) {
    JsonObject names = config.requiredObject("id2label");
    List<String> keys = new ArrayList<>();
    names.keys().forEach(keys::add);
    List<String> labels = new ArrayList<>(Collections.nCopies(keys.size(), ""));
    for (int i = 0; i < keys.size(); i++) {
      String index = Integer.toString(i);
      if (!keys.contains(index)) {
        throw config.error("id2label", "labels for the ids 0 to " + (keys.size() - 1));
      }
      labels.set(i, names.requiredString(index));
    }
    return labels;
  }
}
