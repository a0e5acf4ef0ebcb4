package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
  @TempDir Path directory;

  @Test
  void theBytesAreThoseOfTheFormat() throws IOException {
    GgufWriter writer = new GgufWriter();
    writer.string("general.architecture", "llama");
    writer.uint32("n", -1);
    writer.strings("s", List.of("a", "é"));
    writer.integers("i", new int[] {-1});
    writer.floats("f", new float[] {0.5f});
    writer.bool("b", true);
    writer.tensor("m", WeightType.F16, List.of(3L, 2L), out -> out.write(new byte[12]));
    writer.tensor("v", WeightType.F32, List.of(1L), out -> out.write(new byte[] {1, 2, 3, 4}));
    Path path = directory.resolve("model.gguf");
    List<Integer> progress = new ArrayList<>();
    writer.write(path, progress::add);
    byte[] expected =
        GgufBytes.header(3, 2, 6)
            .text("general.architecture", "llama")
            .uint32("n", -1)
            .array("s", GgufBytes.STRING, 2)
            .string("a")
            .string("é")
            .array("i", 5, 1)
            .int32(-1)
            .array("f", GgufBytes.FLOAT32, 1)
            .int32(Float.floatToIntBits(0.5f))
            .string("b")
            .int32(7)
            .raw((byte) 1)
            .tensor("m", 1, 0, 2, 3)
            .tensor("v", 0, 32, 1)
            .data(0)
            .raw(new byte[32])
            .raw((byte) 1, (byte) 2, (byte) 3, (byte) 4)
            .raw(new byte[28])
            .toArray();
    assertThat(Files.readAllBytes(path)).isEqualTo(expected);
    assertThat(progress).containsExactly(1, 2);
  }

  @Test
  void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
    Path path = Files.writeString(directory.resolve("model.gguf"), "old");
    GgufWriter writer = new GgufWriter();
    writer.tensor(
        "t",
        WeightType.F32,
        List.of(1L),
        out -> {
          throw new IOException("the weights cannot be read");
        });
    assertThatThrownBy(() -> writer.write(path, _ -> {}))
        .isInstanceOf(IOException.class)
        .hasMessage("the weights cannot be read");
    assertThat(path).hasContent("old");
    assertThat(directory).isDirectoryNotContaining(p -> !p.equals(path));
  }

  @Test
  void aTensorOfAnotherSizeThanDeclaredIsAnError() {
    GgufWriter writer = new GgufWriter();
    writer.tensor("t", WeightType.F32, List.of(2L), out -> out.write(new byte[4]));
    Path path = directory.resolve("model.gguf");
    assertThatThrownBy(() -> writer.write(path, _ -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("tensor t: 4 bytes written, 8 declared");
    assertThat(path).doesNotExist();
  }
}
