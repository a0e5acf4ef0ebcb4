package io.github.eft4j.models.transformer;

import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.tensor.Alibi;
import io.github.eft4j.tensor.Linear;
import io.github.eft4j.tensor.Matrix;
import io.github.eft4j.tensor.TensorOps;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Falcon (Almazrouei et al. 2023, <a href="https://arxiv.org/abs/2311.16867">arXiv 2311.16867</a>):
 * layer norms, queries, keys and values from one projection, and a feed-forward network with GELU
 * that runs beside attention or, in RW models, after it. Positions are encoded by rotary embeddings
 * or, in RW models, by linear biases (ALiBi).
 */
final class Falcon extends TransformerModel<Falcon.Activations> {
  /** The weight and bias of a layer norm. */
  private record Norm(INDArray weight, INDArray bias) {}

  /** The weights of one layer; both norms are the same one where it has only one. */
  private record Layer(
      Norm attentionNorm,
      Linear queryKeyValue,
      Linear attentionOutput,
      Norm feedForwardNorm,
      Linear up,
      Linear down) {}

  /** What is computed for each row, all {@code [rows, …]}. */
  record Activations(
      RotaryEmbedding.@Nullable Angles angles,
      INDArray normed,
      INDArray fused,
      INDArray query,
      INDArray key,
      INDArray value,
      INDArray attended,
      INDArray up,
      INDArray projected) {}

  private final FalconConfig config;
  private final TensorOps ops;
  private final @Nullable RotaryEmbedding rotary;
  private final @Nullable Alibi alibi;
  private final float attentionScale;
  private final Matrix embeddings;
  private final List<Layer> layers;
  private final Norm finalNorm;
  private final Linear output;

  Falcon(FalconConfig config, Weights weights, TensorOps ops, ModelMetadata metadata) {
    super(config, weights, ops, metadata);
    this.config = config;
    this.ops = ops;
    RotaryConfig rotaryConfig = config.rotary();
    rotary = rotaryConfig == null ? null : new RotaryEmbedding(rotaryConfig, config.headSize());
    alibi = rotaryConfig == null ? Alibi.ofHeads(config.heads()) : null;
    attentionScale = (float) (1 / Math.sqrt(config.headSize()));
    int hidden = config.hiddenSize();
    embeddings = weights.embeddings("transformer.word_embeddings.weight", config);
    layers = IntStream.range(0, config.layers()).mapToObj(i -> layer(config, weights, i)).toList();
    finalNorm = norm(weights, "transformer.ln_f", hidden);
    output = weights.output(config, embeddings);
  }

  private static Layer layer(FalconConfig config, Weights weights, int index) {
    String prefix = "transformer.h." + index + ".";
    int hidden = config.hiddenSize();
    int inner = config.feedForwardSize();
    int fused = (config.heads() + 2 * config.keyValueHeads()) * config.headSize();
    boolean twoNorms = config.block() == FalconConfig.Block.PARALLEL_TWO_NORMS;
    Norm attentionNorm = norm(weights, prefix + (twoNorms ? "ln_attn" : "input_layernorm"), hidden);
    Norm feedForwardNorm =
        switch (config.block()) {
          case SEQUENTIAL -> norm(weights, prefix + "post_attention_layernorm", hidden);
          case PARALLEL_ONE_NORM -> attentionNorm;
          case PARALLEL_TWO_NORMS -> norm(weights, prefix + "ln_mlp", hidden);
        };
    boolean bias = config.bias();
    return new Layer(
        attentionNorm,
        weights.linear(prefix + "self_attention.query_key_value", fused, hidden, bias),
        weights.linear(prefix + "self_attention.dense", hidden, hidden, bias),
        feedForwardNorm,
        weights.linear(prefix + "mlp.dense_h_to_4h", inner, hidden, bias),
        weights.linear(prefix + "mlp.dense_4h_to_h", hidden, inner, bias));
  }

  private static Norm norm(Weights weights, String name, int size) {
    return new Norm(weights.vector(name + ".weight", size), weights.vector(name + ".bias", size));
  }

  @Override
  Activations activations(IntFunction<INDArray> array) {
    int keys = config.keyValueHeads() * config.headSize();
    return new Activations(
        rotary == null ? null : rotary.angles(array),
        array.apply(config.hiddenSize()),
        array.apply(config.hiddenSize() + 2 * keys),
        array.apply(config.hiddenSize()),
        array.apply(keys),
        array.apply(keys),
        array.apply(config.hiddenSize()),
        array.apply(config.feedForwardSize()),
        array.apply(config.hiddenSize()));
  }

  @Override
  void layers(Rows rows, INDArray hidden, Activations a) {
    if (a.angles() != null) {
      a.angles().fill(rows);
    }
    ops.embed(embeddings, rows.ids(), hidden);
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      norm(hidden, layer.attentionNorm(), a.normed());
      attention(i, layer, rows, a);
      switch (config.block()) {
        case SEQUENTIAL -> {
          ops.add(hidden, a.projected(), hidden);
          norm(hidden, layer.feedForwardNorm(), a.normed());
        }
        case PARALLEL_ONE_NORM -> ops.add(hidden, a.projected(), hidden);
        case PARALLEL_TWO_NORMS -> {
          norm(hidden, layer.feedForwardNorm(), a.normed());
          ops.add(hidden, a.projected(), hidden);
        }
      }
      feedForward(layer, a);
      ops.add(hidden, a.projected(), hidden);
    }
  }

  /** From {@code normed} to {@code projected}. */
  private void attention(int index, Layer layer, Rows rows, Activations a) {
    ops.linear(a.normed(), layer.queryKeyValue(), a.fused());
    ops.split(a.fused(), config.queryKeyValueGroups(), a.query(), a.key(), a.value());
    if (a.angles() != null) {
      a.angles().rotate(ops, a.query());
      a.angles().rotate(ops, a.key());
    }
    ops.attention(
        index,
        a.query(),
        a.key(),
        a.value(),
        rows.sequences(),
        attentionScale,
        alibi,
        a.attended());
    ops.linear(a.attended(), layer.attentionOutput(), a.projected());
  }

  /** From {@code normed} to {@code projected}. */
  private void feedForward(Layer layer, Activations a) {
    ops.linear(a.normed(), layer.up(), a.up());
    ops.gelu(a.up(), a.up());
    ops.linear(a.up(), layer.down(), a.projected());
  }

  private void norm(INDArray x, Norm norm, INDArray out) {
    ops.layerNorm(x, norm.weight(), norm.bias(), config.normEpsilon(), out);
  }

  @Override
  void output(INDArray hidden, INDArray logits) {
    norm(hidden, finalNorm, hidden);
    ops.linear(hidden, output, logits);
  }
}
