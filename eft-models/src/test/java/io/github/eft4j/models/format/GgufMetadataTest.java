package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufMetadataTest {
  @TempDir Path directory;

  /** One key of every type, named after it. */
  private GgufFile everyType() throws IOException {
    return GgufFile.open(
        GgufBytes.header(3, 0, 17)
            .string("uint8")
            .int32(0)
            .raw((byte) 200)
            .string("int8")
            .int32(1)
            .raw((byte) -56)
            .string("uint16")
            .int32(2)
            .raw((byte) 0xff, (byte) 0xff)
            .string("int16")
            .int32(3)
            .raw((byte) 0xff, (byte) 0xff)
            .string("uint32")
            .int32(4)
            .int32(-1)
            .string("int32")
            .int32(5)
            .int32(-1)
            .string("float32")
            .int32(6)
            .int32(Float.floatToIntBits(0.1f))
            .string("bool")
            .int32(7)
            .raw((byte) 1)
            .string("string")
            .int32(8)
            .string("grüße")
            .string("uint64")
            .int32(10)
            .int64(1L << 40)
            .string("int64")
            .int32(11)
            .int64(-5)
            .string("float64")
            .int32(12)
            .int64(Double.doubleToLongBits(0.1))
            .string("huge")
            .int32(10)
            .int64(-1)
            .array("strings", GgufBytes.STRING, 2)
            .string("a")
            .string("")
            .array("int16s", 3, 2)
            .raw((byte) 1, (byte) 0, (byte) 0xfe, (byte) 0xff)
            .array("float64s", 12, 1)
            .int64(Double.doubleToLongBits(1.5))
            .array("arrays", GgufBytes.ARRAY, 2)
            .int32(GgufBytes.STRING)
            .int64(1)
            .string("x")
            .int32(GgufBytes.UINT32)
            .int64(0)
            .write(directory));
  }

  @Test
  void valuesOfEveryTypeAreRead() throws IOException {
    try (GgufFile file = everyType()) {
      GgufMetadata metadata = file.metadata();
      assertThat(metadata.integer("uint8")).hasValue(200);
      assertThat(metadata.integer("int8")).hasValue(-56);
      assertThat(metadata.integer("uint16")).hasValue(65535);
      assertThat(metadata.integer("int16")).hasValue(-1);
      assertThat(metadata.integer("uint32")).hasValue(4294967295L);
      assertThat(metadata.integer("int32")).hasValue(-1);
      assertThat(metadata.integer("uint64")).hasValue(1L << 40);
      assertThat(metadata.integer("int64")).hasValue(-5);
      assertThat(metadata.number("float32")).hasValue(0.1f);
      assertThat(metadata.number("float64")).hasValue(0.1);
      assertThat(metadata.bool("bool")).contains(true);
      assertThat(metadata.string("string")).contains("grüße");
      assertThat(metadata.strings("strings"))
          .hasValueSatisfying(strings -> assertThat(strings).containsExactly("a", ""));
      assertThat(metadata.integers("int16s"))
          .hasValueSatisfying(integers -> assertThat(integers).containsExactly(1, -2));
      assertThat(metadata.floats("float64s"))
          .hasValueSatisfying(floats -> assertThat(floats).containsExactly(1.5f));
      assertThat(metadata.keys()).hasSize(17).startsWith("uint8").endsWith("arrays");
    }
  }

  @Test
  void aMissingKeyIsEmpty() throws IOException {
    try (GgufFile file = everyType()) {
      GgufMetadata metadata = file.metadata();
      assertThat(metadata.string("none")).isEmpty();
      assertThat(metadata.integer("none")).isEmpty();
      assertThat(metadata.number("none")).isEmpty();
      assertThat(metadata.bool("none")).isEmpty();
      assertThat(metadata.strings("none")).isEmpty();
      assertThat(metadata.integers("none")).isEmpty();
      assertThat(metadata.floats("none")).isEmpty();
    }
  }

  @Test
  void aValueOfAnotherTypeIsRefused() throws IOException {
    try (GgufFile file = everyType()) {
      GgufMetadata metadata = file.metadata();
      String start = file.path() + ": ";
      assertThatThrownBy(() -> metadata.string("uint8"))
          .isInstanceOf(ModelFormatException.class)
          .hasMessage(start + "uint8 is uint8, expected a string");
      assertThatThrownBy(() -> metadata.integer("float32"))
          .hasMessage(start + "float32 is float32, expected an integer");
      assertThatThrownBy(() -> metadata.integer("strings"))
          .hasMessage(start + "strings is an array of string, expected an integer");
      assertThatThrownBy(() -> metadata.integer("huge"))
          .hasMessage(start + "huge is 18446744073709551615, expected at most 9223372036854775807");
      assertThatThrownBy(() -> metadata.number("int32"))
          .hasMessage(start + "int32 is int32, expected a floating-point number");
      assertThatThrownBy(() -> metadata.bool("string"))
          .hasMessage(start + "string is string, expected a bool");
      assertThatThrownBy(() -> metadata.strings("arrays"))
          .hasMessage(start + "arrays is an array of array, expected an array of string");
      assertThatThrownBy(() -> metadata.integers("uint8"))
          .hasMessage(start + "uint8 is uint8, expected an array of integers");
      assertThatThrownBy(() -> metadata.floats("int16s"))
          .hasMessage(start + "int16s is an array of int16, expected a floating-point number");
    }
  }
}
