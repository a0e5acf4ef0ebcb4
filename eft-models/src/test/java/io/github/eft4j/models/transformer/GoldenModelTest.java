package io.github.eft4j.models.transformer;

import static io.github.eft4j.models.transformer.GoldenModels.all;
import static io.github.eft4j.models.transformer.GoldenModels.argMax;
import static io.github.eft4j.models.transformer.GoldenModels.forward;
import static io.github.eft4j.models.transformer.GoldenModels.fresh;
import static io.github.eft4j.models.transformer.GoldenModels.last;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the forward passes against what Hugging Face's own code computes. */
@ParameterizedClass(name = "{0} on {1}")
@MethodSource("modelsAndOps")
class GoldenModelTest {
  private static final int PROMPTS = 3;

  /** The releases that wrote such configurations knew no such models. */
  private static final Set<String> NO_LEGACY = Set.of("llama-rope-yarn");

  static Stream<Arguments> modelsAndOps() {
    return GoldenModels.OPS.stream()
        .flatMap(
            ops ->
                GoldenModels.NAMES.stream()
                    .map(name -> Arguments.of(name, Named.of(ops.name(), ops))));
  }

  private final String name;
  private final TensorOps ops;
  private final GoldenTensors golden;
  private final LanguageModel model;

  GoldenModelTest(String name, TensorOps ops) {
    this.name = name;
    this.ops = ops;
    golden = GoldenTensors.read(GoldenTensors.directory(name).resolve("golden.safetensors"));
    model = GoldenModels.load(name, ops);
  }

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void logitsAtEveryPosition() {
    for (int p = 0; p < PROMPTS; p++) {
      assertClose(fresh(model, ids(p)), golden.rows("prompt" + p + ".logits"));
    }
  }

  @Test
  void configurationsOfOtherReleasesDescribeTheSameModel(@TempDir Path copy) throws IOException {
    Path original = GoldenTensors.directory(name);
    try (Stream<Path> files = Files.list(original)) {
      for (Path file : files.toList()) {
        if (file.getFileName().toString().startsWith("model")) {
          Files.copy(file, copy.resolve(file.getFileName()));
        }
      }
    }
    List<String> configurations = new ArrayList<>(List.of("config-v5.json"));
    if (!NO_LEGACY.contains(name)) {
      configurations.add("config-legacy.json");
    }
    for (String configuration : configurations) {
      Files.copy(
          original.resolve(configuration),
          copy.resolve("config.json"),
          StandardCopyOption.REPLACE_EXISTING);
      try (LanguageModel described = GoldenModels.load(copy, ops)) {
        for (int p = 0; p < PROMPTS; p++) {
          assertClose(fresh(described, ids(p)), golden.rows("prompt" + p + ".logits"));
        }
      }
    }
  }

  @Test
  void greedyContinuationsWithCache() {
    for (int p = 0; p < PROMPTS; p++) {
      int[] expected = golden.ints("prompt" + p + ".greedy");
      float[][] expectedLogits = golden.rows("prompt" + p + ".greedy_logits");
      try (KeyValueCache cache = model.newCache()) {
        float[] logits = last(model, cache, ids(p));
        for (int step = 0; step < expected.length; step++) {
          assertThat(argMax(logits)).isEqualTo(expected[step]);
          assertClose(logits, expectedLogits[step]);
          logits = last(model, cache, expected[step]);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void readingInBlocksEqualsReadingAtOnce(int block) {
    // With dynamic scaling, frequencies change once a sequence is longer than the 16 positions.
    int prompts = name.equals("llama-rope-dynamic") ? 2 : PROMPTS;
    for (int p = 0; p < prompts; p++) {
      int[] ids = ids(p);
      List<float[]> logits = new ArrayList<>();
      try (KeyValueCache cache = model.newCache()) {
        for (int from = 0; from < ids.length; from += block) {
          int[] some = Arrays.copyOfRange(ids, from, Math.min(from + block, ids.length));
          logits.addAll(List.of(all(model, cache, some)));
          assertThat(cache.length()).isEqualTo(from + some.length);
        }
      }
      assertClose(logits.toArray(float[][]::new), golden.rows("prompt" + p + ".logits"));
    }
  }

  @Test
  void checkingABlockEqualsDecodingTokenByToken() {
    for (int p = 0; p < PROMPTS; p++) {
      int[] continuation = golden.ints("prompt" + p + ".greedy");
      float[][] expected = golden.rows("prompt" + p + ".greedy_logits");
      try (KeyValueCache cache = model.newCache()) {
        last(model, cache, ids(p));
        float[][] logits = all(model, cache, Arrays.copyOf(continuation, expected.length - 1));
        assertClose(logits, Arrays.copyOfRange(expected, 1, expected.length));
      }
    }
  }

  @Test
  void sequencesInABatchGetWhatTheyGetAlone() {
    ForwardBatch batch = new ForwardBatch();
    List<KeyValueCache> caches =
        IntStream.range(0, PROMPTS).mapToObj(p -> model.newCache()).toList();
    for (int p = 0; p < PROMPTS; p++) {
      batch.add(caches.get(p), ids(p), 0, ids(p).length, ids(p).length);
    }
    float[][] logits = forward(model, batch);
    for (int p = 0, row = 0; p < PROMPTS; row += ids(p).length, p++) {
      assertClose(
          Arrays.copyOfRange(logits, row, row + ids(p).length),
          golden.rows("prompt" + p + ".logits"));
    }
    // From here on each sequence takes another number of tokens, and some want no logits.
    batch.clear();
    int[] one = golden.ints("prompt0.greedy");
    int[] two = golden.ints("prompt2.greedy");
    batch.add(caches.get(2), two, 0, 5, 2);
    batch.add(caches.get(1), new int[] {7, 8}, 0, 2, 0);
    batch.add(caches.get(0), one, 0, 1, 1);
    logits = forward(model, batch);
    assertClose(logits[0], golden.rows("prompt2.greedy_logits")[4]);
    assertClose(logits[1], golden.rows("prompt2.greedy_logits")[5]);
    assertClose(logits[2], golden.rows("prompt0.greedy_logits")[1]);
    assertThat(caches.stream().map(KeyValueCache::length)).containsExactly(2, 9, 38);
    caches.forEach(KeyValueCache::close);
  }

  @Test
  void rejectedTokensLeaveNoTraceAndForksAreIndependent() {
    int[] continuation = golden.ints("prompt1.greedy");
    float[][] expected = golden.rows("prompt1.greedy_logits");
    try (KeyValueCache cache = model.newCache()) {
      last(model, cache, ids(1));
      all(model, cache, 3, 1, 4, 1, 5);
      cache.truncate(ids(1).length);
      try (KeyValueCache fork = cache.fork()) {
        assertClose(last(model, fork, continuation[0]), expected[1]);
        last(model, cache, 200, 201);
        assertClose(last(model, fork, continuation[1]), expected[2]);
        assertThat(fork.length()).isEqualTo(ids(1).length + 2);
      }
      cache.truncate(ids(1).length);
      assertClose(last(model, cache, Arrays.copyOf(continuation, 3)), expected[3]);
    }
  }

  private int[] ids(int prompt) {
    return golden.ints("prompt" + prompt + ".ids");
  }

  private void assertClose(float[][] actual, float[][] expected) {
    assertThat(actual).hasNumberOfRows(expected.length);
    for (int r = 0; r < expected.length; r++) {
      assertClose(actual[r], expected[r]);
    }
  }

  private void assertClose(float[] actual, float[] expected) {
    GoldenModels.assertClose(name, actual, expected);
  }
}
