package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.eft4j.tensor.StoredTensor;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void nameFile() {
    file = directory.resolve("model.safetensors");
  }

  // ---- what is read ----

  @Test
  void readsMatricesAndVectorsOfThreeTypesInPlace() throws IOException {
    SafetensorsFiles.write(
        file,
        """
        {'__metadata__': {'format': 'pt'},
         'matrix': {'dtype': 'F32', 'shape': [2, 3], 'data_offsets': [0, 24]},
         'half': {'dtype': 'F16', 'shape': [5], 'data_offsets': [24, 34]},
         'brain': {'dtype': 'BF16', 'shape': [1, 2], 'data_offsets': [34, 38]}}
        """,
        38);
    try (Safetensors tensors = Safetensors.open(directory)) {
      StoredTensor matrix = tensors.required("matrix", 2, 3);
      assertThat(matrix.name()).isEqualTo("matrix");
      assertThat(matrix.type()).isEqualTo(WeightType.F32);
      assertThat(matrix.data().isMapped()).isTrue();
      assertThat(matrix.data().isReadOnly()).isTrue();
      assertThat(matrix.data().toArray(ValueLayout.JAVA_BYTE))
          .startsWith(0, 1, 2, 3)
          .endsWith(22, 23);
      StoredTensor half = tensors.required("half", 5);
      assertThat(half.type()).isEqualTo(WeightType.F16);
      assertThat(half.rows()).isEqualTo(1);
      assertThat(half.data().toArray(ValueLayout.JAVA_BYTE)).startsWith(24).endsWith(33);
      assertThat(tensors.optional("brain", 1, 2))
          .hasValueSatisfying(brain -> assertThat(brain.type()).isEqualTo(WeightType.BF16));
      assertThat(tensors.optional("none", 1, 2)).isEmpty();
      assertThat(tensors.tensors())
          .containsExactly(
              new TensorInfo("brain", "BF16", List.of(1L, 2L), 4),
              new TensorInfo("half", "F16", List.of(5L), 10),
              new TensorInfo("matrix", "F32", List.of(2L, 3L), 24));
      assertThat(tensors.contains("__metadata__")).isFalse();
    }
  }

  @Test
  void closingUnmapsAndMayBeRepeated() throws IOException {
    SafetensorsFiles.write(
        file, "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}", 4);
    Safetensors tensors = Safetensors.open(directory);
    StoredTensor tensor = tensors.get("a");
    tensors.close();
    tensors.close();
    assertThat(tensor.data().scope().isAlive()).isFalse();
  }

  @Test
  void headerMayBePaddedAndTensorsEmpty() throws IOException {
    SafetensorsFiles.write(
        file,
        """
        {'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]},
         'none': {'dtype': 'F32', 'shape': [0, 7], 'data_offsets': [4, 4]}}
        """
            + " ".repeat(9),
        4);
    try (Safetensors tensors = Safetensors.open(directory)) {
      assertThat(tensors.get("a").columns()).isEqualTo(1);
      assertThatThrownBy(() -> tensors.get("none"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor none has shape [0, 7], expected sizes from 1 to 2147483647");
    }
  }

  @Test
  void readsShards() throws IOException {
    writeShard("a.safetensors", "one");
    writeShard("b.safetensors", "two");
    writeIndex("{'weight_map': {'one': 'a.safetensors', 'two': 'b.safetensors'}}");
    try (Safetensors tensors = Safetensors.open(directory)) {
      assertThat(tensors.get("one").columns()).isEqualTo(1);
      assertThat(tensors.fileOf("one")).isEqualTo(directory.resolve("a.safetensors"));
      assertThat(tensors.fileOf("two")).isEqualTo(directory.resolve("b.safetensors"));
      assertThat(tensors.fileOf("three"))
          .isEqualTo(directory.resolve("model.safetensors.index.json"));
    }
  }

  // ---- what is refused ----

  private static Stream<Arguments> badHeaders() {
    return Stream.of(
        arguments("", "found JSON nothing, expected an object"),
        arguments("{'a': ", "malformed JSON: Unexpected end-of-input"),
        arguments("[]", "found JSON [], expected an object"),
        arguments("{'a': 1}", "a is 1, expected an object"),
        arguments("{} x", "malformed JSON"),
        arguments(
            """
            {'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]},
             'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]}}\
            """,
            "malformed JSON: Duplicate field 'a'"),
        arguments(
            "{'a': {'shape': [2], 'data_offsets': [0, 8]}}",
            "key a.dtype is missing, expected a string"),
        arguments(
            "{'a': {'dtype': 'F32', 'data_offsets': [0, 8]}}",
            "key a.shape is missing, expected an array of integers from 0"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [2]}}",
            "key a.data_offsets is missing, expected an array of integers from 0"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [-2], 'data_offsets': [0, 8]}}",
            "a.shape is [-2], expected an array of integers from 0"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [2.0], 'data_offsets': [0, 8]}}",
            "a.shape is [2.0], expected an array of integers from 0"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [99999999999999999999], 'data_offsets': [0, 8]}}",
            "a.shape is [99999999999999999999], expected an array of integers from 0 to 2^63 - 1"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [4294967296, 4294967296], 'data_offsets': [0, 8]}}",
            "a.shape is [4294967296,4294967296], expected sizes whose product fits 63 bits"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [8, 0]}}",
            "a.data_offsets is [8,0], expected the first byte and the one behind the last"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [8]}}",
            "a.data_offsets is [8], expected the first byte and the one behind the last"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [4], 'data_offsets': [0, 16]}}",
            "a.data_offsets is [0,16], expected at most the 8 bytes of tensors that the file has"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [3], 'data_offsets': [0, 8]}}",
            "tensor a has 8 bytes, but F32 [3] needs 12"),
        arguments(
            """
            {'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]},
             'b': {'dtype': 'U8', 'shape': [6], 'data_offsets': [2, 8]}}\
            """,
            "tensor b begins at byte 2, but overlaps tensor a, which ends at byte 4"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [4, 8]}}",
            "tensor a begins at byte 4, but the header ends at byte 0: the bytes between"),
        arguments(
            "{'a': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}",
            "8 bytes of tensors, but tensor a ends at byte 4: the bytes behind it"));
  }

  @ParameterizedTest
  @MethodSource("badHeaders")
  void refusesBadHeaders(String header, String message) throws IOException {
    SafetensorsFiles.write(file, header, 8);
    assertThatThrownBy(() -> Safetensors.open(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  private static Stream<Arguments> unsupported() {
    return Stream.of(
        arguments("I64", "[1]", "has dtype I64, supported are F32, F16 and BF16"),
        arguments("F8_E4M3", "[8]", "has dtype F8_E4M3, supported are F32, F16 and BF16"),
        arguments("NEW7", "[5]", "has dtype NEW7, supported are F32, F16 and BF16"),
        arguments("F32", "[]", "has shape [], expected one or two dimensions"),
        arguments("F16", "[2, 1, 2]", "has shape [2, 1, 2], expected one or two dimensions"));
  }

  @ParameterizedTest
  @MethodSource("unsupported")
  void listsButDoesNotGiveUnsupportedTensors(String dtype, String shape, String message)
      throws IOException {
    int bytes = shape.equals("[]") ? 4 : 8;
    SafetensorsFiles.write(
        file,
        "{'a': {'dtype': '%s', 'shape': %s, 'data_offsets': [0, %d]}}"
            .formatted(dtype, shape, bytes),
        bytes);
    try (Safetensors tensors = Safetensors.open(directory)) {
      assertThat(tensors.tensors())
          .singleElement()
          .satisfies(info -> assertThat(info.type()).isEqualTo(dtype))
          .satisfies(info -> assertThat(info.shape()).hasToString(shape));
      assertThatThrownBy(() -> tensors.get("a"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor a " + message);
    }
  }

  @Test
  void refusesOtherShapesThanTheConfigurationNeeds() throws IOException {
    SafetensorsFiles.write(
        file,
        """
        {'m': {'dtype': 'F32', 'shape': [2, 3], 'data_offsets': [0, 24]},
         'v': {'dtype': 'F32', 'shape': [2], 'data_offsets': [24, 32]}}
        """,
        32);
    try (Safetensors tensors = Safetensors.open(directory)) {
      assertThatThrownBy(() -> tensors.required("m", 3, 2))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor m has shape [2, 3], but the configuration needs [3, 2]");
      assertThatThrownBy(() -> tensors.optional("m", 3, 2))
          .isInstanceOf(ModelFormatException.class);
      assertThatThrownBy(() -> tensors.required("m", 6))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor m has shape [2, 3], but the configuration needs [6]");
      assertThatThrownBy(() -> tensors.required("v", 3))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor v has shape [2], but the configuration needs [3]");
      assertThatThrownBy(() -> tensors.required("v", 2, 2))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor v has shape [2], but the configuration needs [2, 2]");
      assertThatThrownBy(() -> tensors.required("w", 2))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(file + ": tensor w is missing");
    }
  }

  @Test
  void refusesFilesTooShortForALength() throws IOException {
    Files.write(file, new byte[0]);
    assertRefused(file + " has 0 bytes, expected at least the 8 of a safetensors header's length");
    Files.write(file, new byte[7]);
    assertRefused(file + " has 7 bytes, expected at least the 8 of a safetensors header's length");
  }

  @Test
  void refusesATruncatedHeader() throws IOException {
    SafetensorsFiles.write(file, 100, "{}".getBytes(StandardCharsets.UTF_8), new byte[5]);
    assertRefused(file + " is truncated: the header's length is 100 bytes, but only 7 follow");
  }

  @Test
  void refusesAnOversizedHeader() throws IOException {
    SafetensorsFiles.write(file, 100_000_001, new byte[2], new byte[0]);
    assertRefused(
        file
            + ": the header's length is 100000001 bytes, but safetensors allows at most 100000000");
    SafetensorsFiles.write(file, -1, new byte[2], new byte[0]);
    assertRefused(
        file
            + ": the header's length is 18446744073709551615 bytes, but safetensors allows at most"
            + " 100000000");
  }

  @Test
  void refusesAnOversizedHeaderThatIsReallyThere() throws IOException {
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.write(new byte[] {1, (byte) 0xe1, (byte) 0xf5, 5, 0, 0, 0, 0}); // 100,000,001
      sparse.setLength(200_000_000);
    }
    assertRefused(
        file
            + ": the header's length is 100000001 bytes, but safetensors allows at most 100000000");
  }

  @Test
  void refusesAHeaderThatIsNotUtf8() throws IOException {
    SafetensorsFiles.write(file, 4, new byte[] {'{', (byte) 0xff, '}', ' '}, new byte[0]);
    assertRefused(file + ": the JSON is not valid UTF-8");
  }

  @Test
  void refusesADirectoryInPlaceOfAFile() throws IOException {
    Files.createDirectory(file);
    assertRefused(file + " is not a file");
  }

  @Test
  void refusesADirectoryWithoutWeights() {
    assertRefused(directory + " has neither model.safetensors nor model.safetensors.index.json");
  }

  @Test
  void refusesAMissingShard() throws IOException {
    writeShard("a.safetensors", "one");
    Path index = writeIndex("{'weight_map': {'one': 'a.safetensors', 'two': 'b.safetensors'}}");
    assertRefused(index + ": the shard b.safetensors that holds tensor two does not exist");
  }

  @Test
  void refusesATensorThatItsShardLacks() throws IOException {
    writeShard("a.safetensors", "one");
    writeShard("b.safetensors", "two");
    Path index =
        writeIndex(
            "{'weight_map': {'one': 'a.safetensors', 'two': 'b.safetensors', 'x':"
                + " 'a.safetensors'}}");
    assertRefused(index + ": tensor x is not in a.safetensors, where the index has it");
    writeIndex("{'weight_map': {'one': 'b.safetensors', 'two': 'a.safetensors'}}");
    assertRefused(index + ": tensor one is not in b.safetensors, where the index has it");
  }

  @Test
  void refusesATensorInTwoShards() throws IOException {
    writeShard("a.safetensors", "one");
    writeShard("b.safetensors", "one");
    writeIndex("{'weight_map': {'one': 'a.safetensors', 'two': 'b.safetensors'}}");
    assertRefused(
        "tensor one is both in %s and in %s"
            .formatted(directory.resolve("a.safetensors"), directory.resolve("b.safetensors")));
  }

  private static Stream<Arguments> badIndices() {
    return Stream.of(
        arguments("{'weight_map': {'one': '../a.safetensors'}}", "weight_map.one is \"../a.saf"),
        arguments("{'weight_map': {'one': '/a.safetensors'}}", "weight_map.one is \"/a.safet"),
        arguments("{'weight_map': {'one': 'a.bin'}}", "weight_map.one is \"a.bin\", expected the"),
        arguments("{'weight_map': {'one': 3}}", "weight_map.one is 3, expected a string"),
        arguments("{'weight_map': []}", "weight_map is [], expected an object"),
        arguments("{}", "key weight_map is missing, expected an object"),
        arguments("{'weight_map': {", "malformed JSON"));
  }

  @ParameterizedTest
  @MethodSource("badIndices")
  void refusesBadIndices(String json, String message) throws IOException {
    writeShard("a.safetensors", "one");
    Path index = writeIndex(json);
    assertThatThrownBy(() -> Safetensors.open(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(index + ": ")
        .hasMessageContaining(message);
  }

  // ---- helpers ----

  private void assertRefused(String message) {
    assertThatThrownBy(() -> Safetensors.open(directory))
        .isInstanceOf(ModelFormatException.class)
        .hasMessage(message);
  }

  private void writeShard(String name, String tensor) throws IOException {
    SafetensorsFiles.write(
        directory.resolve(name),
        "{'" + tensor + "': {'dtype': 'F32', 'shape': [1], 'data_offsets': [0, 4]}}",
        4);
  }

  private Path writeIndex(String json) throws IOException {
    return Files.writeString(
        directory.resolve("model.safetensors.index.json"), json.replace('\'', '"'));
  }
}
