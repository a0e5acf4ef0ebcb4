package io.github.eft4j.miniature;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Falcon as its 7B model is (Almazrouei et al. 2023, arXiv 2311.16867): one key/value head, and the
 * feed-forward network beside attention, both after the same norm; its output layer is tied to its
 * embeddings.
 *
 * @param hidden the size of a token's representation between layers
 * @param layers the number of layers
 * @param heads the number of query heads
 * @param inner the inner size of the feed-forward network
 */
record FalconNetwork(int hidden, int layers, int heads, int inner) implements Network {
  private static final float EPSILON = 1e-5f;

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>();
    all.add(Parameter.embedding("transformer.word_embeddings.weight", Vocabulary.SIZE, hidden));
    for (int i = 0; i < layers; i++) {
      String layer = layer(i);
      int fused = hidden + 2 * hidden / heads;
      all.add(Parameter.vector(layer + "input_layernorm.weight", hidden, 1));
      all.add(Parameter.vector(layer + "input_layernorm.bias", hidden, 0));
      all.add(Parameter.linear(layer + "self_attention.query_key_value.weight", fused, hidden));
      all.add(Parameter.linear(layer + "self_attention.dense.weight", hidden, hidden));
      all.add(Parameter.linear(layer + "mlp.dense_h_to_4h.weight", inner, hidden));
      all.add(Parameter.linear(layer + "mlp.dense_4h_to_h.weight", hidden, inner));
    }
    all.add(Parameter.vector("transformer.ln_f.weight", hidden, 1));
    all.add(Parameter.vector("transformer.ln_f.bias", hidden, 0));
    return all;
  }

  private static String layer(int index) {
    return "transformer.h." + index + ".";
  }

  @Override
  public NDArray logits(Weights weights, NDArray ids) {
    long batch = ids.getShape().get(0);
    int length = Math.toIntExact(ids.getShape().get(1));
    int headSize = hidden / heads;
    NDList angles = Layers.angles(ids.getManager(), length, headSize);
    NDArray mask = Layers.causalMask(ids.getManager(), length);
    NDArray embeddings = weights.get("transformer.word_embeddings.weight");
    NDArray x = Layers.embed(embeddings, ids).reshape(batch * length, hidden);
    for (int i = 0; i < layers; i++) {
      String layer = layer(i);
      NDArray normed = norm(x, weights, layer + "input_layernorm");
      NDArray fused =
          Layers.linear(normed, weights.get(layer + "self_attention.query_key_value.weight"));
      NDList parts = fused.split(new long[] {hidden, hidden + headSize}, 1);
      NDArray attended =
          Layers.attention(
              Layers.rotate(Layers.heads(parts.get(0), batch, heads), angles),
              Layers.rotate(Layers.heads(parts.get(1), batch, 1), angles),
              Layers.heads(parts.get(2), batch, 1),
              mask);
      NDArray up = Layers.linear(normed, weights.get(layer + "mlp.dense_h_to_4h.weight"));
      NDArray down =
          Layers.linear(Activation.gelu(up), weights.get(layer + "mlp.dense_4h_to_h.weight"));
      x =
          x.add(Layers.linear(attended, weights.get(layer + "self_attention.dense.weight")))
              .add(down);
    }
    return Layers.linear(norm(x, weights, "transformer.ln_f"), embeddings);
  }

  private static NDArray norm(NDArray x, Weights weights, String name) {
    return Layers.layerNorm(x, weights.get(name + ".weight"), weights.get(name + ".bias"), EPSILON);
  }

  @Override
  public Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architectures", List.of("FalconForCausalLM"));
    config.put("model_type", "falcon");
    config.put("hidden_size", hidden);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("ffn_hidden_size", inner);
    config.put("activation", "gelu");
    config.put("layer_norm_epsilon", 1e-5);
    config.put("rope_theta", 10000.0);
    config.put("alibi", false);
    config.put("bias", false);
    config.put("multi_query", true);
    config.put("new_decoder_architecture", false);
    config.put("parallel_attn", true);
    config.put("tie_word_embeddings", true);
    return config;
  }
}
