package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class SafetensorsPropertyTest {
  private static final byte[] HEADER =
      """
      {"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},\
      "b":{"dtype":"BF16","shape":[4],"data_offsets":[16,24]}}\
      """
          .getBytes(StandardCharsets.UTF_8);

  private static final int DATA_BYTES = 24;

  @Property
  void aDamagedHeaderIsRefusedOrReadWithinItsBounds(
      @ForAll @IntRange(min = 0, max = 1_000_000) int position,
      @ForAll byte value,
      @ForAll @IntRange(min = 0, max = 4) int cut)
      throws IOException {
    Path directory = Files.createTempDirectory("damaged");
    Path file = directory.resolve("model.safetensors");
    try {
      SafetensorsFiles.write(file, HEADER.length, HEADER, new byte[DATA_BYTES]);
      byte[] bytes = Files.readAllBytes(file);
      bytes[position % (Long.BYTES + HEADER.length)] = value;
      Files.write(file, Arrays.copyOf(bytes, bytes.length - cut));
      readAll(directory);
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }

  private static void readAll(Path directory) throws IOException {
    try (Safetensors tensors = Safetensors.open(directory)) {
      for (TensorInfo tensor : tensors.tensors()) {
        byte[] data = tensors.get(tensor.name()).data().toArray(ValueLayout.JAVA_BYTE);
        assertThat(data).hasSize((int) tensor.bytes()).containsOnly(0);
      }
    } catch (ModelFormatException e) {
      assertThat(e).hasMessageStartingWith(directory.toString());
    }
  }
}
