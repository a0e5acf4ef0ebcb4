package io.github.eft4j.models.format;

import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How a family's tensors are called in GGUF files and in Hugging Face checkpoints. A name is a
 * module's, such as {@code blk.0.attn_q}, followed by {@code .weight} or {@code .bias}.
 */
final class GgufTensorNames {
  private static final String GGUF_LAYER = "blk.";

  private final String layer;
  private final Map<String, String> toGguf;
  private final Map<String, String> layerToGguf;
  private final Map<String, String> fromGguf;
  private final Map<String, String> layerFromGguf;

  private GgufTensorNames(
      String layer, Map<String, String> toGguf, Map<String, String> layerToGguf) {
    this.layer = layer;
    this.toGguf = toGguf;
    this.layerToGguf = layerToGguf;
    this.fromGguf = inverse(toGguf);
    this.layerFromGguf = inverse(layerToGguf);
  }

  private static Map<String, String> inverse(Map<String, String> map) {
    return map.entrySet().stream()
        .collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey));
  }

  /** The names of a model's family. */
  static GgufTensorNames of(ModelConfig config) {
    return switch (config) {
      case LlamaConfig _ -> llama();
      case FalconConfig falcon -> falcon(falcon.block());
    };
  }

  private static GgufTensorNames llama() {
    return new GgufTensorNames(
        "model.layers.",
        Map.of(
            "model.embed_tokens", "token_embd",
            "model.norm", "output_norm",
            "lm_head", "output"),
        Map.of(
            "input_layernorm", "attn_norm",
            "self_attn.q_proj", "attn_q",
            "self_attn.k_proj", "attn_k",
            "self_attn.v_proj", "attn_v",
            "self_attn.o_proj", "attn_output",
            "post_attention_layernorm", "ffn_norm",
            "mlp.gate_proj", "ffn_gate",
            "mlp.up_proj", "ffn_up",
            "mlp.down_proj", "ffn_down"));
  }

  private static GgufTensorNames falcon(FalconConfig.Block block) {
    Map<String, String> modules =
        new HashMap<>(
            Map.of(
                "self_attention.query_key_value", "attn_qkv",
                "self_attention.dense", "attn_output",
                "mlp.dense_h_to_4h", "ffn_up",
                "mlp.dense_4h_to_h", "ffn_down"));
    modules.putAll(
        block == FalconConfig.Block.PARALLEL_TWO_NORMS
            ? Map.of("ln_mlp", "attn_norm", "ln_attn", "attn_norm_2")
            : Map.of("input_layernorm", "attn_norm"));
    return new GgufTensorNames(
        "transformer.h.",
        Map.of(
            "transformer.word_embeddings", "token_embd",
            "transformer.ln_f", "output_norm",
            "lm_head", "output"),
        modules);
  }

  /** The GGUF name of a tensor of a Hugging Face checkpoint; a name without one stays as it is. */
  String toGguf(String name) {
    return translate(name, toGguf, layer, layerToGguf, GGUF_LAYER);
  }

  /** The Hugging Face name of a tensor of a GGUF file; a name without one stays as it is. */
  String fromGguf(String name) {
    return translate(name, fromGguf, GGUF_LAYER, layerFromGguf, layer);
  }

  private static String translate(
      String name,
      Map<String, String> modules,
      String layer,
      Map<String, String> layerModules,
      String translatedLayer) {
    int dot = name.lastIndexOf('.');
    if (dot < 0) {
      return name;
    }
    String module = name.substring(0, dot);
    String kind = name.substring(dot);
    if (modules.containsKey(module)) {
      return modules.get(module) + kind;
    }
    int behindIndex = name.indexOf('.', layer.length());
    if (!name.startsWith(layer) || behindIndex < 0 || behindIndex >= dot) {
      return name;
    }
    String translated = layerModules.get(name.substring(behindIndex + 1, dot));
    return translated == null
        ? name
        : translatedLayer + name.substring(layer.length(), behindIndex + 1) + translated + kind;
  }
}
