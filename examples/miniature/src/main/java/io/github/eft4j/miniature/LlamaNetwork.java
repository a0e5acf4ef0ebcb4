package io.github.eft4j.miniature;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Activation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971), its output layer tied to its embeddings.
 *
 * @param hidden the size of a token's representation between layers
 * @param layers the number of layers
 * @param heads the number of query heads
 * @param keyHeads the number of key/value heads
 * @param headSize the size of a head
 * @param inner the inner size of the feed-forward network
 */
record LlamaNetwork(int hidden, int layers, int heads, int keyHeads, int headSize, int inner)
    implements Network {
  private static final float EPSILON = 1e-5f;

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>();
    all.add(Parameter.embedding("model.embed_tokens.weight", Vocabulary.SIZE, hidden));
    for (int i = 0; i < layers; i++) {
      String layer = layer(i);
      all.add(Parameter.vector(layer + "input_layernorm.weight", hidden, 1));
      all.add(Parameter.linear(layer + "self_attn.q_proj.weight", heads * headSize, hidden));
      all.add(Parameter.linear(layer + "self_attn.k_proj.weight", keyHeads * headSize, hidden));
      all.add(Parameter.linear(layer + "self_attn.v_proj.weight", keyHeads * headSize, hidden));
      all.add(Parameter.linear(layer + "self_attn.o_proj.weight", hidden, heads * headSize));
      all.add(Parameter.vector(layer + "post_attention_layernorm.weight", hidden, 1));
      all.add(Parameter.linear(layer + "mlp.gate_proj.weight", inner, hidden));
      all.add(Parameter.linear(layer + "mlp.up_proj.weight", inner, hidden));
      all.add(Parameter.linear(layer + "mlp.down_proj.weight", hidden, inner));
    }
    all.add(Parameter.vector("model.norm.weight", hidden, 1));
    return all;
  }

  private static String layer(int index) {
    return "model.layers." + index + ".";
  }

  @Override
  public NDArray logits(Weights weights, NDArray ids) {
    long batch = ids.getShape().get(0);
    int length = Math.toIntExact(ids.getShape().get(1));
    NDList angles = Layers.angles(ids.getManager(), length, headSize);
    NDArray mask = Layers.causalMask(ids.getManager(), length);
    NDArray embeddings = weights.get("model.embed_tokens.weight");
    NDArray x = Layers.embed(embeddings, ids).reshape(batch * length, hidden);
    for (int i = 0; i < layers; i++) {
      String layer = layer(i);
      NDArray normed = Layers.rmsNorm(x, weights.get(layer + "input_layernorm.weight"), EPSILON);
      String attention = layer + "self_attn.";
      NDArray query = Layers.linear(normed, weights.get(attention + "q_proj.weight"));
      NDArray key = Layers.linear(normed, weights.get(attention + "k_proj.weight"));
      NDArray value = Layers.linear(normed, weights.get(attention + "v_proj.weight"));
      NDArray attended =
          Layers.attention(
              Layers.rotate(Layers.heads(query, batch, heads), angles),
              Layers.rotate(Layers.heads(key, batch, keyHeads), angles),
              Layers.heads(value, batch, keyHeads),
              mask);
      x = x.add(Layers.linear(attended, weights.get(attention + "o_proj.weight")));
      normed = Layers.rmsNorm(x, weights.get(layer + "post_attention_layernorm.weight"), EPSILON);
      NDArray gate = Layers.linear(normed, weights.get(layer + "mlp.gate_proj.weight"));
      NDArray up = Layers.linear(normed, weights.get(layer + "mlp.up_proj.weight"));
      NDArray gated = Activation.swish(gate, 1).mul(up);
      x = x.add(Layers.linear(gated, weights.get(layer + "mlp.down_proj.weight")));
    }
    return Layers.linear(Layers.rmsNorm(x, weights.get("model.norm.weight"), EPSILON), embeddings);
  }

  @Override
  public Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architectures", List.of("LlamaForCausalLM"));
    config.put("model_type", "llama");
    config.put("hidden_size", hidden);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("num_key_value_heads", keyHeads);
    config.put("head_dim", headSize);
    config.put("intermediate_size", inner);
    config.put("hidden_act", "silu");
    config.put("rms_norm_eps", 1e-5);
    config.put("rope_theta", 10000.0);
    config.put("attention_bias", false);
    config.put("mlp_bias", false);
    config.put("tie_word_embeddings", true);
    return config;
  }
}
