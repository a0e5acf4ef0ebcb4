package io.github.eft4j.models.format;

import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.Dequantize;
import io.github.eft4j.tensor.RotaryLayout;
import io.github.eft4j.tensor.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Reads a model's shape from the metadata of a GGUF file. */
final class GgufConfigReader {
  private static final double DEFAULT_THETA = 10000;

  /** A tensor of divisors of the rotary frequencies, one for each pair of a head. */
  static final String ROTARY_DIVISORS = "rope_freqs.weight";

  private final GgufFile file;
  private final GgufMetadata metadata;
  private final String architecture;

  private GgufConfigReader(GgufFile file) {
    this.file = file;
    this.metadata = file.metadata();
    this.architecture =
        metadata
            .string("general.architecture")
            .orElseThrow(() -> error("there is no general.architecture"));
  }

  static ModelConfig read(GgufFile file) {
    GgufConfigReader reader = new GgufConfigReader(file);
    try {
      return switch (reader.architecture) {
        case "llama" -> reader.llama();
        case "falcon" -> reader.falcon();
        default ->
            throw reader.error(
                "general.architecture is " + reader.architecture + ", supported: llama, falcon");
      };
    } catch (ModelFormatException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(file.path() + ": " + e.getMessage(), e);
    }
  }

  private LlamaConfig llama() {
    long experts = metadata.integer(key("expert_count")).orElse(0);
    if (experts != 0) {
      throw error(
          "%s is %d, supported: 0, no mixture of experts".formatted(key("expert_count"), experts));
    }
    int hidden = size("embedding_length");
    int heads = size("attention.head_count");
    int headSize =
        optionalSize("attention.key_length")
            .orElse(optionalSize("rope.dimension_count").orElse(hidden / heads));
    require("attention.value_length", headSize);
    require("rope.dimension_count", headSize);
    return new LlamaConfig(
        hidden,
        layers(),
        heads,
        optionalSize("attention.head_count_kv").orElse(heads),
        headSize,
        size("feed_forward_length"),
        vocabularySize(),
        size("context_length"),
        (float) number("attention.layer_norm_rms_epsilon"),
        !file.contains("output.weight"),
        file.contains("blk.0.attn_q.bias"),
        file.contains("blk.0.ffn_up.bias"),
        rotary(headSize, RotaryLayout.PAIRS));
  }

  private FalconConfig falcon() {
    Optional<String> layout = metadata.string(key("tensor_data_layout"));
    if (layout.isPresent() && !layout.get().equals("jploski")) {
      throw error(
          "%s is %s, supported: jploski (all queries, all keys, all values)"
              .formatted(key("tensor_data_layout"), layout.get()));
    }
    int hidden = size("embedding_length");
    int heads = size("attention.head_count");
    int headSize = hidden / heads;
    require("attention.key_length", headSize);
    require("attention.value_length", headSize);
    require("rope.dimension_count", headSize);
    return new FalconConfig(
        hidden,
        layers(),
        heads,
        optionalSize("attention.head_count_kv").orElse(heads),
        size("feed_forward_length"),
        vocabularySize(),
        size("context_length"),
        (float) number("attention.layer_norm_epsilon"),
        !file.contains("output.weight"),
        file.contains("blk.0.attn_qkv.bias"),
        file.contains("blk.0.attn_norm_2.weight")
            ? FalconConfig.Block.PARALLEL_TWO_NORMS
            : FalconConfig.Block.PARALLEL_ONE_NORM,
        1,
        rotary(headSize, RotaryLayout.HALVES));
  }

  private int layers() {
    int layers = size("block_count");
    int tensors = file.tensors().size();
    if (layers > tensors) {
      throw error(
          "%s is %d, but there are only %d tensors".formatted(key("block_count"), layers, tensors));
    }
    return layers;
  }

  private int vocabularySize() {
    return optionalSize("vocab_size").orElseGet(() -> file.tensor("token_embd.weight").rows());
  }

  private RotaryConfig rotary(int headSize, RotaryLayout layout) {
    OptionalDouble theta = metadata.number(key("rope.freq_base"));
    RotaryScaling scaling = scaling();
    return new RotaryConfig(
        theta.orElse(DEFAULT_THETA),
        file.contains(ROTARY_DIVISORS) ? divided(scaling, headSize / 2) : scaling,
        layout);
  }

