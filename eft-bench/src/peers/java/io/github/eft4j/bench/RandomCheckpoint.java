package io.github.eft4j.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A Llama model with random weights as a Hugging Face directory, for programs that read no GGUF
 * files. Norms are vectors of ones, which costs as much as any others.
 *
 * @param shape the shape
 * @param type how its tensors are stored: F32 or BF16
 */
record RandomCheckpoint(ModelShape shape, WeightType type) {
  RandomCheckpoint {
    if (type != WeightType.F32 && type != WeightType.BF16) {
      throw new IllegalArgumentException("type is " + type + ", expected F32 or BF16");
    }
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PERIOD_WEIGHTS = 1 << 21;

  private static final Map<String, String> LAYER_NAMES =
      Map.of(
          "attn_q", "self_attn.q_proj",
          "attn_k", "self_attn.k_proj",
          "attn_v", "self_attn.v_proj",
          "attn_output", "self_attn.o_proj",
          "ffn_gate", "mlp.gate_proj",
          "ffn_up", "mlp.up_proj",
          "ffn_down", "mlp.down_proj");

  /**
   * A tensor of the file.
   *
   * @param name its name
   * @param shape its dimensions
   */
  private record Entry(String name, List<Integer> shape) {
    long weights() {
      return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    boolean isNorm() {
      return shape.size() == 1;
    }
  }

  /**
   * The model's directory, which is written unless it is there from an earlier run.
   *
   * @param parent where the models are kept
   * @return the directory
   * @throws IOException if it cannot be written
   */
  Path directory(Path parent) throws IOException {
    Path directory = parent.resolve("random-%s-%s".formatted(shape.name(), type));
    Path weights = directory.resolve("model.safetensors");
    if (!Files.exists(weights)) {
      Files.createDirectories(directory);
      JSON.writeValue(directory.resolve("config.json").toFile(), config());
      JSON.writeValue(directory.resolve("tokenizer.json").toFile(), tokenizer());
      Path temporary = directory.resolve("model.safetensors.part");
      try (OutputStream out = Files.newOutputStream(temporary)) {
        write(out);
      }
      Files.move(temporary, weights);
    }
    return directory;
  }

  private ObjectNode config() {
    ObjectNode config = JSON.createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    return config
        .put("model_type", "llama")
        .put("hidden_size", shape.hidden())
        .put("intermediate_size", shape.feedForward())
        .put("num_hidden_layers", shape.layers())
        .put("num_attention_heads", shape.heads())
        .put("num_key_value_heads", shape.keyValueHeads())
        .put("vocab_size", shape.vocabulary())
        .put("max_position_embeddings", 2048)
        .put("hidden_act", "silu")
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 10000.0)
        .put("tie_word_embeddings", false)
        .put("bos_token_id", 1)
        .put("eos_token_id", 2);
  }

  private ObjectNode tokenizer() {
    ObjectNode tokenizer = JSON.createObjectNode();
    tokenizer.putArray("added_tokens");
    ObjectNode model = tokenizer.putObject("model").put("type", "BPE");
    model.put("byte_fallback", false).putArray("merges");
    ObjectNode vocabulary = model.putObject("vocab");
    IntStream.range(0, shape.vocabulary()).forEach(i -> vocabulary.put("t" + i, i));
    return tokenizer;
  }

  private List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (ModelShape.Tensor matrix : shape.matrices()) {
      entries.add(new Entry(name(matrix.name()), List.of(matrix.rows(), matrix.columns())));
    }
    for (int layer = 0; layer < shape.layers(); layer++) {
      String prefix = "model.layers." + layer;
      entries.add(new Entry(prefix + ".input_layernorm.weight", List.of(shape.hidden())));
      entries.add(new Entry(prefix + ".post_attention_layernorm.weight", List.of(shape.hidden())));
    }
    entries.add(new Entry("model.norm.weight", List.of(shape.hidden())));
    return entries;
  }

  /** The name in a Hugging Face checkpoint of a matrix of a GGUF file. */
  private static String name(String gguf) {
    return switch (gguf) {
      case "token_embd.weight" -> "model.embed_tokens.weight";
      case "output.weight" -> "lm_head.weight";
      default -> {
        String[] parts = gguf.split("\\.", -1); // blk, the layer, its matrix, weight
        yield "model.layers.%s.%s.weight".formatted(parts[1], LAYER_NAMES.get(parts[2]));
      }
    };
  }

  private void write(OutputStream out) throws IOException {
    ObjectNode header = JSON.createObjectNode();
    long offset = 0;
    for (Entry entry : entries()) {
      ObjectNode info = header.putObject(entry.name).put("dtype", type.name());
      info.set("shape", JSON.valueToTree(entry.shape));
      long end = offset + type.bytes(entry.weights());
      info.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    String text = header.toString();
    byte[] head = (text + " ".repeat(-text.length() & 7)).getBytes(StandardCharsets.UTF_8);
    out.write(
        ByteBuffer.allocate(Long.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(head.length)
            .array());
    out.write(head);
    byte[] period = new byte[(int) type.bytes(PERIOD_WEIGHTS)];
    RandomWeights.fill(type, MemorySegment.ofArray(period), 1);
    for (Entry entry : entries()) {
      if (entry.isNorm()) {
        out.write(ones());
      } else {
        long left = type.bytes(entry.weights());
        while (left > 0) {
          int length = (int) Math.min(left, period.length);
          out.write(period, 0, length);
          left -= length;
        }
      }
    }
  }

  private byte[] ones() {
    ByteBuffer bytes =
        ByteBuffer.allocate((int) type.bytes(shape.hidden())).order(ByteOrder.LITTLE_ENDIAN);
    int one = Float.floatToRawIntBits(1);
    while (bytes.hasRemaining()) {
      if (type == WeightType.F32) {
        bytes.putInt(one);
      } else {
        bytes.putShort((short) (one >>> 16));
      }
    }
    return bytes.array();
  }
}
