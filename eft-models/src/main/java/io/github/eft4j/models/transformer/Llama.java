package io.github.eft4j.models.transformer;

import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.tensor.Linear;
import io.github.eft4j.tensor.Matrix;
import io.github.eft4j.tensor.TensorOps;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Llama (Touvron et al. 2023, <a href="https://arxiv.org/abs/2302.13971">arXiv 2302.13971</a>): RMS
 * norms before attention and feed-forward network, rotary position embeddings, and a feed-forward
 * network with a SiLU gate.
 */
final class Llama extends TransformerModel<Llama.Activations> {
  /** The weights of one layer. */
  private record Layer(
      INDArray attentionNorm,
      List<Linear> queryKeyValue,
      Linear attentionOutput,
      INDArray feedForwardNorm,
      List<Linear> gateAndUp,
      Linear down) {}

  /** What is computed for each row, all {@code [rows, …]}. */
  record Activations(
      RotaryEmbedding.Angles angles,
      INDArray normed,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray attended,
      INDArray gate,
      INDArray up,
      INDArray projected) {}

  private final LlamaConfig config;
  private final TensorOps ops;
  private final RotaryEmbedding rotary;
  private final float attentionScale;
  private final Matrix embeddings;
  private final List<Layer> layers;
  private final INDArray finalNorm;
  private final Linear output;

  Llama(LlamaConfig config, Weights weights, TensorOps ops, ModelMetadata metadata) {
    super(config, weights, ops, metadata);
    this.config = config;
    this.ops = ops;
    rotary = new RotaryEmbedding(config.rotary(), config.headSize());
    attentionScale = (float) (1 / Math.sqrt(config.headSize()));
    int hidden = config.hiddenSize();
    embeddings = weights.embeddings("model.embed_tokens.weight", config);
    layers = IntStream.range(0, config.layers()).mapToObj(i -> layer(config, weights, i)).toList();
    finalNorm = weights.vector("model.norm.weight", hidden);
    output = weights.output(config, embeddings);
  }

  private static Layer layer(LlamaConfig config, Weights weights, int index) {
    String attention = "model.layers." + index + ".self_attn.";
    String feedForward = "model.layers." + index + ".mlp.";
    int hidden = config.hiddenSize();
    int queries = config.heads() * config.headSize();
    int keys = config.keyValueHeads() * config.headSize();
    int inner = config.feedForwardSize();
    boolean bias = config.attentionBias();
    return new Layer(
        weights.vector("model.layers." + index + ".input_layernorm.weight", hidden),
        List.of(
            weights.linear(attention + "q_proj", queries, hidden, bias),
            weights.linear(attention + "k_proj", keys, hidden, bias),
            weights.linear(attention + "v_proj", keys, hidden, bias)),
        weights.linear(attention + "o_proj", hidden, queries, bias),
        weights.vector("model.layers." + index + ".post_attention_layernorm.weight", hidden),
        List.of(
            weights.linear(feedForward + "gate_proj", inner, hidden, config.mlpBias()),
            weights.linear(feedForward + "up_proj", inner, hidden, config.mlpBias())),
        weights.linear(feedForward + "down_proj", hidden, inner, config.mlpBias()));
  }

  @Override
  Activations activations(IntFunction<INDArray> array) {
    int queries = config.heads() * config.headSize();
    int keys = config.keyValueHeads() * config.headSize();
    return new Activations(
        rotary.angles(array),
        array.apply(config.hiddenSize()),
        array.apply(queries),
        array.apply(keys),
        array.apply(keys),
        array.apply(queries),
        array.apply(config.feedForwardSize()),
        array.apply(config.feedForwardSize()),
        array.apply(config.hiddenSize()));
  }

  @Override
  void layers(Rows rows, INDArray hidden, Activations a) {
    a.angles().fill(rows);
    ops.embed(embeddings, rows.ids(), hidden);
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      ops.rmsNorm(hidden, layer.attentionNorm(), config.normEpsilon(), a.normed());
      attention(i, layer, rows, a);
      ops.add(hidden, a.projected(), hidden);
      ops.rmsNorm(hidden, layer.feedForwardNorm(), config.normEpsilon(), a.normed());
      feedForward(layer, a);
      ops.add(hidden, a.projected(), hidden);
    }
  }

  /** From {@code normed} to {@code projected}. */
  private void attention(int index, Layer layer, Rows rows, Activations a) {
    ops.linear(a.normed(), layer.queryKeyValue(), List.of(a.query(), a.key(), a.value()));
    a.angles().rotate(ops, a.query());
    a.angles().rotate(ops, a.key());
    ops.attention(
        index, a.query(), a.key(), a.value(), rows.sequences(), attentionScale, null, a.attended());
    ops.linear(a.attended(), layer.attentionOutput(), a.projected());
  }

  /** From {@code normed} to {@code projected}. */
  private void feedForward(Layer layer, Activations a) {
    ops.linear(a.normed(), layer.gateAndUp(), List.of(a.gate(), a.up()));
    ops.siluGate(a.gate(), a.up(), a.gate());
    ops.linear(a.gate(), layer.down(), a.projected());
  }

  @Override
  void output(INDArray hidden, INDArray logits) {
    ops.rmsNorm(hidden, finalNorm, config.normEpsilon(), hidden);
    ops.linear(hidden, output, logits);
  }
}
