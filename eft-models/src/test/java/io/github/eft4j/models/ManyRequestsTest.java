package io.github.eft4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.eft4j.Completion;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.FinishReason;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.Speculation;
import io.github.eft4j.Speculation.AcceptanceRule;
import io.github.eft4j.tensor.TensorOps;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What many requests leave behind, and what they do to each other. */
class ManyRequestsTest {
  private static final int REQUESTS = 10_000;

  /** After these the compiler has compiled, and pools have grown. */
  private static final int WARM_UP = 2_500;

  /**
   * What resident memory may grow by in the requests after the warm-up: the allocator's waste. If
   * the caches of the requests stayed, it would be more than 1 GB.
   */
  private static final long MAY_GROW = 48 << 20;

  private static final CountingModel LARGE = load("large-base");
  private static final CountingModel TUNED = load("small-ft");
  private static final CountingModel BASE = load("small-base");
  private static final CountingModel OTHER = load("small-ft2");
  private static final List<CountingModel> MODELS = List.of(LARGE, TUNED, BASE, OTHER);

  private static CountingModel load(String name) {
    LoadOptions options = LoadOptions.defaults().withOps(TensorOps.jvm());
    return new CountingModel(LanguageModels.load(GoldenTensors.directory("eft/" + name), options));
  }

  @AfterAll
  static void close() {
    MODELS.forEach(CountingModel::close);
  }

  private static List<EftSampler> samplers() {
    LogitCombiner combiner = LogitCombiner.upScale(LARGE, TUNED, BASE);
    return Stream.of(
            null,
            Speculation.draftWith(TUNED),
            Speculation.draftWith(OTHER).withBlockLength(3),
            Speculation.draftWith(TUNED).withRule(AcceptanceRule.RATIO).withBlockLength(4))
        .map(
            speculation -> {
              EftSampler.Builder builder =
                  EftSampler.builder(combiner).batchSize(3).ignoreEndOfText(true).maxNewTokens(6);
              return (speculation == null ? builder : builder.speculation(speculation)).build();
            })
        .toList();
  }

  /** Ways in which requests end. */
  private enum Ending {
    DONE,
    CANCELLED_BY_LISTENER,
    CANCELLED_BY_REQUEST,
    DEADLINE,
    MODEL_FAILS,
    LISTENER_FAILS,
    PROMPT_TOO_LONG,
    ONE_OF_A_BATCH_FAILS;

    void request(EftSampler sampler, Random random) {
      int tokens = 1 + random.nextInt(5);
      SamplingOptions.Builder options = sampler.options().toBuilder().seed(random.nextLong());
      if (random.nextInt(4) == 0) {
        options.trace(2);
      }
      SampleRequest request = SampleRequest.of(prompt(random)).withOptions(options.build());
      switch (this) {
        case DONE ->
            assertThat(sampler.sample(request).finishReason())
                .isEqualTo(FinishReason.MAX_NEW_TOKENS);
        case CANCELLED_BY_LISTENER -> {
          AtomicBoolean enough = new AtomicBoolean();
          AtomicInteger seen = new AtomicInteger();
          Completion completion =
              sampler.sample(
                  request
                      .cancelledWhen(enough::get)
                      .withListener(onToken(() -> enough.set(seen.incrementAndGet() == tokens))));
          assertThat(completion.finishReason())
              .isIn(FinishReason.CANCELLED, FinishReason.MAX_NEW_TOKENS);
          assertThat(completion.tokenIds()).hasSizeGreaterThanOrEqualTo(tokens);
        }
        case CANCELLED_BY_REQUEST -> {
          AtomicInteger asked = new AtomicInteger();
          List<Completion> completions =
              sampler.sample(request.cancelledWhen(() -> asked.incrementAndGet() > tokens), 3);
          assertThat(completions)
              .extracting(Completion::finishReason)
              .contains(FinishReason.CANCELLED);
        }
        case DEADLINE ->
            assertThat(
                    sampler
                        .sample(request.withDeadline(Duration.ofNanos(1 + random.nextInt(300_000))))
                        .finishReason())
                .isIn(FinishReason.DEADLINE, FinishReason.MAX_NEW_TOKENS);
        case MODEL_FAILS -> {
          CountingModel failing = MODELS.get(random.nextInt(3));
          failing.failAfter(random.nextInt(2));
          assertThatThrownBy(() -> sampler.sample(request)).hasMessage("the model fails");
          failing.failAfter(-1);
        }
        case LISTENER_FAILS ->
            assertThatThrownBy(() -> sampler.sample(failing(request, tokens)))
                .hasMessage("the listener fails");
        case PROMPT_TOO_LONG -> {
          int[] ids = random.ints(LARGE.contextLength() + 1, 3, 288).toArray();
          assertThatThrownBy(() -> sampler.sample(Prompt.ids(ids)))
              .hasMessageContaining("the context of model");
        }
        case ONE_OF_A_BATCH_FAILS -> {
          List<SampleRequest> requests = new ArrayList<>(Collections.nCopies(3, request));
          requests.add(random.nextInt(4), failing(request, tokens));
          assertThatThrownBy(() -> sampler.sampleAll(requests)).hasMessage("the listener fails");
        }
      }
    }

