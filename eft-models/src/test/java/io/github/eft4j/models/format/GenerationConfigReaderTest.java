package io.github.eft4j.models.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GenerationConfigReaderTest {
  @TempDir private Path directory;

  @Test
  void withoutAnyIdsTheFamilysDefaultsHold() throws IOException {
    assertThat(read("{'model_type': 'llama'}"))
        .isEqualTo(
            new GenerationConfig(
                Set.of(2), OptionalInt.of(1), OptionalInt.empty(), Optional.empty()));
    assertThat(read("{'model_type': 'falcon'}"))
        .isEqualTo(
            new GenerationConfig(
                Set.of(11), OptionalInt.of(11), OptionalInt.empty(), Optional.empty()));
  }

  @Test
  void configurationNamesIds() throws IOException {
    GenerationConfig config =
        read(
            "{'model_type': 'llama', 'eos_token_id': [7, 9], 'bos_token_id': null, 'pad_token_id':"
                + " 3}");
    assertThat(config.endOfTextIds()).containsExactlyInAnyOrder(7, 9);
    assertThat(config.beginningOfTextId()).isEmpty();
    assertThat(config.paddingId()).hasValue(3);
  }

  @Test
  void nullAndMinusOneMeanNone() throws IOException {
    assertThat(read("{'model_type': 'llama', 'eos_token_id': null}").endOfTextIds()).isEmpty();
    assertThat(read("{'model_type': 'llama', 'pad_token_id': -1}").paddingId()).isEmpty();
  }

  @Test
  void thePaddingIdMayLieBeyondTheVocabulary() throws IOException {
    assertThat(read("{'model_type': 'llama', 'pad_token_id': 32000}").paddingId()).hasValue(32000);
  }

  @Test
  void generationConfigurationOverridesIds() throws IOException {
    GenerationConfig config =
        read(
            "{'model_type': 'llama', 'eos_token_id': 7, 'bos_token_id': 5}",
            "{'eos_token_id': [8, 9]}");
    assertThat(config.endOfTextIds()).containsExactlyInAnyOrder(8, 9);
    assertThat(config.beginningOfTextId()).hasValue(5);
  }

  @Test
  void generationConfigurationRecommendsSampling() throws IOException {
    assertThat(
            read(
                    "{'model_type': 'llama'}",
                    "{'do_sample': true, 'temperature': 0.6, 'top_k': 0, 'top_p': 0.9}")
                .sampling())
        .contains(
            new SamplingDefaults(
                true, OptionalDouble.of(0.6), OptionalInt.of(0), OptionalDouble.of(0.9)));
    assertThat(read("{'model_type': 'llama'}", "{}").sampling())
        .contains(
            new SamplingDefaults(
                false, OptionalDouble.empty(), OptionalInt.empty(), OptionalDouble.empty()));
  }

  private static Stream<Arguments> refused() {
    return Stream.of(
        arguments(
            "{'eos_token_id': 32000}",
            "eos_token_id is 32000, expected token ids below the vocabulary size 32000"),
        arguments("{'eos_token_id': [2, -2]}", "eos_token_id is [2,-2], expected token ids"),
        arguments(
            "{'eos_token_id': 'x'}", "eos_token_id is \"x\", expected a token id or an array"),
        arguments("{'eos_token_id': [[2]]}", "eos_token_id is [[2]], expected a token id"),
        arguments("{'temperature': -1}", "temperature is -1, expected a non-negative number"),
        arguments("{'top_k': 1.5}", "top_k is 1.5, expected a non-negative integer"),
        arguments("{'top_k': -1}", "top_k is -1, expected a non-negative integer"),
        arguments("{'top_p': 'all'}", "top_p is \"all\", expected a non-negative number"),
        arguments("{'do_sample': 1}", "do_sample is 1, expected true or false"),
        arguments("{", "malformed JSON"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refuses(String generation, String message) {
    assertThatThrownBy(() -> read("{'model_type': 'llama'}", generation))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageStartingWith(directory.resolve("generation_config.json") + ": ")
        .hasMessageContaining(message);
  }

  /** Reads configurations, in which single quotes stand for double ones. */
  private GenerationConfig read(String config, String generation) throws IOException {
    Files.writeString(directory.resolve("generation_config.json"), generation.replace('\'', '"'));
    return read(config);
  }

  private GenerationConfig read(String config) throws IOException {
    Files.writeString(directory.resolve("config.json"), config.replace('\'', '"'));
    return HuggingFaceDirectory.read(directory).generation();
  }
}
