package io.github.eft4j.miniature;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Activation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * BERT (Devlin et al. 2019, arXiv 1810.04805) that classifies pairs of texts, each of which {@link
 * Vocabulary#END} ends. More of these pad a row.
 *
 * @param hidden the size of a token's representation between layers
 * @param layers the number of layers
 * @param heads the number of attention heads
 * @param inner the inner size of the feed-forward network
 * @param positions the greatest number of tokens
 * @param labels the names of the classes
 */
record EncoderNetwork(
    int hidden, int layers, int heads, int inner, int positions, List<String> labels)
    implements Network {
  private static final float EPSILON = 1e-5f;
  private static final int TOKEN_TYPES = 2;
  private static final String EMBEDDINGS = "bert.embeddings.";

  /** Copies the list. */
  EncoderNetwork {
    labels = List.copyOf(labels);
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>();
    all.add(Parameter.embedding(EMBEDDINGS + "word_embeddings.weight", Vocabulary.SIZE, hidden));
    all.add(Parameter.embedding(EMBEDDINGS + "position_embeddings.weight", positions, hidden));
    all.add(Parameter.embedding(EMBEDDINGS + "token_type_embeddings.weight", TOKEN_TYPES, hidden));
    norm(all, EMBEDDINGS + "LayerNorm");
    for (int i = 0; i < layers; i++) {
      String layer = layer(i);
      dense(all, layer + "attention.self.query", hidden, hidden);
      dense(all, layer + "attention.self.key", hidden, hidden);
      dense(all, layer + "attention.self.value", hidden, hidden);
      dense(all, layer + "attention.output.dense", hidden, hidden);
      norm(all, layer + "attention.output.LayerNorm");
      dense(all, layer + "intermediate.dense", inner, hidden);
      dense(all, layer + "output.dense", hidden, inner);
      norm(all, layer + "output.LayerNorm");
    }
    dense(all, "bert.pooler.dense", hidden, hidden);
    dense(all, "classifier", labels.size(), hidden);
    return all;
  }

  /**
   * Weights before training. Keys begin equal to queries, so that a token attends to its like in
   * the other text from the start, which takes long to learn; what a token is counts for more than
   * where it stands.
   */
  float[] initial(long seed) {
    float[] weights = Trainer.initial(this, seed);
    Map<String, Integer> offsets = new HashMap<>();
    int offset = 0;
    for (Parameter parameter : parameters()) {
      String name = parameter.name();
      offsets.put(name, offset);
      if (name.endsWith(".key.weight")) {
        int query = offsets.getOrDefault(name.replace(".key.", ".query."), offset);
        System.arraycopy(weights, query, weights, offset, parameter.size());
      }
      if (name.contains("position_embeddings") || name.contains("token_type")) {
        for (int i = offset; i < offset + parameter.size(); i++) {
          weights[i] /= 2;
        }
      }
      offset += parameter.size();
    }
    return weights;
  }

  private static void dense(List<Parameter> all, String name, int out, int in) {
    all.add(Parameter.linear(name + ".weight", out, in));
    all.add(Parameter.vector(name + ".bias", out, 0));
  }

  private void norm(List<Parameter> all, String name) {
    all.add(Parameter.vector(name + ".weight", hidden, 1));
    all.add(Parameter.vector(name + ".bias", hidden, 0));
  }

  private static String layer(int index) {
    return "bert.encoder.layer." + index + ".";
  }

  /**
   * What each token says about the class of its sequence. The first token is the one that counts;
   * to teach the others too makes learning quicker.
   */
  @Override
  public NDArray logits(Weights weights, NDArray ids) {
    long batch = ids.getShape().get(0);
    long length = ids.getShape().get(1);
    NDArray ends = ids.eq(Vocabulary.END_ID).toType(DataType.INT64, false);
    NDArray endsBefore = ends.cumSum(1).sub(ends);
    NDArray mask = Layers.hidden(endsBefore.gte(TOKEN_TYPES)).reshape(batch, 1, 1, length);
    NDArray types = endsBefore.clip(0, TOKEN_TYPES - 1);
    NDArray places = ids.getManager().arange((int) length).toType(DataType.INT64, false);
    NDArray embedded =
        Layers.embed(weights.get(EMBEDDINGS + "word_embeddings.weight"), ids)
            .add(Layers.embed(weights.get(EMBEDDINGS + "position_embeddings.weight"), places))
            .add(Layers.embed(weights.get(EMBEDDINGS + "token_type_embeddings.weight"), types));
    NDArray x = norm(embedded.reshape(batch * length, hidden), weights, EMBEDDINGS + "LayerNorm");
    for (int i = 0; i < layers; i++) {
      String layer = layer(i);
      NDArray attended =
          Layers.attention(
              heads(x, weights, layer + "attention.self.query", batch),
              heads(x, weights, layer + "attention.self.key", batch),
              heads(x, weights, layer + "attention.self.value", batch),
              mask);
      x =
          norm(
              x.add(dense(attended, weights, layer + "attention.output.dense")),
              weights,
              layer + "attention.output.LayerNorm");
      NDArray up = Activation.gelu(dense(x, weights, layer + "intermediate.dense"));
      x =
          norm(
              x.add(dense(up, weights, layer + "output.dense")),
              weights,
              layer + "output.LayerNorm");
    }
    return dense(dense(x, weights, "bert.pooler.dense").tanh(), weights, "classifier");
  }

  private NDArray heads(NDArray x, Weights weights, String name, long batch) {
    return Layers.heads(dense(x, weights, name), batch, heads);
  }

  private static NDArray dense(NDArray x, Weights weights, String name) {
    return Layers.linear(x, weights.get(name + ".weight")).add(weights.get(name + ".bias"));
  }

  private static NDArray norm(NDArray x, Weights weights, String name) {
    return Layers.layerNorm(x, weights.get(name + ".weight"), weights.get(name + ".bias"), EPSILON);
  }

  @Override
  public Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("architectures", List.of("BertForSequenceClassification"));
    config.put("model_type", "bert");
    config.put("hidden_size", hidden);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("intermediate_size", inner);
    config.put("hidden_act", "gelu");
    config.put("layer_norm_eps", 1e-5);
    config.put("max_position_embeddings", positions);
    config.put("type_vocab_size", TOKEN_TYPES);
    Map<String, String> names = new LinkedHashMap<>();
    IntStream.range(0, labels.size()).forEach(i -> names.put(Integer.toString(i), labels.get(i)));
    config.put("id2label", names);
    return config;
  }
}
