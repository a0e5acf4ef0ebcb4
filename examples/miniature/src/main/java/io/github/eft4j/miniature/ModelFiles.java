package io.github.eft4j.miniature;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.models.format.Safetensors;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Writes and reads models as Hugging Face directories, in BF16. */
final class ModelFiles {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> SPECIAL = List.of(Vocabulary.BEGINNING, Vocabulary.END);
  private static final int BF16_BITS = 16;
  private static final ValueLayout.OfShort LITTLE_ENDIAN_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private ModelFiles() {}

  /** Writes the tokenizer and the chat template. */
  static void writeTokenizer(Path directory, BytePairEncoding encoding) throws IOException {
    Files.createDirectories(directory);
    writeJson(directory.resolve("tokenizer.json"), encoding.json(SPECIAL));
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    config.put("bos_token", Vocabulary.BEGINNING);
    config.put("eos_token", Vocabulary.END);
    config.put("pad_token", Vocabulary.END);
    config.put("model_max_length", Vocabulary.CONTEXT_LENGTH);
    writeJson(directory.resolve("tokenizer_config.json"), config);
    Files.writeString(directory.resolve("chat_template.jinja"), Vocabulary.CHAT_TEMPLATE);
  }

  /** Writes a model; its tokenizer is copied from another directory. */
  static void write(Path directory, Network network, float[] weights, Path tokenizer)
      throws IOException {
    Files.createDirectories(directory);
    for (String file : List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")) {
      Files.write(directory.resolve(file), Files.readAllBytes(tokenizer.resolve(file)));
    }
    writeModel(directory, network, weights);
  }

  /**
   * Writes a model that reads pairs of texts; its tokenizer is that of another directory, and puts
   * {@link Vocabulary#BEGINNING} before the first text and {@link Vocabulary#END} behind each.
   */
  static void writeForPairs(Path directory, Network network, float[] weights, Path tokenizer)
      throws IOException {
    Files.createDirectories(directory);
    ObjectNode json = (ObjectNode) JSON.readTree(tokenizer.resolve("tokenizer.json").toFile());
    json.set("post_processor", JSON.valueToTree(pairs()));
    writeJson(directory.resolve("tokenizer.json"), json);
    writeModel(directory, network, weights);
  }

  private static Map<String, Object> pairs() {
    List<Object> single =
        List.of(special(Vocabulary.BEGINNING, 0), sequence("A", 0), special(Vocabulary.END, 0));
    List<Object> pair = new ArrayList<>(single);
    pair.add(sequence("B", 1));
    pair.add(special(Vocabulary.END, 1));
    Map<String, Object> ids = new LinkedHashMap<>();
    for (int id = 0; id < SPECIAL.size(); id++) {
      String token = SPECIAL.get(id);
      ids.put(token, Map.of("id", token, "ids", List.of(id), "tokens", List.of(token)));
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("type", "TemplateProcessing");
    json.put("single", single);
    json.put("pair", pair);
    json.put("special_tokens", ids);
    return json;
  }

  private static Map<String, Object> special(String token, int type) {
    return Map.of("SpecialToken", new TreeMap<>(Map.of("id", token, "type_id", type)));
  }

  private static Map<String, Object> sequence(String name, int type) {
    return Map.of("Sequence", new TreeMap<>(Map.of("id", name, "type_id", type)));
  }

  private static void writeModel(Path directory, Network network, float[] weights)
      throws IOException {
    Map<String, Object> config = new LinkedHashMap<>(network.config());
    config.put("vocab_size", Vocabulary.SIZE);
    config.putIfAbsent("max_position_embeddings", Vocabulary.CONTEXT_LENGTH);
    config.put("bos_token_id", Vocabulary.BEGINNING_ID);
    config.put("eos_token_id", Vocabulary.END_ID);
    config.put("pad_token_id", Vocabulary.END_ID);
    config.put("torch_dtype", "bfloat16");
    writeJson(directory.resolve("config.json"), config);
    writeWeights(directory.resolve("model.safetensors"), network, weights);
  }

  static void writeJson(Path file, Object content) throws IOException {
    Files.writeString(
        file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(content) + "\n");
  }

  private static void writeWeights(Path file, Network network, float[] weights) throws IOException {
    Map<String, Object> header = new LinkedHashMap<>();
    header.put("__metadata__", Map.of("format", "pt"));
    long offset = 0;
    for (Parameter parameter : network.parameters()) {
      long end = offset + (long) parameter.size() * Short.BYTES;
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("dtype", "BF16");
      entry.put("shape", parameter.shape().getShape());
      entry.put("data_offsets", new long[] {offset, end});
      header.put(parameter.name(), entry);
      offset = end;
    }
    byte[] json = JSON.writeValueAsBytes(header);
    int padding = -json.length & (Long.BYTES - 1);
    ByteBuffer data =
        ByteBuffer.allocate(Long.BYTES + json.length + padding + Math.toIntExact(offset))
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(json.length + padding)
            .put(json)
            .put(" ".repeat(padding).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    for (float weight : weights) {
      data.putShort(bf16(weight));
    }
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(data.array());
    }
  }

  /** The nearest BF16 number, the even one of two. */
  static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int odd = (bits >>> BF16_BITS) & 1;
    return (short) ((bits + 0x7fff + odd) >>> BF16_BITS);
  }

  /** Reads the weights of a model that {@link #write} wrote. */
  static float[] read(Path directory, Network network) throws IOException {
    float[] weights = new float[network.size()];
    int offset = 0;
    try (TensorSource tensors = Safetensors.open(directory)) {
      for (Parameter parameter : network.parameters()) {
        StoredTensor tensor = tensors.get(parameter.name());
        if (tensor.type() != WeightType.BF16
            || (long) tensor.rows() * tensor.columns() != parameter.size()) {
          throw new IOException(
              "%s: %s is %s [%d, %d], expected BF16 with %d values"
                  .formatted(
                      directory,
                      parameter.name(),
                      tensor.type(),
                      tensor.rows(),
                      tensor.columns(),
                      parameter.size()));
        }
        for (int i = 0; i < parameter.size(); i++) {
          weights[offset++] =
              Float.intBitsToFloat(tensor.data().getAtIndex(LITTLE_ENDIAN_SHORT, i) << BF16_BITS);
        }
      }
    }
    return weights;
  }
}
