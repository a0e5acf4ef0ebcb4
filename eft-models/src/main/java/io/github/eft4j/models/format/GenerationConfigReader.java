package io.github.eft4j.models.format;

import io.github.eft4j.models.config.ModelConfig;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Reads {@code generation_config.json}, and from {@code config.json} what is not said there. */
final class GenerationConfigReader {
  private final JsonObject config;
  private final @Nullable JsonObject generation;

  private GenerationConfigReader(JsonObject config, @Nullable JsonObject generation) {
    this.config = config;
    this.generation = generation;
  }

  static GenerationConfig read(
      ModelConfig model, JsonObject config, @Nullable JsonObject generation) {
    var reader = new GenerationConfigReader(config, generation);
    int size = model.vocabularySize();
    // The documented defaults of LlamaConfig and FalconConfig.
    boolean llama = model.family().equals("llama");
    return new GenerationConfig(
        reader.ids("eos_token_id", Set.of(llama ? 2 : 11), size),
        first(reader.ids("bos_token_id", Set.of(llama ? 1 : 11), size)),
        // Nothing is ever padded here, so an id that the vocabulary lacks does no harm.
        first(reader.ids("pad_token_id", Set.of(), Integer.MAX_VALUE)),
        Optional.ofNullable(generation).map(GenerationConfigReader::sampling));
  }

  private Set<Integer> ids(String key, Set<Integer> absent, int vocabularySize) {
    JsonObject source = generation != null && generation.has(key) ? generation : config;
    if (!source.mentions(key)) {
      return absent;
    }
    Set<Integer> ids = new TreeSet<>();
    for (int id : source.ids(key)) {
      if (id < -1 || id >= vocabularySize) {
        throw source.error(key, "token ids below the vocabulary size " + vocabularySize);
      }
      // Early conversions of Llama write -1 for none.
      if (id >= 0) {
        ids.add(id);
      }
    }
    return ids;
  }

  private static OptionalInt first(Set<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).findFirst();
  }

  private static SamplingDefaults sampling(JsonObject generation) {
    return new SamplingDefaults(
        generation.bool("do_sample", false),
        generation.nonNegative("temperature"),
        generation.natural("top_k"),
        generation.nonNegative("top_p"));
  }
}
