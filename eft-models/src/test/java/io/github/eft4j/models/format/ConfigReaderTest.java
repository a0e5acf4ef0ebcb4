package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.RotaryLayout;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigReaderTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static final RotaryConfig PLAIN =
      new RotaryConfig(10000, new RotaryScaling.None(), RotaryLayout.HALVES);

  @TempDir private Path directory;

  // ---- the generations of config.json ----

  private static Stream<Arguments> goldenModels() {
    return Stream.of(
        arguments(
            "llama-mha",
            new LlamaConfig(64, 3, 4, 4, 16, 172, 320, 128, 1e-5f, false, false, false, PLAIN)),
        arguments(
            "llama-gqa",
            new LlamaConfig(64, 2, 8, 2, 8, 136, 320, 128, 1e-6f, false, false, false, PLAIN)),
        arguments("llama-bf16", grouped(false, false)),
        arguments("llama-f16", grouped(false, false)),
        arguments("llama-bias", grouped(false, true)),
        arguments("llama-tied", grouped(true, false)),
        arguments(
            "llama-headdim",
            new LlamaConfig(64, 2, 4, 2, 24, 172, 320, 128, 1e-5f, false, false, false, PLAIN)),
        arguments(
            "llama-mlpbias",
            new LlamaConfig(64, 2, 4, 4, 16, 172, 320, 128, 1e-5f, false, true, true, PLAIN)),
        arguments(
            "llama-sharded",
            new LlamaConfig(64, 3, 4, 4, 16, 128, 320, 128, 1e-5f, false, false, false, PLAIN)),
        arguments("llama-rope-linear", scaled(128, 10000, new RotaryScaling.Linear(2.5), 4)),
        arguments(
            "llama-rope-dynamic",
            scaled(Integer.MAX_VALUE, 10000, new RotaryScaling.Dynamic(2, 16), 4)),
        arguments("llama3-rope", scaled(512, 500000, new RotaryScaling.Llama3(8, 1, 4, 64), 2)),
        arguments(
            "llama-rope-yarn",
            scaled(
                64, 10000, new RotaryScaling.Yarn(4, 16, 0.1 * Math.log(4) + 1, 32, 1, true), 4)),
        arguments(
            "falcon-7b-like",
            falcon(4, 1, true, false, FalconConfig.Block.PARALLEL_ONE_NORM, PLAIN)),
        arguments(
            "falcon-40b-like",
            falcon(8, 2, true, false, FalconConfig.Block.PARALLEL_TWO_NORMS, PLAIN)),
        arguments(
            "falcon-11b-like",
            falcon(8, 2, false, false, FalconConfig.Block.PARALLEL_ONE_NORM, PLAIN)),
        arguments(
            "falcon-rw-like", falcon(16, 16, true, true, FalconConfig.Block.SEQUENTIAL, null)),
        arguments(
            "falcon-rw-oddheads",
            new FalconConfig(
                60,
                2,
                6,
                6,
                240,
                320,
                2048,
                1e-5f,
                true,
                true,
                FalconConfig.Block.SEQUENTIAL,
                6,
                null)));
  }

  private static LlamaConfig grouped(boolean tied, boolean attentionBias) {
    return new LlamaConfig(
        64, 2, 4, 2, 16, 172, 320, 128, 1e-5f, tied, attentionBias, false, PLAIN);
  }

  private static LlamaConfig scaled(
      int contextLength, double theta, RotaryScaling scaling, int keyValueHeads) {
    return new LlamaConfig(
        64,
        2,
        4,
        keyValueHeads,
        16,
        172,
        320,
        contextLength,
        1e-5f,
        false,
        false,
        false,
        new RotaryConfig(theta, scaling, RotaryLayout.HALVES));
  }

  private static FalconConfig falcon(
      int heads,
      int keyValueHeads,
      boolean tied,
      boolean bias,
      FalconConfig.Block block,
      @Nullable RotaryConfig rotary) {
    return new FalconConfig(
        64,
        2,
        heads,
        keyValueHeads,
        256,
        320,
        2048,
        1e-5f,
        tied,
        bias,
        block,
        keyValueHeads,
        rotary);
  }

  @ParameterizedTest
  @MethodSource("goldenModels")
  void everyGenerationDescribesTheSameModel(String model, ModelConfig expected) throws Exception {
    Path golden = resource("/golden/" + model);
    int generations = 0;
    for (String file : List.of("config.json", "config-legacy.json", "config-v5.json")) {
      if (Files.exists(golden.resolve(file))) {
        assertThat(ConfigReader.read(JsonObject.read(golden.resolve(file))))
            .as(file)
            .isEqualTo(expected);
        generations++;
      }
    }
    // YaRN is younger than the legacy configurations.
    assertThat(generations).isEqualTo(model.equals("llama-rope-yarn") ? 2 : 3);
  }

  @Test
  void llamaHasTheDocumentedDefaults() throws IOException {
    assertThat(read("{'model_type': 'llama'}"))
        .isEqualTo(
            new LlamaConfig(
                4096, 32, 32, 32, 128, 11008, 32000, 2048, 1e-6f, false, false, false, PLAIN));
  }

  @Test
  void falconHasTheDocumentedDefaults() throws IOException {
    assertThat(read("{'model_type': 'falcon'}"))
        .isEqualTo(
            new FalconConfig(
                4544,
                32,
                71,
                1,
                4 * 4544,
                65024,
                2048,
                1e-5f,
                true,
                false,
                FalconConfig.Block.PARALLEL_ONE_NORM,
                1,
                PLAIN));
  }

  @Test
  void readsTheFirstFalconConfigurations() throws IOException {
    assertThat(
            read(
                """
                {'architectures': ['RWForCausalLM'], 'model_type': 'RefinedWeb', 'bias': false,
                 'hidden_size': 8192, 'n_head': 128, 'n_head_kv': 8, 'n_layer': 60,
                 'parallel_attn': true, 'alibi': false, 'vocab_size': 65024,
                 'apply_residual_connection_post_layernorm': false, 'torch_dtype': 'bfloat16'}
                """))
        .isEqualTo(
            new FalconConfig(
                8192,
                60,
                128,
                8,
                4 * 8192,
                65024,
                2048,
                1e-5f,
                true,
                false,
                FalconConfig.Block.PARALLEL_TWO_NORMS,
                8,
                PLAIN));
    assertThat(
            read(
                """
                {'architectures': ['RWForCausalLM'], 'model_type': 'RefinedWebModel',
                 'hidden_size': 4544, 'n_head': 71, 'n_layer': 32, 'multi_query': true,
                 'parallel_attn': true, 'alibi': false, 'bias': false}
                """))
        .isEqualTo(read("{'model_type': 'falcon'}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"7b", "40b", "180b"})
  void readsPublishedFalconConfigurations(String size) throws IOException {
    Path file = realData().resolve("falcon-tokenizer/config_" + size + ".json");
    FalconConfig config = (FalconConfig) ConfigReader.read(JsonObject.read(file));
    assertThat(config.vocabularySize()).isEqualTo(65024);
    assertThat(config.headSize()).isEqualTo(64);
    assertThat(config.tiedEmbeddings()).isTrue();
    assertThat(config.keyValueHeads()).isEqualTo(size.equals("7b") ? 1 : 8);
    assertThat(config.block())
        .isEqualTo(
            size.equals("7b")
                ? FalconConfig.Block.PARALLEL_ONE_NORM
                : FalconConfig.Block.PARALLEL_TWO_NORMS);
  }

  @Test
  void yarnTakesAllItsOptions() throws IOException {
    assertThat(
            rotary(
                """
                {'rope_type': 'yarn', 'factor': 40, 'original_max_position_embeddings': 4096,
                 'mscale': 0.707, 'mscale_all_dim': 1.5, 'beta_fast': 16, 'beta_slow': 2,
                 'truncate': false}
                """))
        .isEqualTo(
            new RotaryScaling.Yarn(
                40,
                4096,
                (0.1 * 0.707 * Math.log(40) + 1) / (0.1 * 1.5 * Math.log(40) + 1),
                16,
                2,
                false));
    assertThat(rotary("{'type': 'yarn', 'factor': 0.5, 'finetuned': true}"))
        .isEqualTo(new RotaryScaling.Yarn(0.5, 2048, 1, 32, 1, true));
    assertThat(
            rotary(
                """
                {'rope_type': 'yarn', 'original_max_position_embeddings': 512,
                 'attention_factor': 1.25}
                """))
        .isEqualTo(new RotaryScaling.Yarn(4, 512, 1.25, 32, 1, true));
  }

  @Test
  void rotaryParametersHoldTheBase() throws IOException {
    LlamaConfig config =
        (LlamaConfig)
            read(
                """
                {'model_type': 'llama', 'rope_theta': 1.0,
                 'rope_parameters': {'rope_theta': 5e5, 'rope_type': 'default'}}
                """);
    assertThat(config.rotary().theta()).isEqualTo(5e5);
  }

  // ---- what is refused, and how it says so ----

  private static Stream<Arguments> refusedLlama() {
    return Stream.of(
        arguments("hidden_act", "'gelu'", "hidden_act is \"gelu\", expected one of silu, swish"),
        arguments("hidden_act", "1", "hidden_act is 1, expected a string"),
        arguments(
            "architectures",
            "['LlamaForSequenceClassification']",
            "architectures is [\"LlamaForSequenceClassification\"], expected only"
                + " LlamaForCausalLM"),
        arguments(
            "quantization_config",
            "{'bits': 4}",
            "quantization_config is {\"bits\":4}, expected none"),
        arguments(
            "dtype", "'float8_e4m3fn'", "dtype is \"float8_e4m3fn\", expected one of float32"),
        arguments(
            "torch_dtype", "'int8'", "torch_dtype is \"int8\", expected one of float32, float16"),
        arguments("hidden_size", "0", "hidden_size is 0, expected a positive integer"),
        arguments("hidden_size", "-64", "hidden_size is -64, expected a positive integer"),
        arguments("hidden_size", "64.5", "hidden_size is 64.5, expected a positive integer"),
        arguments("hidden_size", "'64'", "hidden_size is \"64\", expected a positive integer"),
        arguments("hidden_size", "null", "hidden_size is null, expected a positive integer"),
        arguments(
            "hidden_size", "3000000000", "hidden_size is 3000000000, expected a positive integer"),
        arguments(
            "hidden_size",
            "65",
            "hidden_size is 65, expected a multiple of the 4 of num_attention_heads"),
        arguments("num_hidden_layers", "0", "num_hidden_layers is 0, expected a positive integer"),
        arguments(
            "num_key_value_heads",
            "3",
            "num_key_value_heads is 3, expected a divisor of the 4 of num_attention_heads"),
        arguments("head_dim", "15", "head size is 15, but rotary embeddings need an even one"),
        arguments(
            "head_dim", "2147483646", "4 attention heads of size 2147483646 are more than a row"),
        arguments("rms_norm_eps", "0", "rms_norm_eps is 0, expected a positive number"),
        arguments("rms_norm_eps", "1e999", "rms_norm_eps is "),
        arguments(
            "tie_word_embeddings", "'yes'", "tie_word_embeddings is \"yes\", expected true or"),
        arguments("rope_theta", "-1", "rope_theta is -1, expected a positive number"),
        arguments("partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5, expected 1"),
        arguments("rope_scaling", "[]", "rope_scaling is [], expected an object"),
        arguments(
            "rope_scaling",
            "{'rope_type': 'longrope', 'factor': 2}",
            "rope_scaling.rope_type is \"longrope\", expected one of default, linear, dynamic"),
        arguments(
            "rope_scaling",
            "{'type': 'su'}",
            "rope_scaling.type is \"su\", expected one of default, linear, dynamic, llama3, yarn"),
        arguments(
            "rope_scaling",
            "{'factor': 2}",
            "key rope_scaling.rope_type is missing, expected one of default, linear"),
        arguments(
            "rope_scaling",
            "{'type': 'linear'}",
            "key rope_scaling.factor is missing, expected a positive number"),
        arguments(
            "rope_scaling",
            "{'type': 'linear', 'factor': 0}",
            "rope_scaling.factor is 0, expected a positive number"),
        arguments(
            "rope_scaling",
            "{'type': 'linear', 'factor': 2, 'extrapolation_factor': 2}",
            "rope_scaling.extrapolation_factor is 2, expected no such key"),
        arguments(
            "rope_scaling",
            """
            {'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 4, 'high_freq_factor': 1,
             'original_max_position_embeddings': 64}\
            """,
            "low-frequency factor 4.0 is not below the high-frequency factor 1.0"),
        arguments(
            "rope_scaling",
            "{'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 1, 'high_freq_factor': 4}",
            "rope_scaling.original_max_position_embeddings is missing"),
        arguments(
            "rope_parameters",
            "{'full_attention': {'rope_type': 'default'}}",
            "rope_parameters.full_attention is {\"rope_type\":\"default\"}, expected no such key"),
        arguments(
            "rope_parameters",
            "{'rope_type': 'default', 'partial_rotary_factor': 0.25}",
            "rope_parameters.partial_rotary_factor is 0.25, expected 1"));
  }

  @ParameterizedTest
  @MethodSource("refusedLlama")
  void refusesLlama(String key, String value, String message) throws Exception {
    assertRefused("llama-mha", key, value, message);
  }

  private static Stream<Arguments> refusedFalcon() {
    return Stream.of(
        arguments(
            "falcon-7b-like",
            "activation",
            "'gelu_new'",
            "activation is \"gelu_new\", expected one of gelu"),
        arguments(
            "falcon-7b-like",
            "architectures",
            "['FalconModel']",
            "architectures is [\"FalconModel\"], expected only FalconForCausalLM or RWForCausalLM"),
        arguments(
            "falcon-7b-like",
            "num_attention_heads",
            "3",
            "num_attention_heads is 3, expected a divisor of the 64 of hidden_size"),
        arguments(
            "falcon-7b-like",
            "num_ln_in_parallel_attn",
            "2",
            "num_ln_in_parallel_attn is 2, expected 1 or null where new_decoder_architecture"),
        arguments(
            "falcon-7b-like",
            "apply_residual_connection_post_layernorm",
            "true",
            "apply_residual_connection_post_layernorm is true, expected false"),
        arguments(
            "falcon-40b-like",
            "num_ln_in_parallel_attn",
            "3",
            "num_ln_in_parallel_attn is 3, expected 1 or 2"),
        arguments(
            "falcon-40b-like",
            "parallel_attn",
            "false",
            "parallel_attn is false, expected true where new_decoder_architecture is true"),
        arguments(
            "falcon-40b-like",
            "num_kv_heads",
            "3",
            "num_kv_heads is 3, expected a divisor of the 8 of num_attention_heads"),
        arguments(
            "falcon-rw-like",
            "num_kv_heads",
            "4",
            "num_kv_heads is 4, expected 16, as num_attention_heads"),
        arguments("falcon-rw-like", "alibi", "1", "alibi is 1, expected true or false"));
  }

  @ParameterizedTest
  @MethodSource("refusedFalcon")
  void refusesFalcon(String model, String key, String value, String message) throws Exception {
    assertRefused(model, key, value, message);
  }

  @Test
  void refusesOtherArchitectures() {
    assertThatThrownBy(() -> read("{'model_type': 'mistral'}"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(
            directory.resolve("config.json")
                + ": model_type is \"mistral\", expected llama or falcon, RefinedWeb,"
                + " RefinedWebModel");
    assertThatThrownBy(() -> read("{}"))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("config.json: key model_type is missing, expected llama or falcon");
  }

  @Test
  void refusesBothKindsOfRotaryKeys() {
    assertThatThrownBy(
            () ->
                read(
                    """
                    {'model_type': 'llama', 'rope_scaling': {'type': 'linear', 'factor': 2},
                     'rope_parameters': {'rope_type': 'default'}}
                    """))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("config.json: rope_scaling is {\"type\":\"linear\"");
  }

  private static Stream<Arguments> malformed() {
    return Stream.of(
        arguments("{", "config.json: malformed JSON: Unexpected end-of-input"),
        arguments("", "config.json: found JSON nothing, expected an object"),
        arguments("[1]", "config.json: found JSON [1], expected an object"),
        arguments("{} {}", "config.json: malformed JSON: Trailing token"),
        arguments(
            "{'vocab_size': 3, 'vocab_size': 4}",
            "config.json: malformed JSON: Duplicate field 'vocab_size'"),
        arguments("{'a': NaN}", "config.json: malformed JSON: Non-standard token 'NaN'"));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void refusesMalformedJson(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining(message);
  }

  @Test
  void refusesBytesThatAreNotUtf8() throws IOException {
    Files.write(directory.resolve("config.json"), new byte[] {'{', '"', (byte) 0xC0, '"'});
    assertThatThrownBy(() -> HuggingFaceDirectory.read(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageEndingWith("config.json: the JSON is not valid UTF-8");
  }

  @Test
  void refusesAMissingOrStrangeConfiguration() throws IOException {
    assertThatThrownBy(() -> HuggingFaceDirectory.read(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(directory.resolve("config.json") + " does not exist");
    Files.createDirectory(directory.resolve("config.json"));
    assertThatThrownBy(() -> HuggingFaceDirectory.read(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(directory.resolve("config.json") + " is not a file");
  }

  // ---- helpers ----

  private void assertRefused(String model, String key, String value, String message)
      throws Exception {
    ObjectNode config =
        (ObjectNode)
            // The oldest generation, which states the least, so that the key is not contradicted.
            MAPPER.readTree(resource("/golden/" + model).resolve("config-legacy.json").toFile());
    config.set(key, MAPPER.readTree(value.replace('\'', '"')));
    assertThatThrownBy(() -> read(config.toString()))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(directory.resolve("config.json") + ": ")
        .hasMessageContaining(message);
  }

  private RotaryScaling rotary(String scaling) throws IOException {
    LlamaConfig config =
        (LlamaConfig) read("{'model_type': 'llama', 'rope_scaling': " + scaling + "}");
    return config.rotary().scaling();
  }

  /** Reads a configuration, in which single quotes stand for double ones. */
  private ModelConfig read(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json.replace('\'', '"'));
    return HuggingFaceDirectory.read(directory).config();
  }

  private static Path resource(String name) throws URISyntaxException {
    return Path.of(Objects.requireNonNull(ConfigReaderTest.class.getResource(name)).toURI());
  }

  /** Published files that are not ours to ship. */
  private static Path realData() {
    Path real = Path.of("../../shared/real");
    Assumptions.assumeTrue(Files.isDirectory(real), "no ../shared/real beside the checkout");
    return real;
  }
}
