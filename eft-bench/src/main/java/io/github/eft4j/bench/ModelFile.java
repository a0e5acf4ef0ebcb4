package io.github.eft4j.bench;

import io.github.eft4j.models.format.GgufFile;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Which model is measured, by whatever program. */
@State(Scope.Benchmark)
public class ModelFile {
  /** The number of tokens of the prompt. */
  static final int PROMPT_TOKENS = 128;

  /** The number of tokens after which the context is cut back to the prompt. */
  static final int NEW_TOKENS = 32;

  private static final String EMBEDDING = "token_embd.weight";
  private static final String OUTPUT = "output.weight";

  /** The shape of a model with random weights: 0.5B, 1.1B or 7B. */
  @Param("1.1B")
  public String shape = "";

  /** How the random weights are stored. */
  @Param({"F32", "BF16", "F16", "Q8_0", "Q4_0", "Q4_K"})
  public WeightType type = WeightType.F32;

  /** A GGUF file instead of random weights; {@link #shape} and {@link #type} mean nothing then. */
  @Param("")
  public String file = "";

  /** The number of threads; 0: one a core. */
  @Param("0")
  public int threads;

  /** The model's file. */
  final Path path() throws IOException {
    if (file.isEmpty()) {
      return new RandomModel(ModelShape.named(shape), type, 1).file(RandomModel.directory());
    }
    Path path = Path.of(file);
    if (!Files.isReadable(path)) {
      throw new IOException("file is " + file + ", which cannot be read");
    }
    return path;
  }

  /** The number of threads, which is never 0. */
  final int threadCount() {
    return threadCount(threads);
  }

  /** The number of threads, or if it is 0, as many as the JVM's kernels take by themselves. */
  static int threadCount(int threads) {
    return threads == 0 ? JvmOps.builder().build().threads() : threads;
  }

  /** The weights that one token's pass reads: all but the embedding, of which it needs one row. */
  final Size sizeOfPass() throws IOException {
    try (GgufFile gguf = GgufFile.open(path())) {
      boolean tied = !gguf.contains(OUTPUT);
      var read = gguf.tensors().stream().filter(t -> tied || !t.name().equals(EMBEDDING)).toList();
      String head = tied ? EMBEDDING : OUTPUT;
      return new Size(
          read.stream().mapToLong(TensorInfo::bytes).sum(),
          read.stream().mapToLong(TensorInfo::weights).sum(),
          read.stream().filter(t -> t.name().equals(head)).mapToLong(TensorInfo::weights).sum());
    }
  }

  /**
   * What a pass reads.
   *
   * @param bytes the bytes of weights
   * @param weights the number of weights
   * @param headWeights the number of them in the output layer, used only where logits are wanted
   */
  record Size(long bytes, long weights, long headWeights) {}

  /** Random token ids, none of them special. */
  static int[] prompt(int tokens, int vocabulary) {
    return new SplittableRandom(5).ints(tokens, vocabulary / 2, vocabulary).toArray();
  }
}