    private static SampleRequest failing(SampleRequest request, int tokens) {
      AtomicInteger seen = new AtomicInteger();
      return request.withListener(
          onToken(
              () -> {
                if (seen.incrementAndGet() == tokens) {
                  throw new UnsupportedOperationException("the listener fails");
                }
              }));
    }

    private static CompletionListener onToken(Runnable action) {
      return new CompletionListener() {
        @Override
        public void onToken(int id, double logProbability) {
          action.run();
        }
      };
    }
  }

  private static Prompt prompt(Random random) {
    return Prompt.ids(random.ints(1 + random.nextInt(20), 3, 288).toArray());
  }

  @Test
  void requestsThatFailOrAreCancelledLeaveNothingBehind() throws IOException, InterruptedException {
    List<EftSampler> samplers = samplers();
    Random random = new Random(5);
    long before = 0;
    for (int i = 0; i < REQUESTS; i++) {
      if (i == WARM_UP) {
        before = nativeMemory();
      }
      Ending ending = Ending.values()[i % Ending.values().length];
      ending.request(samplers.get(random.nextInt(samplers.size())), random);
      assertThat(MODELS).allMatch(model -> model.openCaches.get() == 0);
    }

    assertThat(LARGE.cachesMade).hasValueGreaterThan(REQUESTS);
    assertThat(nativeMemory() - before).isLessThan(MAY_GROW);
  }

  /** Resident memory without the heap and compiled code, in bytes. */
  private static long nativeMemory() throws IOException, InterruptedException {
    Path status = Path.of("/proc/self/status");
    assumeTrue(Files.exists(status), "resident memory is read from /proc, which is not here");
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(50); // the heap gives memory back to the system behind the collector's back
      long resident =
          Files.readAllLines(status).stream()
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
              .findFirst()
              .orElseThrow();
      MemoryMXBean jvm = ManagementFactory.getMemoryMXBean();
      long heap = jvm.getHeapMemoryUsage().getCommitted();
      long code = jvm.getNonHeapMemoryUsage().getCommitted();
      least = Math.min(least, resident - heap - code);
    }
    return least;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void threadsOnOneSamplerGetEachWhatTheyGetAlone(boolean virtual) throws Exception {
    Supplier<ExecutorService> threads =
        virtual
            ? Executors::newVirtualThreadPerTaskExecutor
            : () -> Executors.newFixedThreadPool(16);
    EftSampler alone =
        EftSampler.builder(LogitCombiner.upScale(LARGE, TUNED, BASE)).maxNewTokens(20).build();
    List<List<SampleRequest>> requests =
        IntStream.range(0, 48)
            .mapToObj(
                i -> {
                  Random random = new Random(i);
                  return IntStream.range(0, 1 + i % 4)
                      .mapToObj(
                          _ ->
                              SampleRequest.of(prompt(random))
                                  .withOptions(
                                      alone.options().toBuilder()
                                          .temperature(i % 3 * 0.5)
                                          .seed(random.nextLong())
                                          .build()))
                      .toList();
                })
            .toList();
    List<List<Completion>> expected =
        requests.stream().map(batch -> batch.stream().map(alone::sample).toList()).toList();
    EftSampler together =
        EftSampler.builder(LogitCombiner.upScale(LARGE, TUNED, BASE))
            .speculation(Speculation.draftWith(TUNED))
            .batchSize(2)
            .build();

    try (ExecutorService executor = threads.get()) {
      List<Future<List<Completion>>> found =
          requests.stream().map(batch -> executor.submit(() -> together.sampleAll(batch))).toList();
      for (int i = 0; i < requests.size(); i++) {
        List<Completion> completions = found.get(i).get();
        for (int c = 0; c < completions.size(); c++) {
          Completion one = expected.get(i).get(c);
          assertThat(completions.get(c).tokenIds()).isEqualTo(one.tokenIds());
          assertThat(completions.get(c).logProbabilities()).isEqualTo(one.logProbabilities());
        }
      }
    }
    assertThat(MODELS).allMatch(model -> model.openCaches.get() == 0);
  }
}
