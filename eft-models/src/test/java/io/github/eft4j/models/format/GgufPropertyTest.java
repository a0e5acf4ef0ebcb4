package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.tensor.Dequantize;
import io.github.eft4j.tensor.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import org.jspecify.annotations.Nullable;

/** Whatever happens to a file, it is read within its bounds or refused with its name. */
class GgufPropertyTest {
  private static final int DATA_BYTES = 64 + 102;

  private static final byte[] FILE =
      GgufBytes.header(3, 2, 14)
          .text("general.architecture", "llama")
          .uint32("general.alignment", 32)
          .uint32("llama.context_length", 8)
          .uint32("llama.embedding_length", 4)
          .uint32("llama.block_count", 1)
          .uint32("llama.feed_forward_length", 8)
          .uint32("llama.attention.head_count", 2)
          .float32("llama.attention.layer_norm_rms_epsilon", 1e-5f)
          .text("tokenizer.ggml.model", "llama")
          .array("tokenizer.ggml.tokens", GgufBytes.STRING, 3)
          .string("a")
          .string("b")
          .string("▁")
          .array("tokenizer.ggml.scores", GgufBytes.FLOAT32, 3)
          .int32(0)
          .int32(0)
          .int32(0)
          .uint32("tokenizer.ggml.eos_token_id", 2)
          .array("nested", GgufBytes.ARRAY, 1)
          .int32(GgufBytes.UINT32)
          .int64(1)
          .int32(7)
          .text("tokenizer.chat_template", "{{ x }}")
          .tensor("token_embd.weight", 8, 64, 32, 3)
          .tensor("output_norm.weight", 0, 0, 4)
          .data(DATA_BYTES)
          .toArray();

  private @Nullable Path directory;

  @BeforeProperty
  void makeDirectory() throws IOException {
    directory = Files.createTempDirectory("damaged");
  }

  @AfterProperty
  void deleteDirectory() throws IOException {
    Path made = directory();
    Files.deleteIfExists(made.resolve("model.gguf"));
    Files.delete(made);
  }

  private Path directory() {
    return Objects.requireNonNull(directory);
  }

  @Property(tries = 1)
  void theSoundFileIsRead() throws IOException {
    assertThat(refusal(FILE)).isNull();
  }

  @Property(tries = 1)
  void everyTruncationIsRefused() throws IOException {
    for (int length = 0; length < FILE.length; length++) {
      assertThat(refusal(Arrays.copyOf(FILE, length))).as("%d bytes", length).isNotNull();
    }
  }

  @Property(tries = 1)
  void everyByteMayBeDamaged() throws IOException {
    for (int at = 0; at < FILE.length - DATA_BYTES; at++) {
      for (int value : new int[] {0, 255, FILE[at] + 1}) {
        byte[] damaged = FILE.clone();
        damaged[at] = (byte) value;
        refusal(damaged);
      }
    }
  }

  @Property(tries = 300)
  void severalBytesMayBeDamaged(@ForAll @Size(max = 4) int[] positions, @ForAll byte value)
      throws IOException {
    byte[] damaged = FILE.clone();
    for (int position : positions) {
      damaged[Math.floorMod(position, FILE.length)] = value;
    }
    refusal(damaged);
  }

  @Property(tries = 300)
  void everyFieldMayHoldAnyNumber(
      @ForAll @IntRange(min = 0, max = 1_000_000) int position, @ForAll long value)
      throws IOException {
    byte[] damaged = FILE.clone();
    int at = position % (FILE.length - Long.BYTES);
    for (int i = 0; i < Long.BYTES; i++) {
      damaged[at + i] = (byte) (value >>> (8 * i));
    }
    refusal(damaged);
  }

  /** Reads all of a file, and returns why it is refused, or null if it is not. */
  private @Nullable String refusal(byte[] bytes) throws IOException {
    Path path = Files.write(directory().resolve("model.gguf"), bytes);
    try (GgufFile file = GgufFile.open(path)) {
      for (TensorInfo info : file.tensors()) {
        StoredTensor tensor = file.tensor(info.name());
        Dequantize.row(tensor, tensor.rows() - 1, new float[tensor.columns()]);
      }
      file.config();
      file.generation();
      file.vocabulary();
      file.chatTemplate();
      file.checkpointTensors().tensors();
      return null;
    } catch (ModelFormatException e) {
      assertThat(e).hasMessageStartingWith(path.toString());
      return e.getMessage();
    }
  }
}
