package io.github.eft4j.models.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Loads the golden models and runs them. */
final class GoldenModels {
  static final List<String> NAMES =
      List.of(
          "llama-mha",
          "llama-gqa",
          "llama-tied",
          "llama-bias",
          "llama-mlpbias",
          "llama-headdim",
          "llama-sharded",
          "llama-bf16",
          "llama-f16",
          "llama-rope-linear",
          "llama-rope-dynamic",
          "llama-rope-yarn",
          "llama3-rope",
          "falcon-7b-like",
          "falcon-11b-like",
          "falcon-40b-like",
          "falcon-rw-like",
          "falcon-rw-oddheads");

  /** All implementations that must agree with the golden models. */
  static final List<TensorOps> OPS = List.of(TensorOps.nd4j(), TensorOps.jvm());

  private GoldenModels() {}

  /**
   * What the reference itself differs by between float32 and float64 (1e-5 for Llama, 5e-6 for
   * Falcon), with a margin; the least error in a formula shows up as 2e-4 or more.
   */
  private static double tolerance(String model) {
    return model.startsWith("llama") ? 1e-4 : 5e-5;
  }

  static LanguageModel load(String name, TensorOps ops) {
    return load(GoldenTensors.directory(name), ops);
  }

  static LanguageModel load(Path directory, TensorOps ops) {
    try {
      HuggingFaceDirectory files = HuggingFaceDirectory.read(directory);
      TensorSource tensors = files.openTensors();
      ModelMetadata metadata =
          new ModelMetadata(
              directory.getFileName().toString(), Set.of(2), Optional.empty(), Optional.empty());
      try {
        return Transformers.load(files.config(), tensors, ops, metadata);
      } catch (RuntimeException e) {
        tensors.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a batch and reads the logits. */
  static float[][] forward(LanguageModel model, ForwardBatch batch) {
    try (INDArray logits = Nd4j.create(DataType.FLOAT, batch.logitRows(), model.vocabularySize())) {
      model.forward(batch, logits);
      float[][] rows = new float[batch.logitRows()][];
      for (int r = 0; r < rows.length; r++) {
        rows[r] =
            NativeArrays.floats(NativeArrays.rows(logits, r, r + 1))
                .toArray(ValueLayout.JAVA_FLOAT);
      }
      return rows;
    }
  }

  /** The logits after each of some tokens of one sequence. */
  static float[][] all(LanguageModel model, KeyValueCache cache, int... ids) {
    return forward(model, ForwardBatch.all(cache, ids));
  }

  /** The logits after the last of some tokens of one sequence. */
  static float[] last(LanguageModel model, KeyValueCache cache, int... ids) {
    return forward(model, ForwardBatch.last(cache, ids))[0];
  }

  /** The logits after each token of a sequence of its own. */
  static float[][] fresh(LanguageModel model, int... ids) {
    try (KeyValueCache cache = model.newCache()) {
      return all(model, cache, ids);
    }
  }

  static void assertClose(String model, float[] actual, float[] expected) {
    assertThat(actual).hasSize(expected.length);
    float offset = (float) tolerance(model);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(offset));
    }
  }

  static int argMax(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  static int[] concat(int[] a, int... b) {
    int[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}