  private RotaryScaling scaling() {
    OptionalDouble factor = metadata.number(key("rope.scaling.factor"));
    if (factor.isEmpty()) {
      factor = metadata.number(key("rope.scale_linear")); // the key's name until August 2023
    }
    String type =
        metadata.string(key("rope.scaling.type")).orElse(factor.isPresent() ? "linear" : "none");
    return switch (type) {
      case "none" -> new RotaryScaling.None();
      case "linear" -> new RotaryScaling.Linear(factor.orElse(1));
      case "yarn" -> yarn(factor.orElse(1));
      default ->
          throw error(
              "%s is %s, supported: none, linear, yarn".formatted(key("rope.scaling.type"), type));
    };
  }

  private RotaryScaling yarn(double factor) {
    requireNumber("rope.scaling.yarn_log_multiplier", 0);
    requireNumber("rope.scaling.yarn_ext_factor", 1);
    double weight =
        metadata.number(key("rope.scaling.yarn_attn_factor")).orElse(1)
            * metadata.number(key("rope.scaling.attn_factor")).orElse(1);
    return new RotaryScaling.Yarn(
        factor,
        optionalSize("rope.scaling.original_context_length")
            .orElseGet(() -> size("context_length")),
        weight * RotaryScaling.Yarn.defaultAttentionFactor(factor),
        metadata.number(key("rope.scaling.yarn_beta_fast")).orElse(32),
        metadata.number(key("rope.scaling.yarn_beta_slow")).orElse(1),
        true);
  }

  /** Each frequency is divided by a number of its own, and by linear scaling's factor. */
  private RotaryScaling divided(RotaryScaling scaling, int pairs) {
    StoredTensor tensor = file.tensor(ROTARY_DIVISORS);
    if (tensor.rows() != 1 || tensor.columns() != pairs) {
      throw error(
          "tensor %s has shape [%d, %d], expected [%d]"
              .formatted(ROTARY_DIVISORS, tensor.rows(), tensor.columns(), pairs));
    }
    double factor =
        switch (scaling) {
          case RotaryScaling.None() -> 1;
          case RotaryScaling.Linear(double f) -> f;
          default ->
              throw error(
                  "tensor %s together with %s is not supported"
                      .formatted(ROTARY_DIVISORS, key("rope.scaling.type")));
        };
    float[] divisors = new float[pairs];
    Dequantize.row(tensor, 0, divisors);
    List<Float> all = new ArrayList<>();
    for (float divisor : divisors) {
      all.add((float) (divisor * factor));
    }
    return new RotaryScaling.Divisors(all);
  }

  private String key(String name) {
    return architecture + "." + name;
  }

  private int size(String name) {
    return optionalSize(name).orElseThrow(() -> error("there is no " + key(name)));
  }

  private OptionalInt optionalSize(String name) {
    OptionalLong value = metadata.integer(key(name));
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    if (value.getAsLong() <= 0 || value.getAsLong() > Integer.MAX_VALUE) {
      throw error(
          "%s is %d, expected 1 to %d".formatted(key(name), value.getAsLong(), Integer.MAX_VALUE));
    }
    return OptionalInt.of((int) value.getAsLong());
  }

  private double number(String name) {
    return metadata.number(key(name)).orElseThrow(() -> error("there is no " + key(name)));
  }

  /** Refuses a value other than the one supported; the key may be absent. */
  private void require(String name, int supported) {
    OptionalInt value = optionalSize(name);
    if (value.isPresent() && value.getAsInt() != supported) {
      throw error("%s is %d, supported: %d".formatted(key(name), value.getAsInt(), supported));
    }
  }

  /** Refuses a number other than the one supported; the key may be absent. */
  private void requireNumber(String name, double supported) {
    double value = metadata.number(key(name)).orElse(supported);
    if (value != supported) {
      throw error("%s is %s, supported: %s".formatted(key(name), value, supported));
    }
  }

  private ModelFormatException error(String message) {
    return new ModelFormatException(file.path() + ": " + message);
  }
}
