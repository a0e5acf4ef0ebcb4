package io.github.eft4j.models.transformer;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.TensorOps;

/** Makes language models from checkpoints. */
public final class Transformers {
  private Transformers() {}

  /**
   * Makes the model that a checkpoint holds.
   *
   * @param config the model's shape
   * @param tensors the checkpoint. The model closes it when it is closed itself; when this throws,
   *     it stays open.
   * @param ops what to compute with
   * @param metadata what belongs to the model beside its weights
   * @return the model
   * @throws io.github.eft4j.models.format.ModelFormatException if a tensor is missing, has another
   *     type or shape than the configuration needs, or has no place in such a model
   */
  public static LanguageModel load(
      ModelConfig config, TensorSource tensors, TensorOps ops, ModelMetadata metadata) {
    Weights weights = new Weights(tensors, ops);
    try {
      LanguageModel model =
          switch (config) {
            case LlamaConfig llama -> new Llama(llama, weights, ops, metadata);
            case FalconConfig falcon -> new Falcon(falcon, weights, ops, metadata);
          };
      weights.refuseUnused(config);
      return model;
    } catch (RuntimeException | Error e) {
      weights.free();
      throw e;
    }
  }
}
