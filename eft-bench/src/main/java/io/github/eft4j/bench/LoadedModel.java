package io.github.eft4j.bench;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import io.github.eft4j.tensor.JvmOps;
import java.io.IOException;
import java.nio.file.Path;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A model on the JVM's kernels. */
@State(Scope.Benchmark)
public class LoadedModel extends ModelFile {
  /** The width of the vectors; -1: the widest, 0: scalar code. */
  @Param("-1")
  public int vectorBits;

  LanguageModel model;
  Size size;
  int[] prompt;

  /** Receives the logits of a sequence's last token. */
  INDArray logits;

  /** Loads the model. */
  @Setup
  public void load() throws IOException {
    size = sizeOfPass();
    model = load(path(), threadCount(), vectorBits);
    prompt = prompt(PROMPT_TOKENS, model.vocabularySize());
    logits = Nd4j.createUninitialized(1, model.vocabularySize());
  }

  /**
   * Loads a model.
   *
   * @param file its file
   * @param threads the number of threads
   * @param vectorBits the width of the vectors, or -1 for the widest
   * @return the model
   */
  static LanguageModel load(Path file, int threads, int vectorBits) {
    JvmOps.Builder ops = JvmOps.builder().threads(threads);
    if (vectorBits >= 0) {
      ops.vectorBits(vectorBits);
    }
    return LanguageModels.load(file, LoadOptions.defaults().withOps(ops.build()));
  }

  /** Frees the model. */
  @TearDown
  public void free() {
    logits.close();
    model.close();
  }
}
