package io.github.eft4j.models.format;

import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.RotaryLayout;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Reads rotary embeddings from a {@code config.json}. Transformers 5 writes all into {@code
 * rope_parameters}; earlier releases write {@code rope_theta} and {@code rope_scaling}, whose type
 * is called {@code rope_type} or, before 4.45, {@code type}.
 */
final class RotaryReader {
  /** The documented default of Llama and Falcon. */
  private static final double DEFAULT_THETA = 10000;

  private static final List<String> SUPPORTED_TYPES =
      List.of("default", "linear", "dynamic", "llama3", "yarn");

  /** {@code finetuned} tells how a checkpoint came about and changes nothing. */
  private static final Set<String> KNOWN_KEYS =
      Set.of(
          "rope_type",
          "type",
          "rope_theta",
          "partial_rotary_factor",
          "factor",
          "low_freq_factor",
          "high_freq_factor",
          "original_max_position_embeddings",
          "attention_factor",
          "beta_fast",
          "beta_slow",
          "mscale",
          "mscale_all_dim",
          "truncate",
          "finetuned");

  private RotaryReader() {}

  static RotaryConfig read(JsonObject config, int contextLength) {
    Optional<JsonObject> parameters = config.object("rope_parameters");
    Optional<JsonObject> scaling = config.object("rope_scaling");
    if (parameters.isPresent() && scaling.isPresent()) {
      throw config.error("rope_scaling", "null beside rope_parameters, which replaces it");
    }
    double theta =
        parameters
            .map(p -> p.positive("rope_theta"))
            .filter(OptionalDouble::isPresent)
            .orElseGet(() -> config.positive("rope_theta"))
            .orElse(DEFAULT_THETA);
    refusePartialRotation(config);
    parameters.ifPresent(RotaryReader::refusePartialRotation);
    RotaryScaling read =
        parameters
            .or(() -> scaling)
            .map(s -> readScaling(s, contextLength))
            .orElseGet(RotaryScaling.None::new);
    return new RotaryConfig(theta, read, RotaryLayout.HALVES);
  }

  private static void refusePartialRotation(JsonObject config) {
    OptionalDouble share = config.positive("partial_rotary_factor");
    if (share.isPresent() && share.getAsDouble() != 1) {
      throw config.error("partial_rotary_factor", "1: heads are rotated as a whole");
    }
  }

  private static RotaryScaling readScaling(JsonObject scaling, int contextLength) {
    for (String key : scaling.keys()) {
      if (!KNOWN_KEYS.contains(key)) {
        throw scaling.error(key, "no such key: rotary embeddings have no such option here");
      }
    }
    String key = scaling.has("rope_type") || !scaling.has("type") ? "rope_type" : "type";
    if (scaling.has("factor") && !scaling.has(key)) {
      throw scaling.error(key, "one of " + String.join(", ", SUPPORTED_TYPES));
    }
    String type = scaling.oneOf(key, SUPPORTED_TYPES).orElse("default");
    return switch (type) {
      case "linear" -> new RotaryScaling.Linear(scaling.requiredPositive("factor"));
      // The reference scales by max_position_embeddings, whatever the original length given here.
      case "dynamic" ->
          new RotaryScaling.Dynamic(scaling.requiredPositive("factor"), contextLength);
      case "llama3" ->
          new RotaryScaling.Llama3(
              scaling.requiredPositive("factor"),
              scaling.requiredPositive("low_freq_factor"),
              scaling.requiredPositive("high_freq_factor"),
              scaling.requiredSize("original_max_position_embeddings"));
      case "yarn" -> yarn(scaling, contextLength);
      default -> new RotaryScaling.None();
    };
  }

  private static RotaryScaling yarn(JsonObject scaling, int contextLength) {
    int original = scaling.size("original_max_position_embeddings").orElse(contextLength);
    double factor =
        scaling.mentions("original_max_position_embeddings")
            ? scaling.positive("factor").orElse((double) contextLength / original)
            : scaling.requiredPositive("factor");
    return new RotaryScaling.Yarn(
        factor,
        original,
        scaling.positive("attention_factor").orElseGet(() -> attentionFactor(scaling, factor)),
        scaling.positive("beta_fast").orElse(32),
        scaling.positive("beta_slow").orElse(1),
        scaling.bool("truncate", true));
  }

  private static double attentionFactor(JsonObject scaling, double factor) {
    OptionalDouble mscale = scaling.positive("mscale");
    OptionalDouble mscaleAllDim = scaling.positive("mscale_all_dim");
    return mscale.isPresent() && mscaleAllDim.isPresent()
        ? RotaryScaling.Yarn.defaultAttentionFactor(factor, mscale.getAsDouble())
            / RotaryScaling.Yarn.defaultAttentionFactor(factor, mscaleAllDim.getAsDouble())
        : RotaryScaling.Yarn.defaultAttentionFactor(factor);
  }
}
