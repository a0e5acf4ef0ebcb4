package io.github.eft4j.models.format;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.Dequantize;
import io.github.eft4j.tensor.Quantize;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * Writes the model of a Hugging Face directory as a GGUF file, with its matrices stored in a
 * narrower type. Other programs that read GGUF files read it too: rows and names are laid out as
 * llama.cpp's own converter does.
 */
public final class Quantizer {
  /** Hears how far the work is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * A tensor was written.
     *
     * @param tensors the number of tensors written so far
     * @param total the number of all tensors
     */
    void written(int tensors, int total);
  }

  /** The order in which rows lie in the checkpoint already. */
  private static final IntUnaryOperator AS_STORED = IntUnaryOperator.identity();

  private final Path directory;
  private final ModelConfig config;
  private final TensorSource source;
  private final WeightType type;
  private final GgufTensorNames names;
  private final GgufWriter writer = new GgufWriter();
  private int tensors;

  private Quantizer(Path directory, ModelConfig config, TensorSource source, WeightType type) {
    this.directory = directory;
    this.config = config;
    this.source = source;
    this.type = type;
    this.names = GgufTensorNames.of(config);
  }

  /**
   * Converts a model. Vectors are stored as F32; a matrix whose rows are not whole blocks of the
   * type keeps the type that it has. The file appears under its name when it is complete; an
   * existing one is replaced.
   *
   * @param directory the model's directory: {@code config.json}, safetensors, and the tokenizer and
   *     chat template if there are any
   * @param file the file to write
   * @param type how to store matrices: F32, F16, BF16, Q8_0 or Q4_0
   * @param progress hears of each tensor written
   * @throws ModelFormatException if the directory's files are damaged or describe what GGUF files
   *     cannot express
   * @throws IllegalArgumentException if the type is another one, or a weight is out of its range
   * @throws IOException if a file cannot be read or written
   */
  public static void quantize(Path directory, Path file, WeightType type, Progress progress)
      throws IOException {
    int fileType = fileType(type);
    HuggingFaceDirectory model = HuggingFaceDirectory.read(directory);
    try (TensorSource source = model.openTensors()) {
      Quantizer quantizer = new Quantizer(directory, model.config(), source, type);
      quantizer.describe(fileType);
      quantizer.describeText(model);
      switch (model.config()) {
        case LlamaConfig config -> quantizer.addLlama(config);
        case FalconConfig config -> quantizer.addFalcon(config);
      }
      quantizer.writer.write(file, written -> progress.written(written, quantizer.tensors));
    }
  }

  /** The number by which a file says how most of its weights are stored. */
  private static int fileType(WeightType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q8_0 -> 7;
      case BF16 -> 32;
      case Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K ->
          throw new IllegalArgumentException(
              "cannot quantise to " + type + ", supported: F32, F16, BF16, Q8_0, Q4_0");
    };
  }

  private void describe(int fileType) {
    String family = config.family();
    writer.string("general.architecture", family);
    writer.string("general.name", directory.toAbsolutePath().normalize().getFileName().toString());
    writer.uint32("general.file_type", fileType);
    writer.uint32("general.quantization_version", 2);
    writer.uint32(family + ".context_length", config.contextLength());
    writer.uint32(family + ".embedding_length", config.hiddenSize());
    writer.uint32(family + ".block_count", config.layers());
    writer.uint32(family + ".feed_forward_length", config.feedForwardSize());
    writer.uint32(family + ".vocab_size", config.vocabularySize());
    writer.uint32(family + ".attention.head_count", config.heads());
    writer.uint32(family + ".attention.head_count_kv", config.keyValueHeads());
    writer.uint32(family + ".attention.key_length", config.headSize());
    writer.uint32(family + ".attention.value_length", config.headSize());
    writer.uint32(family + ".rope.dimension_count", config.headSize());
  }

  private void describeText(HuggingFaceDirectory model) throws IOException {
    Optional<GgufVocabulary> vocabulary =
        TokenizerConverter.read(model.path(), model.generation(), config.vocabularySize());
    if (vocabulary.isPresent()) {
      vocabulary.get().write(writer);
    } else {
      writer.string("tokenizer.ggml.model", "none");
      TokenizerConverter.writeIds(writer, directory, model.generation());
    }
    Optional<String> template = chatTemplate(model.path());
    template.ifPresent(text -> writer.string("tokenizer.chat_template", text));
  }

  private static Optional<String> chatTemplate(Path directory) throws IOException {
    Path file = directory.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      return Optional.of(Files.readString(file));
    }
    Path configFile = directory.resolve("tokenizer_config.json");
    if (!Files.exists(configFile)) {
      return Optional.empty();
    }
    JsonObject config = JsonObject.read(configFile);
    if (!config.value("chat_template").isArray()) {
      return config.string("chat_template");
    }
    for (JsonNode named : config.value("chat_template")) {
      if (named.path("name").asText().equals("default")) {
        return Optional.of(named.path("template").asText());
      }
    }
    return Optional.empty();
  }

  private void addLlama(LlamaConfig config) {
    writer.float32("llama.attention.layer_norm_rms_epsilon", config.normEpsilon());
    describeRotary(config.rotary());
    int hidden = config.hiddenSize();
    int query = config.heads() * config.headSize();
    int keyValue = config.keyValueHeads() * config.headSize();
    int feedForward = config.feedForwardSize();
    IntUnaryOperator pairs = pairs(config.headSize());
    matrix("model.embed_tokens", config.vocabularySize(), hidden);
    for (int i = 0; i < config.layers(); i++) {
      String layer = "model.layers." + i + ".";
      boolean bias = config.attentionBias();
      vector(layer + "input_layernorm.weight", hidden, AS_STORED);
      linear(layer + "self_attn.q_proj", query, hidden, bias, pairs);
      linear(layer + "self_attn.k_proj", keyValue, hidden, bias, pairs);
      linear(layer + "self_attn.v_proj", keyValue, hidden, bias, AS_STORED);
      linear(layer + "self_attn.o_proj", hidden, query, bias, AS_STORED);
      vector(layer + "post_attention_layernorm.weight", hidden, AS_STORED);
      linear(layer + "mlp.gate_proj", feedForward, hidden, config.mlpBias(), AS_STORED);
      linear(layer + "mlp.up_proj", feedForward, hidden, config.mlpBias(), AS_STORED);
      linear(layer + "mlp.down_proj", hidden, feedForward, config.mlpBias(), AS_STORED);
    }
    vector("model.norm.weight", hidden, AS_STORED);
    addOutput();
  }

  private void addFalcon(FalconConfig config) {
    RotaryConfig rotary = config.rotary();
    if (rotary == null || config.bias() || config.block() == FalconConfig.Block.SEQUENTIAL) {
      throw new ModelFormatException(
          directory
              + ": a Falcon with ALiBi, biases or sequential attention has no form in GGUF files;"
              + " supported: rotary embeddings, no biases, parallel attention");
    }
    writer.string("falcon.tensor_data_layout", "jploski");
    writer.float32("falcon.attention.layer_norm_epsilon", config.normEpsilon());
    describeRotary(rotary);
    int hidden = config.hiddenSize();
    int queryKeyValue = (config.heads() + 2 * config.keyValueHeads()) * config.headSize();
    matrix("transformer.word_embeddings", config.vocabularySize(), hidden);
    for (int i = 0; i < config.layers(); i++) {
      String layer = "transformer.h." + i + ".";
      if (config.block() == FalconConfig.Block.PARALLEL_TWO_NORMS) {
        norm(layer + "ln_attn", hidden);
        norm(layer + "ln_mlp", hidden);
      } else {
        norm(layer + "input_layernorm", hidden);
      }
      linear(
          layer + "self_attention.query_key_value",
          queryKeyValue,
          hidden,
          false,
          queriesKeysValues(config));
      matrix(layer + "self_attention.dense", hidden, hidden);
      matrix(layer + "mlp.dense_h_to_4h", config.feedForwardSize(), hidden);
      matrix(layer + "mlp.dense_4h_to_h", hidden, config.feedForwardSize());
    }
    norm("transformer.ln_f", hidden);
    addOutput();
  }

  private void addOutput() {
    if (!config.tiedEmbeddings()) {
      matrix("lm_head", config.vocabularySize(), config.hiddenSize());
    }
  }

  /**
   * Which row of a checkpoint, whose rotary pairs are (i, i + headSize / 2), is a row of a GGUF
   * file, whose pairs are (2i, 2i + 1).
   */
  private static IntUnaryOperator pairs(int headSize) {
    return row -> {
      int i = row % headSize;
      return row - i + i / 2 + (i % 2) * (headSize / 2);
    };
  }

  /**
   * Which row of a checkpoint, where each group of heads has its queries, keys and values together,
   * is a row of a GGUF file: all queries, then all keys, then all values.
   */
  private static IntUnaryOperator queriesKeysValues(FalconConfig config) {
    int size = config.headSize();
    int groups = config.queryKeyValueGroups();
    int queries = config.heads() / groups;
    int keys = config.keyValueHeads() / groups;
    return row -> {
      int head = row / size;
      int behindQueries = head - config.heads();
      int group;
      int headInGroup;
      if (behindQueries < 0) {
        group = head / queries;
        headInGroup = head % queries;
      } else {
        int keyOrValue = behindQueries % config.keyValueHeads();
        boolean value = behindQueries >= config.keyValueHeads();
        group = keyOrValue / keys;
        headInGroup = queries + keyOrValue % keys + (value ? keys : 0);
      }
      return (group * (queries + 2 * keys) + headInGroup) * size + row % size;
    };
  }

  private void linear(String module, int out, int in, boolean bias, IntUnaryOperator rowOrder) {
    add(source.required(module + ".weight", out, in), module + ".weight", type, rowOrder);
    if (bias) {
      vector(module + ".bias", out, rowOrder);
    }
  }

  private void matrix(String module, int rows, int columns) {
    linear(module, rows, columns, false, AS_STORED);
  }

  private void norm(String module, int size) {
    vector(module + ".weight", size, AS_STORED);
    vector(module + ".bias", size, AS_STORED);
  }

  private void vector(String name, int size, IntUnaryOperator order) {
    StoredTensor vector = source.required(name, size);
    tensors++;
    writer.tensor(
        names.toGguf(name),
        WeightType.F32,
        List.of((long) size),
        out -> {
          float[] numbers = new float[size];
          Dequantize.row(vector, 0, numbers);
          float[] ordered = new float[size];
          for (int i = 0; i < size; i++) {
            ordered[i] = numbers[order.applyAsInt(i)];
          }
          writeRow(out, ordered, WeightType.F32, name);
        });
  }

  private void add(StoredTensor matrix, String name, WeightType wanted, IntUnaryOperator rowOrder) {
    WeightType target = matrix.columns() % wanted.blockSize() == 0 ? wanted : matrix.type();
    tensors++;
    writer.tensor(
        names.toGguf(name),
        target,
        List.of((long) matrix.rows(), (long) matrix.columns()),
        out -> {
          float[] row = new float[matrix.columns()];
          for (int i = 0; i < matrix.rows(); i++) {
            Dequantize.row(matrix, rowOrder.applyAsInt(i), row);
            writeRow(out, row, target, name);
          }
        });
  }

  private void writeRow(OutputStream out, float[] row, WeightType type, String name)
      throws IOException {
    byte[] bytes = new byte[(int) type.bytes(row.length)];
    try {
      Quantize.fromFloats(type, row, MemorySegment.ofArray(bytes));
    } catch (IllegalArgumentException e) {
      throw new ModelFormatException(
          "%s: tensor %s: %s".formatted(source.fileOf(name), name, e.getMessage()), e);
    }
    out.write(bytes);
  }

  private void describeRotary(RotaryConfig rotary) {
    String prefix = config.family() + ".rope.";
    writer.float32(prefix + "freq_base", rotary.theta());
    switch (rotary.scaling()) {
      case RotaryScaling.None _ -> {}
      case RotaryScaling.Linear linear -> {
        writer.string(prefix + "scaling.type", "linear");
        writer.float32(prefix + "scaling.factor", linear.factor());
      }
      case RotaryScaling.Yarn yarn -> describeYarn(prefix + "scaling.", yarn);
      case RotaryScaling.Llama3 llama3 ->
          addRotaryDivisors(divisors(llama3, rotary.theta(), config.headSize()));
      case RotaryScaling.Divisors divisors -> {
        float[] numbers = new float[divisors.divisors().size()];
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = divisors.divisors().get(i);
        }
        addRotaryDivisors(numbers);
      }
      case RotaryScaling.Dynamic _ ->
          throw new ModelFormatException(
              directory
                  + ": rotary scaling of type dynamic has no form in GGUF files; supported:"
                  + " default, linear, llama3, yarn");
    }
  }

  private void describeYarn(String prefix, RotaryScaling.Yarn yarn) {
    if (!yarn.truncate()) {
      throw new ModelFormatException(
          directory + ": YaRN with truncate = false has no form in GGUF files; supported: true");
    }
    writer.string(prefix + "type", "yarn");
    writer.float32(prefix + "factor", yarn.factor());
    writer.uint32(prefix + "original_context_length", yarn.originalContextLength());
    writer.float32(
        prefix + "yarn_attn_factor",
        yarn.attentionFactor() / RotaryScaling.Yarn.defaultAttentionFactor(yarn.factor()));
    writer.float32(prefix + "yarn_beta_fast", yarn.betaFast());
    writer.float32(prefix + "yarn_beta_slow", yarn.betaSlow());
  }

  /** What Llama 3.1's scaling divides the frequency of each pair by. */
  private static float[] divisors(RotaryScaling.Llama3 scaling, double theta, int headSize) {
    double low = scaling.originalContextLength() / scaling.lowFrequencyFactor();
    double high = scaling.originalContextLength() / scaling.highFrequencyFactor();
    float[] divisors = new float[headSize / 2];
    for (int i = 0; i < divisors.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(theta, 2.0 * i / headSize);
      double smooth =
          (scaling.originalContextLength() / wavelength - scaling.lowFrequencyFactor())
              / (scaling.highFrequencyFactor() - scaling.lowFrequencyFactor());
      divisors[i] =
          (float)
              (wavelength < high
                  ? 1
                  : wavelength > low
                      ? scaling.factor()
                      : 1 / ((1 - smooth) / scaling.factor() + smooth));
    }
    return divisors;
  }

  private void addRotaryDivisors(float[] divisors) {
    tensors++;
    writer.tensor(
        GgufConfigReader.ROTARY_DIVISORS,
        WeightType.F32,
        List.of((long) divisors.length),
        out -> writeRow(out, divisors, WeightType.F32, GgufConfigReader.ROTARY_DIVISORS));
  }
}
