package io.github.eft4j.models.format;

import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a {@code config.json} of any generation. A key that is missing has the value that Hugging
 * Face documents for its {@code LlamaConfig} and {@code FalconConfig}; a value that is there but
 * not supported is an error.
 */
final class ConfigReader {
  private static final List<String> LLAMA_TYPES = List.of("llama");

  /** The first releases of Falcon were called RefinedWeb (40B) and RefinedWebModel (7B and RW). */
  private static final List<String> FALCON_TYPES =
      List.of("falcon", "RefinedWeb", "RefinedWebModel");

  private static final List<String> DTYPES =
      List.of("float32", "float16", "bfloat16", "torch.float32", "torch.float16", "torch.bfloat16");

  private ConfigReader() {}

  static ModelConfig read(JsonObject config) {
    checkStorage(config);
    String type = config.string("model_type").orElse("");
    try {
      if (LLAMA_TYPES.contains(type)) {
        return llama(config);
      }
      if (FALCON_TYPES.contains(type)) {
        return falcon(config);
      }
    } catch (ModelFormatException e) {
      throw e;
    } catch (IllegalArgumentException | ArithmeticException e) {
      // The configuration's own checks know nothing of files.
      throw new ModelFormatException(config.file() + ": " + e.getMessage(), e);
    }
    throw config.error("model_type", "llama or " + String.join(", ", FALCON_TYPES));
  }

  /** Checks what the file says of how weights are stored. */
  static void checkStorage(JsonObject config) {
    if (config.has("quantization_config")) {
      throw config.error("quantization_config", "none: quantised weights are read from GGUF only");
    }
    config.oneOf("torch_dtype", DTYPES);
    config.oneOf("dtype", DTYPES);
  }

  private static LlamaConfig llama(JsonObject config) {
    config.onlyItems("architectures", List.of("LlamaForCausalLM", "LLaMAForCausalLM"));
    config.oneOf("hidden_act", List.of("silu", "swish"));
    int hiddenSize = config.size("hidden_size", 4096);
    int heads = config.size("num_attention_heads", 32);
    if (!config.has("head_dim") && hiddenSize % heads != 0) {
      throw config.error(
          "hidden_size",
          "a multiple of the %d of num_attention_heads where head_dim is not given"
              .formatted(heads));
    }
    int keyValueHeads = config.size("num_key_value_heads").orElse(heads);
    if (heads % keyValueHeads != 0) {
      throw config.error(
          "num_key_value_heads", "a divisor of the %d of num_attention_heads".formatted(heads));
    }
    int positions = config.size("max_position_embeddings", 2048);
    RotaryConfig rotary = RotaryReader.read(config, positions);
    return new LlamaConfig(
        hiddenSize,
        config.size("num_hidden_layers", 32),
        heads,
        keyValueHeads,
        config.size("head_dim").orElse(hiddenSize / heads),
        config.size("intermediate_size", 11008),
        config.size("vocab_size", 32000),
        contextLength(positions, rotary),
        (float) config.positive("rms_norm_eps", 1e-6),
        config.bool("tie_word_embeddings", false),
        config.bool("attention_bias", false),
        config.bool("mlp_bias", false),
        rotary);
  }

  private static FalconConfig falcon(JsonObject config) {
    config.onlyItems("architectures", List.of("FalconForCausalLM", "RWForCausalLM"));
    config.oneOf("activation", List.of("gelu"));
    if (config.bool("apply_residual_connection_post_layernorm", false)) {
      throw config.error("apply_residual_connection_post_layernorm", "false");
    }
    int hiddenSize = config.size(config.firstOf("hidden_size", "n_embed"), 4544);
    String headsKey = config.firstOf("num_attention_heads", "n_head");
    int heads = config.size(headsKey, 71);
    if (hiddenSize % heads != 0) {
      throw config.error(headsKey, "a divisor of the %d of hidden_size".formatted(hiddenSize));
    }
    String keyValueHeadsKey = config.firstOf("num_kv_heads", "n_head_kv");
    int givenKeyValueHeads = config.size(keyValueHeadsKey).orElse(heads);
    // What made the first 40B different was told by its custom code, which n_head_kv gives away.
    boolean newArchitecture =
        config.bool(
            "new_decoder_architecture",
            config.string("model_type").filter("falcon"::equals).isEmpty()
                && config.has("n_head_kv"));
    boolean multiQuery = config.bool("multi_query", true);
    int keyValueHeads = !newArchitecture && multiQuery ? 1 : givenKeyValueHeads;
    if (newArchitecture && heads % keyValueHeads != 0) {
      throw config.error(keyValueHeadsKey, "a divisor of the %d of %s".formatted(heads, headsKey));
    }
    if (!newArchitecture && !multiQuery && keyValueHeads != heads) {
      throw config.error(
          keyValueHeadsKey,
          "%d, as %s, where neither new_decoder_architecture nor multi_query is true"
              .formatted(heads, headsKey));
    }
    int positions = config.size("max_position_embeddings", 2048);
    @Nullable RotaryConfig rotary =
        config.bool("alibi", false) ? null : RotaryReader.read(config, positions);
    return new FalconConfig(
        hiddenSize,
        config.size(config.firstOf("num_hidden_layers", "n_layer"), 32),
        heads,
        keyValueHeads,
        config.size("ffn_hidden_size").orElseGet(() -> Math.multiplyExact(4, hiddenSize)),
        config.size("vocab_size", 65024),
        contextLength(positions, rotary),
        (float) config.positive("layer_norm_epsilon", 1e-5),
        config.bool("tie_word_embeddings", true),
        config.bool("bias", false),
        block(config, newArchitecture),
        keyValueHeads,
        rotary);
  }

  private static FalconConfig.Block block(JsonObject config, boolean newArchitecture) {
    boolean parallel = config.bool("parallel_attn", true);
    if (newArchitecture && !parallel) {
      throw config.error("parallel_attn", "true where new_decoder_architecture is true");
    }
    int norms = config.size("num_ln_in_parallel_attn").orElse(newArchitecture ? 2 : 1);
    if (norms > (newArchitecture ? 2 : 1)) {
      throw config.error(
          "num_ln_in_parallel_attn",
          newArchitecture ? "1 or 2" : "1 or null where new_decoder_architecture is false");
    }
    if (!parallel) {
      return FalconConfig.Block.SEQUENTIAL;
    }
    return norms == 2
        ? FalconConfig.Block.PARALLEL_TWO_NORMS
        : FalconConfig.Block.PARALLEL_ONE_NORM;
  }

  /** Dynamic scaling stretches with the sequence, so max_position_embeddings is no end there. */
  private static int contextLength(int positions, @Nullable RotaryConfig rotary) {
    return rotary != null && rotary.scaling() instanceof RotaryScaling.Dynamic
        ? Integer.MAX_VALUE
        : positions;
  }
}
