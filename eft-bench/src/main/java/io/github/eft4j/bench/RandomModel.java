package io.github.eft4j.bench;

import io.github.eft4j.models.format.GgufVocabulary;
import io.github.eft4j.models.format.GgufWriter;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A Llama model with random weights as a GGUF file that llama.cpp reads as well. The speed of a
 * model depends on its shape and weight type, not on what it has learnt.
 *
 * <p>Its logits have a standard deviation of about {@link #LOGIT_DEVIATION}, so that its
 * distributions are about as peaked as a trained model's.
 *
 * @param shape the shape
 * @param type how its matrices are stored
 * @param seed what the weights depend on
 */
record RandomModel(ModelShape shape, WeightType type, int seed) {
  private static final double LOGIT_DEVIATION = 3;

  private static final int CONTEXT_LENGTH = 2048;

  /** The size after which a matrix repeats, about: enough that no cache close to a core helps. */
  private static final int PERIOD_BYTES = 8 << 20;

  private static final int BYTE_TOKENS = 256;

  /** Where the files are kept. */
  static Path directory() {
    return Path.of(System.getProperty("java.io.tmpdir"), "eft-bench-models");
  }

  /**
   * The model's file, which is written unless it is there from an earlier run.
   *
   * @param directory where the files are kept
   * @return the file
   * @throws IOException if it cannot be written; so if the disk has not enough space for it
   */
  Path file(Path directory) throws IOException {
    Path file = directory.resolve("random-%s-%s-%d.gguf".formatted(shape.name(), type, seed));
    if (!Files.exists(file)) {
      Files.createDirectories(directory);
      long bytes = shape.matrices().stream().mapToLong(m -> type.bytes(m.weights())).sum();
      long space = Files.getFileStore(directory).getUsableSpace();
      if (space < bytes) {
        throw new IOException(
            "%s needs %,d MiB, but only %,d MiB are free; -Djava.io.tmpdir names another folder"
                .formatted(file, bytes >> 20, space >> 20));
      }
      writer().write(file, _ -> {});
    }
    return file;
  }

  private GgufWriter writer() {
    GgufWriter writer = new GgufWriter();
    metadata(writer);
    vocabulary(writer);
    int hidden = shape.hidden();
    byte[] period = period();
    for (ModelShape.Tensor matrix : shape.matrices()) {
      // Matrices of the same shape begin at other places of the period.
      int shift = Math.floorMod(matrix.name().hashCode(), period.length / type.blockBytes());
      writer.tensor(
          matrix.name(),
          type,
          List.of((long) matrix.rows(), (long) matrix.columns()),
          out -> repeat(period, shift * type.blockBytes(), type.bytes(matrix.weights()), out));
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      norm(writer, "blk." + layer + ".attn_norm.weight", 1);
      norm(writer, "blk." + layer + ".ffn_norm.weight", 1);
    }
    norm(
        writer,
        "output_norm.weight",
        LOGIT_DEVIATION / (RandomWeights.DEVIATION * Math.sqrt(hidden)));
    return writer;
  }

  private void metadata(GgufWriter writer) {
    writer.string("general.architecture", "llama");
    writer.string("general.name", "random " + shape.name());
    writer.uint32("general.quantization_version", 2);
    writer.uint32("llama.context_length", CONTEXT_LENGTH);
    writer.uint32("llama.embedding_length", shape.hidden());
    writer.uint32("llama.block_count", shape.layers());
    writer.uint32("llama.feed_forward_length", shape.feedForward());
    writer.uint32("llama.rope.dimension_count", shape.headSize());
    writer.uint32("llama.attention.head_count", shape.heads());
    writer.uint32("llama.attention.head_count_kv", shape.keyValueHeads());
    writer.uint32("llama.vocab_size", shape.vocabulary());
    writer.float32("llama.attention.layer_norm_rms_epsilon", 1e-5);
    writer.float32("llama.rope.freq_base", 10000);
  }

  /** A SentencePiece vocabulary: three special tokens, one for each byte, and made-up words. */
  private void vocabulary(GgufWriter writer) {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    int special = tokens.size();
    IntStream.range(0, BYTE_TOKENS).forEach(i -> tokens.add("<0x%02X>".formatted(i)));
    IntStream.range(tokens.size(), shape.vocabulary()).forEach(i -> tokens.add("t" + i));
    float[] scores = new float[tokens.size()];
    int[] types = new int[tokens.size()];
    Arrays.setAll(
        types, i -> i < special + BYTE_TOKENS ? GgufVocabulary.BYTE : GgufVocabulary.NORMAL);
    types[0] = GgufVocabulary.UNKNOWN;
    types[1] = GgufVocabulary.CONTROL;
    types[2] = GgufVocabulary.CONTROL;
    for (int i = 0; i < scores.length; i++) {
      scores[i] = -i;
    }
    writer.string("tokenizer.ggml.model", "llama");
    writer.strings("tokenizer.ggml.tokens", tokens);
    writer.floats("tokenizer.ggml.scores", scores);
    writer.integers("tokenizer.ggml.token_type", types);
    writer.uint32("tokenizer.ggml.bos_token_id", 1);
    writer.uint32("tokenizer.ggml.eos_token_id", 2);
  }

  private void norm(GgufWriter writer, String name, double value) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * shape.hidden()).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat((float) value);
    }
    writer.tensor(
        name, WeightType.F32, List.of((long) shape.hidden()), out -> out.write(bytes.array()));
  }

  /** The blocks that every matrix repeats. */
  private byte[] period() {
    byte[] bytes = new byte[PERIOD_BYTES / type.blockBytes() * type.blockBytes()];
    RandomWeights.fill(type, MemorySegment.ofArray(bytes), seed);
    return bytes;
  }

  private static void repeat(byte[] period, int start, long count, OutputStream out)
      throws IOException {
    int from = start;
    long left = count;
    while (left > 0) {
      int length = (int) Math.min(left, period.length - from);
      out.write(period, from, length);
      left -= length;
      from = 0;
    }
  }
}
