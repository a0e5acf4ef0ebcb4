package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.models.config.FalconConfig;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.config.ModelConfig;
import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.RotaryLayout;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GgufConfigReaderTest {
  private static final float EPSILON = 1e-5f;

  @TempDir Path directory;

  private ModelConfig read(Consumer<GgufWriter> content) throws IOException {
    GgufWriter writer = new GgufWriter();
    content.accept(writer);
    Path path = directory.resolve("model.gguf");
    writer.write(path, _ -> {});
    try (GgufFile file = GgufFile.open(path)) {
      return file.config();
    }
  }

  private static void llama(GgufWriter writer) {
    writer.string("general.architecture", "llama");
    writer.uint32("llama.context_length", 512);
    writer.uint32("llama.embedding_length", 64);
    writer.uint32("llama.block_count", 1);
    writer.uint32("llama.feed_forward_length", 96);
    writer.uint32("llama.attention.head_count", 4);
    writer.float32("llama.attention.layer_norm_rms_epsilon", EPSILON);
    tensor(writer, "token_embd.weight", 10, 64);
  }

  private static void falcon(GgufWriter writer) {
    writer.string("general.architecture", "falcon");
    writer.uint32("falcon.context_length", 512);
    writer.uint32("falcon.embedding_length", 64);
    writer.uint32("falcon.block_count", 1);
    writer.uint32("falcon.feed_forward_length", 256);
    writer.uint32("falcon.attention.head_count", 4);
    writer.uint32("falcon.attention.head_count_kv", 2);
    writer.float32("falcon.attention.layer_norm_epsilon", EPSILON);
    tensor(writer, "token_embd.weight", 10, 64);
  }

  private static void tensor(GgufWriter writer, String name, long... shape) {
    long size = 1;
    for (long dimension : shape) {
      size *= dimension;
    }
    byte[] bytes = new byte[(int) (4 * size)];
    // A half-precision 1 repeated is, as F32, a positive number.
    for (int i = 1; i < bytes.length; i += 2) {
      bytes[i] = 0x3f;
    }
    writer.tensor(
        name,
        WeightType.F32,
        Arrays.stream(shape).boxed().toList(),
        (OutputStream out) -> out.write(bytes));
  }

  @Test
  void aLlamaWithDefaults() throws IOException {
    assertThat(read(GgufConfigReaderTest::llama))
        .isEqualTo(
            new LlamaConfig(
                64,
                1,
                4,
                4,
                16,
                96,
                10,
                512,
                EPSILON,
                true,
                false,
                false,
                new RotaryConfig(10000, new RotaryScaling.None(), RotaryLayout.PAIRS)));
  }

  @Test
  void aLlamaThatSaysAll() throws IOException {
    assertThat(
            read(
                writer -> {
                  llama(writer);
                  writer.uint32("llama.vocab_size", 10);
                  writer.uint32("llama.attention.head_count_kv", 2);
                  writer.uint32("llama.attention.key_length", 24);
                  writer.uint32("llama.attention.value_length", 24);
                  writer.uint32("llama.rope.dimension_count", 24);
                  writer.float32("llama.rope.freq_base", 500000);
                  tensor(writer, "blk.0.attn_q.bias", 64);
                  tensor(writer, "blk.0.ffn_up.bias", 96);
                  tensor(writer, "output.weight", 10, 64);
                }))
        .isEqualTo(
            new LlamaConfig(
                64,
                1,
                4,
                2,
                24,
                96,
                10,
                512,
                EPSILON,
                false,
                true,
                true,
                new RotaryConfig(500000, new RotaryScaling.None(), RotaryLayout.PAIRS)));
  }

  @Test
  void theHeadSizeIsWhatRotates() throws IOException {
    assertThat(
            read(writer -> {
                  llama(writer);
                  writer.uint32("llama.rope.dimension_count", 24);
                })
                .headSize())
        .isEqualTo(24);
  }

  @Test
  void falconsWithOneAndTwoNorms() throws IOException {
    FalconConfig oneNorm =
        new FalconConfig(
            64,
            1,
            4,
            2,
            256,
            10,
            512,
            EPSILON,
            true,
            false,
            FalconConfig.Block.PARALLEL_ONE_NORM,
            1,
            new RotaryConfig(10000, new RotaryScaling.None(), RotaryLayout.HALVES));
    assertThat(read(GgufConfigReaderTest::falcon)).isEqualTo(oneNorm);
    FalconConfig twoNorms =
        (FalconConfig)
            read(
                writer -> {
                  falcon(writer);
                  writer.string("falcon.tensor_data_layout", "jploski");
                  tensor(writer, "blk.0.attn_norm_2.weight", 64);
                  tensor(writer, "output.weight", 10, 64);
                });
    assertThat(twoNorms.block()).isEqualTo(FalconConfig.Block.PARALLEL_TWO_NORMS);
    assertThat(twoNorms.tiedEmbeddings()).isFalse();
  }

  static Stream<Arguments> scalings() {
    return Stream.of(
        Arguments.of(
            "none",
            (Consumer<GgufWriter>) w -> w.string("llama.rope.scaling.type", "none"),
            new RotaryScaling.None()),
        Arguments.of(
            "linear",
            (Consumer<GgufWriter>)
                w -> {
                  w.string("llama.rope.scaling.type", "linear");
                  w.float32("llama.rope.scaling.factor", 2.5);
                },
            new RotaryScaling.Linear(2.5)),
        Arguments.of(
            "linear, as written until August 2023",
            (Consumer<GgufWriter>) w -> w.float32("llama.rope.scale_linear", 4),
            new RotaryScaling.Linear(4)),
        Arguments.of(
            "YaRN with defaults",
            (Consumer<GgufWriter>)
                w -> {
                  w.string("llama.rope.scaling.type", "yarn");
                  w.float32("llama.rope.scaling.factor", 4);
                },
            new RotaryScaling.Yarn(4, 512, 0.1 * Math.log(4) + 1, 32, 1, true)),
        Arguments.of(
            "YaRN that says all",
            (Consumer<GgufWriter>)
                w -> {
                  w.string("llama.rope.scaling.type", "yarn");
                  w.float32("llama.rope.scaling.factor", 4);
                  w.uint32("llama.rope.scaling.original_context_length", 128);
                  w.float32("llama.rope.scaling.attn_factor", 0.5);
                  w.float32("llama.rope.scaling.yarn_attn_factor", 3);
                  w.float32("llama.rope.scaling.yarn_beta_fast", 16);
                  w.float32("llama.rope.scaling.yarn_beta_slow", 2);
                  w.float32("llama.rope.scaling.yarn_ext_factor", 1);
                },
            new RotaryScaling.Yarn(4, 128, 1.5 * (0.1 * Math.log(4) + 1), 16, 2, true)),
        Arguments.of(
            "divisors",
            (Consumer<GgufWriter>) w -> divisors(w, 1, 2, 4, 8),
            new RotaryScaling.Divisors(List.of(1f, 2f, 4f, 8f))),
        Arguments.of(
            "divisors and linear",
            (Consumer<GgufWriter>)
                w -> {
                  divisors(w, 1, 2, 4, 8);
                  w.float32("llama.rope.scaling.factor", 2);
                },
            new RotaryScaling.Divisors(List.of(2f, 4f, 8f, 16f))));
  }

  private static void divisors(GgufWriter writer, float... divisors) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * divisors.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float divisor : divisors) {
      bytes.putFloat(divisor);
    }
    writer.uint32("llama.rope.dimension_count", 2 * divisors.length);
    writer.tensor(
        "rope_freqs.weight",
        WeightType.F32,
        List.of((long) divisors.length),
        out -> out.write(bytes.array()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scalings")
  void rotaryScalings(String name, Consumer<GgufWriter> content, RotaryScaling expected)
      throws IOException {
    LlamaConfig config =
        (LlamaConfig)
            read(
                writer -> {
                  llama(writer);
                  content.accept(writer);
                });
    assertThat(config.rotary().scaling()).as(name).isEqualTo(expected);
  }

  static Stream<Arguments> unsupported() {
    return Stream.of(
        llama(
            w -> w.uint32("llama.expert_count", 8),
            "llama.expert_count is 8, supported: 0, no mixture of experts"),
        llama(
            w -> w.uint32("llama.rope.dimension_count", 8),
            w -> w.uint32("llama.attention.key_length", 16),
            "llama.rope.dimension_count is 8, supported: 16"),
        llama(
            w -> w.uint32("llama.attention.value_length", 32),
            "llama.attention.value_length is 32, supported: 16"),
        llama(
            w -> w.uint32("llama.attention.head_count_kv", 3),
            "number of attention heads 4 is not a multiple of the number of key/value heads 3"),
        llama(
            w -> w.uint32("llama.attention.head_count_kv", 0),
            "llama.attention.head_count_kv is 0, expected 1 to 2147483647"),
        llama(
            w -> w.uint32("llama.attention.head_count_kv", -1),
            "llama.attention.head_count_kv is 4294967295, expected 1 to 2147483647"),
        llama(
            w -> w.integers("llama.attention.head_count_kv", new int[] {4}),
            "llama.attention.head_count_kv is an array of int32, expected an integer"),
        llama(
            w -> w.float32("llama.rope.freq_base", 0),
            "rotary base is 0.0, expected a positive finite number"),
        llama(
            w -> w.string("llama.rope.scaling.type", "longrope"),
            "llama.rope.scaling.type is longrope, supported: none, linear, yarn"),
        llama(
            w -> w.string("llama.rope.scaling.type", "yarn"),
            w -> w.float32("llama.rope.scaling.yarn_log_multiplier", 0.5),
            "llama.rope.scaling.yarn_log_multiplier is 0.5, supported: 0.0"),
        llama(
            w -> w.string("llama.rope.scaling.type", "yarn"),
            w -> divisors(w, 1, 1),
            "tensor rope_freqs.weight together with llama.rope.scaling.type is not supported"),
        llama(
            w -> w.uint32("llama.attention.key_length", 16),
            w -> tensor(w, "rope_freqs.weight", 16),
            "tensor rope_freqs.weight has shape [1, 16], expected [8]"),
        Arguments.of(
            (Consumer<GgufWriter>) w -> w.string("general.architecture", "qwen2"),
            "general.architecture is qwen2, supported: llama, falcon"),
        Arguments.of((Consumer<GgufWriter>) w -> {}, "there is no general.architecture"),
        Arguments.of(
            (Consumer<GgufWriter>) w -> w.string("general.architecture", "llama"),
            "there is no llama.embedding_length"),
        Arguments.of(
            (Consumer<GgufWriter>)
                w -> {
                  falcon(w);
                  w.string("falcon.tensor_data_layout", "interleaved");
                },
            "falcon.tensor_data_layout is interleaved, supported: jploski (all queries, all keys,"
                + " all values)"));
  }

  private static Arguments llama(Consumer<GgufWriter> content, String message) {
    Consumer<GgufWriter> all = GgufConfigReaderTest::llama;
    return Arguments.of(all.andThen(content), message);
  }

  private static Arguments llama(
      Consumer<GgufWriter> content, Consumer<GgufWriter> more, String message) {
    return llama(content.andThen(more), message);
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("unsupported")
  void whatIsNotSupportedIsRefused(Consumer<GgufWriter> content, String message) {
    assertThatThrownBy(() -> read(content))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(directory.resolve("model.gguf") + ": " + message);
  }

  @Test
  void aNumberOfLayersThatTheFileCannotHoldIsRefused() {
    assertThatThrownBy(
            () ->
                read(
                    writer -> {
                      writer.string("general.architecture", "llama");
                      writer.uint32("llama.embedding_length", 64);
                      writer.uint32("llama.attention.head_count", 4);
                      writer.uint32("llama.block_count", 2_000_000_000);
                    }))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageEndingWith("llama.block_count is 2000000000, but there are only 0 tensors");
  }
}
