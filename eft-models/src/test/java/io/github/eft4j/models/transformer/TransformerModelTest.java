package io.github.eft4j.models.transformer;

import static io.github.eft4j.models.transformer.GoldenModels.all;
import static io.github.eft4j.models.transformer.GoldenModels.assertClose;
import static io.github.eft4j.models.transformer.GoldenModels.forward;
import static io.github.eft4j.models.transformer.GoldenModels.fresh;
import static io.github.eft4j.models.transformer.GoldenModels.last;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.eft4j.ForwardBatch;
import io.github.eft4j.KeyValueCache;
import io.github.eft4j.LanguageModel;
import io.github.eft4j.models.GoldenTensors;
import io.github.eft4j.models.config.LlamaConfig;
import io.github.eft4j.models.format.HuggingFaceDirectory;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.TensorSource;
import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TransformerModelTest {
  private static final String LONG_CONTEXT = "falcon-7b-like";

  private final TensorOps ops = TensorOps.nd4j();
  private final LanguageModel model = GoldenModels.load("llama-gqa", ops);

  @AfterEach
  void close() {
    model.close();
  }

  @Test
  void describesItself() {
    assertThat(model.name()).isEqualTo("llama-gqa");
    assertThat(model.vocabularySize()).isEqualTo(320);
    assertThat(model.contextLength()).isEqualTo(128);
    assertThat(model.endOfTextIds()).containsExactly(2);
    assertThat(model.tokenizer()).isEmpty();
    assertThat(model.chatTemplate()).isEmpty();
  }

  @Test
  void promptsOfManyChunksEqualThoseReadPiecewise() {
    try (LanguageModel large = GoldenModels.load(LONG_CONTEXT, ops);
        KeyValueCache cache = large.newCache();
        KeyValueCache other = large.newCache()) {
      int[] ids = randomIds(700, large.vocabularySize());
      List<float[]> expected = new ArrayList<>();
      for (int from = 0; from < ids.length; from += 100) {
        expected.addAll(List.of(all(large, cache, Arrays.copyOfRange(ids, from, from + 100))));
      }
      // Two sequences whose rows and wanted logits both lie across the ends of chunks.
      try (KeyValueCache fresh = large.newCache()) {
        ForwardBatch batch =
            new ForwardBatch().add(other, ids, 0, 200, 50).add(fresh, ids, 0, 700, 600);
        float[][] logits = forward(large, batch);
        for (int i = 0; i < 50; i++) {
          assertClose(LONG_CONTEXT, logits[i], expected.get(150 + i));
        }
        for (int i = 0; i < 600; i++) {
          assertClose(LONG_CONTEXT, logits[50 + i], expected.get(100 + i));
        }
      }
    }
  }

  @Test
  void writesLogitsIntoRowsOfAnotherArray() {
    float[] expected = fresh(model, 5, 6)[1];
    INDArray logits = Nd4j.zeros(DataType.FLOAT, 3, 320);
    try (KeyValueCache cache = model.newCache()) {
      model.forward(ForwardBatch.last(cache, 5, 6), NativeArrays.rows(logits, 1, 2));
    }
    assertClose("llama-gqa", logits.getRow(1).toFloatVector(), expected);
    assertThat(logits.getRow(0).toFloatVector()).containsOnly(0);
    assertThat(logits.getRow(2).toFloatVector()).containsOnly(0);
  }

  @Test
  void refusesIdsOutsideTheVocabulary() {
    try (KeyValueCache cache = model.newCache()) {
      last(model, cache, 1, 2);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> last(model, cache, 3, 320))
          .withMessage(
              "token id 320 (new token 1 of sequence 0) is outside the vocabulary of model"
                  + " llama-gqa, which has 320 ids");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> last(model, cache, -1))
          .withMessageContaining("token id -1");
      assertThat(cache.length()).isEqualTo(2);
    }
  }

  @Test
  void refusesSequencesLongerThanTheContext() {
    try (KeyValueCache cache = model.newCache()) {
      last(model, cache, randomIds(100, 320));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> last(model, cache, randomIds(29, 320)))
          .withMessage(
              "sequence 0 would have 129 tokens (100 read before and 29 new), but the context"
                  + " length of model llama-gqa is 128");
      assertThat(cache.length()).isEqualTo(100);
      last(model, cache, randomIds(28, 320));
      assertThat(cache.length()).isEqualTo(128);
    }
  }

  @Test
  void refusesCachesThatAreNotItsOwnOrOccurTwice() {
    try (LanguageModel other = GoldenModels.load("llama-gqa", ops);
        KeyValueCache foreign = other.newCache();
        KeyValueCache cache = model.newCache()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> last(model, foreign, 1))
          .withMessage("the cache of sequence 0 is not one of model llama-gqa");
      ForwardBatch twice = ForwardBatch.last(cache, 1).add(cache, new int[] {2}, 0, 1, 1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> forward(model, twice))
          .withMessage("sequences 0 and 1 of the batch have the same cache");
      assertThat(cache.length()).isZero();
      last(model, cache, 1);
    }
  }

  @Test
  void refusesLogitsOfAnotherShapeOrType() {
    try (KeyValueCache cache = model.newCache()) {
      ForwardBatch batch = ForwardBatch.all(cache, 1, 2);
      for (INDArray logits :
          List.of(
              Nd4j.create(DataType.FLOAT, 1, 320),
              Nd4j.create(DataType.FLOAT, 2, 319),
              Nd4j.create(DataType.FLOAT, 640),
              Nd4j.create(DataType.DOUBLE, 2, 320),
              Nd4j.create(DataType.FLOAT, 320, 2).transpose())) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> model.forward(batch, logits))
            .withMessageEndingWith("expected contiguous FLOAT [2, 320]");
      }
      assertThat(cache.length()).isZero();
    }
  }

  @Test
  void refusesABatchWithoutTokens() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> model.forward(new ForwardBatch(), Nd4j.create(DataType.FLOAT, 1, 320)))
        .withMessage("the batch has no tokens");
  }

  @Test
  void readsTokensWithoutComputingLogits() {
    float[] expected = fresh(model, 9, 8, 7)[2];
    try (KeyValueCache cache = model.newCache()) {
      model.forward(
          new ForwardBatch().add(cache, new int[] {9, 8}, 0, 2, 0),
          Nd4j.create(DataType.FLOAT, 0, 320));
      assertThat(cache.length()).isEqualTo(2);
      assertClose("llama-gqa", last(model, cache, 7), expected);
    }
  }

  @Test
  void cachesTruncateOnlyDownwards() {
    try (KeyValueCache cache = model.newCache()) {
      last(model, cache, 1, 2, 3);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> cache.truncate(4))
          .withMessage("cannot truncate a cache of 3 tokens to 4");
      assertThatIllegalArgumentException().isThrownBy(() -> cache.truncate(-1));
      assertThat(cache.length()).isEqualTo(3);
      cache.truncate(0);
      assertClose("llama-gqa", last(model, cache, 4), fresh(model, 4)[0]);
      assertThat(cache.bytes()).isPositive();
    }
  }

  @Test
  void closedCachesAreRefused() {
    KeyValueCache cache = model.newCache();
    cache.close();
    cache.close();
    assertThat(cache.bytes()).isZero();
    assertThatIllegalStateException()
        .isThrownBy(() -> last(model, cache, 1))
        .withMessage("the cache of sequence 0 was closed");
    assertThatIllegalStateException().isThrownBy(cache::fork);
    assertThatIllegalStateException().isThrownBy(() -> cache.truncate(0));
  }

  @Test
  void aClosedModelIsRefused() {
    KeyValueCache cache = model.newCache();
    last(model, cache, 1);
    model.close();
    model.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> last(model, cache, 1))
        .withMessage("model llama-gqa was closed");
    assertThatIllegalStateException().isThrownBy(model::newCache);
    cache.close();
  }

  @Test
  void closingWaitsForRunningPasses() throws Exception {
    CountDownLatch running = new CountDownLatch(3);
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<?>> passes = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        passes.add(
            threads.submit(
                () -> {
                  while (true) {
                    fresh(model, 1, 2, 3);
                    running.countDown();
                  }
                }));
      }
      assertThat(running.await(1, TimeUnit.MINUTES)).isTrue();
      model.close();
      for (Future<?> pass : passes) {
        assertThatExceptionOfType(ExecutionException.class)
            .isThrownBy(pass::get)
            .withCauseInstanceOf(IllegalStateException.class)
            .withMessageContaining("model llama-gqa was closed");
      }
    }
  }

  @Test
  void manyThreadsGetWhatOneGets() throws Exception {
    int[][] prompts = new int[4][];
    float[][][] expected = new float[4][][];
    for (int p = 0; p < 4; p++) {
      prompts[p] = randomIds(1 + 10 * p, 320);
      expected[p] = fresh(model, prompts[p]);
    }
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<float[][]>> results = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        int[] prompt = prompts[i % 4];
        results.add(threads.submit(() -> fresh(model, prompt)));
      }
      for (int i = 0; i < 40; i++) {
        float[][] logits = results.get(i).get();
        for (int r = 0; r < logits.length; r++) {
          assertClose("llama-gqa", logits[r], expected[i % 4][r]);
        }
      }
    }
  }

  @Test
  void refusesTensorsThatTheConfigurationDoesNotAccountFor() throws IOException {
    HuggingFaceDirectory files = HuggingFaceDirectory.read(GoldenTensors.directory("llama-bias"));
    LlamaConfig config = (LlamaConfig) files.config();
    LlamaConfig unbiased =
        new LlamaConfig(
            config.hiddenSize(),
            config.layers(),
            config.heads(),
            config.keyValueHeads(),
            config.headSize(),
            config.feedForwardSize(),
            config.vocabularySize(),
            config.contextLength(),
            config.normEpsilon(),
            config.tiedEmbeddings(),
            false,
            config.mlpBias(),
            config.rotary());
    ModelMetadata metadata =
        new ModelMetadata("test", Set.of(), Optional.empty(), Optional.empty());
    try (TensorSource tensors = files.openTensors()) {
      assertThatExceptionOfType(ModelFormatException.class)
          .isThrownBy(() -> Transformers.load(unbiased, tensors, ops, metadata))
          .withMessageEndingWith(
              "model.safetensors: tensor model.layers.0.self_attn.k_proj.bias has no place in a"
                  + " llama model of this configuration");
      // The checkpoint is still open.
      Transformers.load(config, tensors, ops, metadata).close();
    }
  }

  private static int[] randomIds(int count, int vocabulary) {
    return new SplittableRandom(count).ints(count, 0, vocabulary).toArray();
  }
}
