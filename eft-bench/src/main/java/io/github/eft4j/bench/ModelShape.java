package io.github.eft4j.bench;

import java.util.Arrays;
import java.util.List;

/**
 * The shape of a Llama model.
 *
 * @param name its name among the benchmarks' parameters
 * @param layers the number of layers
 * @param hidden the width of the residual stream
 * @param heads the number of query heads
 * @param keyValueHeads the number of key and value heads
 * @param feedForward the width of the gated layer
 * @param vocabulary the number of token ids
 */
record ModelShape(
    String name,
    int layers,
    int hidden,
    int heads,
    int keyValueHeads,
    int feedForward,
    int vocabulary) {
  /** The shapes that benchmarks can name; 1.1B is TinyLlama's and 7B is Llama 2's. 1M is to try. */
  private static final List<ModelShape> ALL =
      List.of(
          new ModelShape("1M", 2, 256, 4, 2, 512, 600),
          new ModelShape("0.5B", 24, 1024, 16, 16, 2816, 32000),
          new ModelShape("1.1B", 22, 2048, 32, 4, 5632, 32000),
          new ModelShape("7B", 32, 4096, 32, 32, 11008, 32000));

  /**
   * A shape by its name.
   *
   * @throws IllegalArgumentException if there is none of this name
   */
  static ModelShape named(String name) {
    return ALL.stream()
        .filter(shape -> shape.name.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "shape is %s, expected one of %s"
                        .formatted(name, ALL.stream().map(ModelShape::name).toList())));
  }

  int headSize() {
    return hidden / heads;
  }

  /** The matrices of all layers, the embedding and the output. */
  List<Tensor> matrices() {
    int keyValue = headSize() * keyValueHeads;
    List<Tensor> layer =
        List.of(
            new Tensor("attn_q", hidden, hidden),
            new Tensor("attn_k", keyValue, hidden),
            new Tensor("attn_v", keyValue, hidden),
            new Tensor("attn_output", hidden, hidden),
            new Tensor("ffn_gate", feedForward, hidden),
            new Tensor("ffn_up", feedForward, hidden),
            new Tensor("ffn_down", hidden, feedForward));
    Tensor[] all = new Tensor[2 + layers * layer.size()];
    all[0] = new Tensor("token_embd.weight", vocabulary, hidden);
    all[1] = new Tensor("output.weight", vocabulary, hidden);
    for (int i = 2; i < all.length; i++) {
      Tensor t = layer.get((i - 2) % layer.size());
      String name = "blk.%d.%s.weight".formatted((i - 2) / layer.size(), t.name);
      all[i] = new Tensor(name, t.rows, t.columns);
    }
    return Arrays.asList(all);
  }

  /**
   * A matrix.
   *
   * @param name its name in a GGUF file
   * @param rows the number of outputs
   * @param columns the number of inputs
   */
  record Tensor(String name, int rows, int columns) {
    long weights() {
      return (long) rows * columns;
    }
  }
}
