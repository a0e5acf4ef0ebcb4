package io.github.eft4j.models;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/** A directory with a Llama model of one layer and random weights, to be damaged at will. */
final class TinyLlama {
  static final int VOCABULARY = 12;
  static final int HIDDEN = 8;
  static final int FEED_FORWARD = 16;

  /** Two heads, of which the keys and values have one. */
  static final int KEY_VALUE = 4;

  static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8,
       "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
       "intermediate_size": 16, "vocab_size": 12, "max_position_embeddings": 32,
       "rms_norm_eps": 1e-5, "eos_token_id": 3, "torch_dtype": "float32"}
      """;

  private final Map<String, List<Integer>> shapes = new LinkedHashMap<>();

  TinyLlama() {
    String layer = "model.layers.0.";
    shapes.put("model.embed_tokens.weight", List.of(VOCABULARY, HIDDEN));
    shapes.put(layer + "input_layernorm.weight", List.of(HIDDEN));
    shapes.put(layer + "self_attn.q_proj.weight", List.of(HIDDEN, HIDDEN));
    shapes.put(layer + "self_attn.k_proj.weight", List.of(KEY_VALUE, HIDDEN));
    shapes.put(layer + "self_attn.v_proj.weight", List.of(KEY_VALUE, HIDDEN));
    shapes.put(layer + "self_attn.o_proj.weight", List.of(HIDDEN, HIDDEN));
    shapes.put(layer + "post_attention_layernorm.weight", List.of(HIDDEN));
    shapes.put(layer + "mlp.gate_proj.weight", List.of(FEED_FORWARD, HIDDEN));
    shapes.put(layer + "mlp.up_proj.weight", List.of(FEED_FORWARD, HIDDEN));
    shapes.put(layer + "mlp.down_proj.weight", List.of(HIDDEN, FEED_FORWARD));
    shapes.put("model.norm.weight", List.of(HIDDEN));
    shapes.put("lm_head.weight", List.of(VOCABULARY, HIDDEN));
  }

  TinyLlama without(String tensor) {
    shapes.remove(tensor);
    return this;
  }

  TinyLlama with(String tensor, Integer... shape) {
    shapes.put(tensor, List.of(shape));
    return this;
  }

  long weights() {
    return shapes.values().stream().mapToLong(TinyLlama::size).sum();
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  Path write(Path directory) throws IOException {
    Files.writeString(directory.resolve("config.json"), CONFIG);
    long[] end = {0};
    String header =
        shapes.entrySet().stream()
            .map(
                tensor -> {
                  long begin = end[0];
                  end[0] += Float.BYTES * size(tensor.getValue());
                  return "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                      .formatted(tensor.getKey(), tensor.getValue(), begin, end[0]);
                })
            .collect(Collectors.joining(",", "{", "}"));
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(Math.toIntExact(Long.BYTES + json.length + end[0]))
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(json.length)
            .put(json);
    SplittableRandom random = new SplittableRandom(1);
    while (file.hasRemaining()) {
      file.putFloat((float) random.nextDouble(-0.5, 0.5));
    }
    Files.write(directory.resolve("model.safetensors"), file.array());
    return directory;
  }

  private static long size(List<Integer> shape) {
    return shape.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
  }
}
