package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
  private static final int F32 = 0;
  private static final int Q8_0 = 8;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void tensorsAreMappedInPlace(int version) throws IOException {
    Path path =
        GgufBytes.header(version, 3, 1)
            .text("general.architecture", "llama")
            .tensor("vector", F32, 64, 3)
            .tensor("matrix", F32, 0, 4, 3)
            .tensor("blocks", Q8_0, 96, 32)
            .data(96 + 34)
            .write(directory);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.version()).isEqualTo(version);
      assertThat(file.path()).isEqualTo(path);
      assertThat(file.metadata().string("general.architecture")).contains("llama");
      assertThat(file.tensors())
          .containsExactly(
              new TensorInfo("blocks", "Q8_0", List.of(32L), 34),
              new TensorInfo("matrix", "F32", List.of(3L, 4L), 48),
              new TensorInfo("vector", "F32", List.of(3L), 12));
      StoredTensor matrix = file.tensor("matrix");
      assertThat(matrix.type()).isEqualTo(WeightType.F32);
      assertThat(matrix.rows()).isEqualTo(3);
      assertThat(matrix.columns()).isEqualTo(4);
      assertThat(matrix.data().isMapped()).isTrue();
      assertThat(matrix.data().isReadOnly()).isTrue();
      StoredTensor vector = file.tensor("vector");
      assertThat(vector.rows()).isEqualTo(1);
      assertThat(vector.data().toArray(ValueLayout.JAVA_BYTE)).startsWith(64, 65, 66).hasSize(12);
      assertThat(file.tensor("blocks").data().get(ValueLayout.JAVA_BYTE, 33))
          .isEqualTo((byte) (96 + 33));
    }
  }

  @Test
  void alignmentIsReadFromTheMetadata() throws IOException {
    byte[] head =
        GgufBytes.header(3, 1, 1).uint32("general.alignment", 8).tensor("t", F32, 8, 1).toArray();
    int start = (head.length + 7) / 8 * 8;
    byte[] bytes = Arrays.copyOf(head, start + 12);
    bytes[start + 8] = 42;
    try (GgufFile file = GgufFile.open(Files.write(directory.resolve("a.gguf"), bytes))) {
      assertThat(file.tensor("t").data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 42);
    }
  }

  @Test
  void aFileWithoutTensorsMayEndWithoutPadding() throws IOException {
    Path path = GgufBytes.header(3, 0, 1).uint32("k", 7).write(directory);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.tensors()).isEmpty();
      assertThat(file.metadata().integer("k")).hasValue(7);
    }
  }

  @Test
  void aTensorBeyondTwoGigabytesIsReadInPlace() throws IOException {
    long far = 3L << 30;
    byte[] head =
        GgufBytes.header(3, 2, 0)
            .tensor("near", F32, 0, 1)
            .tensor("far", F32, far, 1)
            .data(4)
            .toArray();
    Path path = Files.write(directory.resolve("large.gguf"), head);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      // Sparse: the file takes a few kilobytes of the disk.
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), head.length - 4 + far);
    }
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.tensor("far").data().toArray(ValueLayout.JAVA_BYTE))
          .containsExactly(1, 2, 3, 4);
    }
  }

  @Test
  void closingTwiceHasNoEffect() throws IOException {
    GgufFile file = GgufFile.open(GgufBytes.header(3, 0, 0).write(directory));
    file.close();
    file.close();
  }

  @Test
  void aMissingTensorIsNamed() throws IOException {
    Path path = GgufBytes.header(3, 0, 0).write(directory);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.contains("blk.0.attn_q.weight")).isFalse();
      assertThatThrownBy(() -> file.tensor("blk.0.attn_q.weight"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(path + ": there is no tensor blk.0.attn_q.weight");
    }
  }

  @Test
  void aTensorOfThreeDimensionsIsListedButNotRead() throws IOException {
    Path path =
        GgufBytes.header(3, 1, 0).tensor("experts", F32, 0, 2, 3, 2).data(48).write(directory);
    try (GgufFile file = GgufFile.open(path)) {
      assertThat(file.tensors())
          .containsExactly(new TensorInfo("experts", "F32", List.of(2L, 3L, 2L), 48));
      assertThatThrownBy(() -> file.tensor("experts"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(path + ": tensor experts has shape [2, 3, 2], expected 1 or 2 dimensions");
    }
  }

  @Test
  void aMissingFileIsAnIoError() {
    assertThatThrownBy(() -> GgufFile.open(directory.resolve("none.gguf")))
        .isInstanceOf(NoSuchFileException.class);
  }

  static Stream<Arguments> damagedFiles() {
    return Stream.of(
        Arguments.of(
            "magic number",
            new GgufBytes().raw("PK\3\4"),
            "not a GGUF file: begins with the bytes 504b0304, expected 47475546"),
        Arguments.of(
            "empty",
            new GgufBytes(),
            "magic number at byte 0 needs 4 bytes, but the file ends at byte 0"),
        Arguments.of(
            "version 1",
            GgufBytes.header(1, 0, 0),
            "GGUF version 1 is not supported, expected 2 or 3"),
        Arguments.of(
            "version 4",
            GgufBytes.header(4, 0, 0),
            "GGUF version 4 is not supported, expected 2 or 3"),
        Arguments.of(
            "big-endian",
            GgufBytes.header(0x03000000, 0, 0),
            "GGUF version 3 in big-endian byte order is not supported, expected 2 or 3"),
        Arguments.of(
            "tensor count",
            GgufBytes.header(3, 1L << 60, 0),
            "number of tensors is 1152921504606846976, but the 8 bytes left hold at most 0"),
        Arguments.of(
            "negative tensor count",
            GgufBytes.header(3, -1, 0),
            "number of tensors is 18446744073709551615, but the 8 bytes left hold at most 0"),
        Arguments.of(
            "pair count",
            GgufBytes.header(3, 0, 1 << 30).uint32("k", 1),
            "number of metadata pairs is 1073741824, but the 17 bytes left hold at most 1"),
        Arguments.of(
            "key length",
            GgufBytes.header(3, 0, 1).int64(1L << 40).raw("key").int32(GgufBytes.UINT32).int32(1),
            "metadata key 0 has a string of 1099511627776 bytes at byte 32, but the file ends at"
                + " byte 43"),
        Arguments.of(
            "negative string length",
            GgufBytes.header(3, 0, 1).string("k").int32(GgufBytes.STRING).int64(-2),
            "k has a string of 18446744073709551614 bytes at byte 45, but the file ends at byte"
                + " 45"),
        Arguments.of(
            "value type",
            GgufBytes.header(3, 0, 1).string("k").int32(13).int64(0),
            "k has the unknown value type 13, expected 0 to 12"),
        Arguments.of(
            "truncated value",
            GgufBytes.header(3, 0, 1).string("kk").int32(10).int32(0),
            "kk at byte 38 needs 8 bytes, but the file ends at byte 42"),
        Arguments.of(
            "array count",
            GgufBytes.header(3, 0, 1).array("k", GgufBytes.UINT32, 1L << 61).int32(0),
            "number of elements of k is 2305843009213693952, but the 4 bytes left hold at most 1"),
        Arguments.of(
            "array element type",
            GgufBytes.header(3, 0, 1).array("k", 99, 1).int32(0),
            "k has the unknown value type 99, expected 0 to 12"),
        Arguments.of(
            "string in an array",
            GgufBytes.header(3, 0, 1).array("k", GgufBytes.STRING, 2).string("a").int64(7),
            "k has a string of 7 bytes at byte 66, but the file ends at byte 66"),
        Arguments.of("deep arrays", nested(9), "k is an array nested more than 8 deep"),
        Arguments.of(
            "duplicate key",
            GgufBytes.header(3, 0, 2).uint32("k", 1).uint32("k", 2),
            "metadata key k occurs twice"),
        Arguments.of(
            "alignment 0",
            GgufBytes.header(3, 0, 1).uint32("general.alignment", 0),
            "general.alignment is 0, expected a power of two up to 1073741824"),
        Arguments.of(
            "alignment 24",
            GgufBytes.header(3, 0, 1).uint32("general.alignment", 24),
            "general.alignment is 24, expected a power of two up to 1073741824"),
        Arguments.of(
            "huge alignment",
            GgufBytes.header(3, 0, 1).uint32("general.alignment", 0x80000000),
            "general.alignment is 2147483648, expected a power of two up to 1073741824"),
        Arguments.of(
            "alignment of the wrong type",
            GgufBytes.header(3, 0, 1).text("general.alignment", "32"),
            "general.alignment is string, expected an integer"),
        Arguments.of(
            "dimensions",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, 1, 1, 1, 1, 1).data(4),
            "tensor t has 5 dimensions, expected at most 4"),
        Arguments.of(
            "dimension 0",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, 4, 0).data(4),
            "dimension 1 of tensor t is 0, expected a positive number (4 weights before it)"),
        Arguments.of(
            "overflowing dimensions",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, 1L << 32, 1L << 32).data(4),
            "dimension 1 of tensor t is 4294967296, expected a positive number (4294967296 weights"
                + " before it)"),
        Arguments.of(
            "negative dimension",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, -4).data(4),
            "dimension 0 of tensor t is 18446744073709551612, expected a positive number (1 weights"
                + " before it)"),
        Arguments.of(
            "tensor type",
            GgufBytes.header(3, 1, 0).tensor("t", 10, 0, 256).data(84),
            "tensor t has type 10, supported are F32 (0), F16 (1), BF16 (30), Q8_0 (8), Q4_0 (2),"
                + " Q4_1 (3), Q5_0 (6), Q5_1 (7), Q4_K (12), Q5_K (13), Q6_K (14)"),
        Arguments.of(
            "part of a block",
            GgufBytes.header(3, 1, 0).tensor("t", Q8_0, 0, 33).data(64),
            "tensor t has rows of 33 weights, not a multiple of the 32 weights of a Q8_0 block"),
        Arguments.of(
            "misaligned tensor",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 16, 1).data(64),
            "tensor t begins at offset 16, expected a multiple of the alignment 32"),
        Arguments.of(
            "negative offset",
            GgufBytes.header(3, 1, 0).tensor("t", F32, -32, 1).data(64),
            "tensor t begins at offset 18446744073709551584, expected a multiple of the alignment"
                + " 32"),
        Arguments.of(
            "offset beyond the file",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 64, 1).data(64),
            "tensor t has 4 bytes at offset 64, but the file holds 64 bytes of tensor data"),
        Arguments.of(
            "truncated data",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, 16).data(63),
            "tensor t has 64 bytes at offset 0, but the file holds 63 bytes of tensor data"),
        Arguments.of(
            "tensor larger than any file",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, 1L << 58).data(64),
            "tensor t has 1152921504606846976 bytes at offset 0, but the file holds 64 bytes of"
                + " tensor data"),
        Arguments.of(
            "no data at all",
            GgufBytes.header(3, 1, 0).tensor("t", F32, 0, 1),
            "tensor t has 4 bytes at offset 0, but the file holds 0 bytes of tensor data"),
        Arguments.of(
            "overlap",
            GgufBytes.header(3, 2, 0).tensor("b", F32, 32, 1).tensor("a", F32, 0, 9).data(64),
            "tensors a (bytes 0 to 36 of the tensor data) and b (from byte 32) overlap"),
        Arguments.of(
            "duplicate tensor",
            GgufBytes.header(3, 2, 0).tensor("t", F32, 0, 1).tensor("t", F32, 32, 1).data(64),
            "tensor t occurs twice"));
  }

  private static GgufBytes nested(int depth) {
    GgufBytes bytes = GgufBytes.header(3, 0, 1).string("k").int32(GgufBytes.ARRAY);
    for (int i = 0; i < depth; i++) {
      bytes.int32(GgufBytes.ARRAY).int64(1);
    }
    return bytes.int32(GgufBytes.UINT32).int64(1).int32(5);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("damagedFiles")
  void aDamagedFileIsRefused(String name, GgufBytes bytes, String message) throws IOException {
    Path path = bytes.write(directory);
    assertThatThrownBy(() -> GgufFile.open(path).close())
        .as(name)
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(path + ": " + message);
  }
}
