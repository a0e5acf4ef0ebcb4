package io.github.eft4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  private final WorkerPool pool = new WorkerPool();

  @RepeatedTest(20)
  void doesEveryTaskOnce() {
    for (int count = 0; count < 200; count++) {
      AtomicIntegerArray times = new AtomicIntegerArray(count);
      pool.run(count, 3, (task, worker) -> times.incrementAndGet(task));
      for (int task = 0; task < count; task++) {
        assertThat(times.get(task)).isEqualTo(1);
      }
    }
  }

  @Test
  void writesAreVisibleToTheCaller() {
    int[] numbers = new int[1000];
    for (int round = 1; round <= 500; round++) {
      int value = round;
      pool.run(numbers.length, 4, (task, worker) -> numbers[task] = value);
      assertThat(numbers).containsOnly(value);
    }
  }

  @Test
  void workersOfARegionHaveDifferentIndices() {
    AtomicIntegerArray inside = new AtomicIntegerArray(3);
    AtomicInteger clashes = new AtomicInteger();
    for (int round = 0; round < 300; round++) {
      pool.run(
          30,
          3,
          (task, worker) -> {
            if (inside.incrementAndGet(worker) != 1) {
              clashes.incrementAndGet();
            }
            Thread.onSpinWait();
            inside.decrementAndGet(worker);
          });
    }
    assertThat(clashes).hasValue(0);
  }

  @Test
  void anExceptionReachesTheCallerAndThePoolGoesOn() {
    for (int round = 0; round < 100; round++) {
      int bad = round % 20;
      assertThatThrownBy(
              () ->
                  pool.run(
                      20,
                      4,
                      (task, worker) -> {
                        if (task == bad) {
                          throw new IllegalStateException("task " + task);
                        }
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("task " + bad);
      AtomicInteger done = new AtomicInteger();
      pool.run(20, 4, (task, worker) -> done.incrementAndGet());
      assertThat(done).hasValue(20);
    }
  }

  @Test
  void anErrorReachesTheCaller() {
    assertThatThrownBy(
            () ->
                pool.run(
                    4,
                    2,
                    (task, worker) -> {
                      throw new StackOverflowError();
                    }))
        .isInstanceOf(StackOverflowError.class);
  }

  @Test
  void aTaskMayRunTasks() {
    AtomicInteger done = new AtomicInteger();
    pool.run(
        8, 3, (task, worker) -> pool.run(5, 3, (inner, innerWorker) -> done.incrementAndGet()));
    assertThat(done).hasValue(40);
  }

  @Test
  void oneThreadMeansTheCaller() {
    Thread caller = Thread.currentThread();
    List<Thread> threads = new ArrayList<>();
    pool.run(10, 1, (task, worker) -> threads.add(Thread.currentThread()));
    assertThat(threads).hasSize(10).containsOnly(caller);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void manyCallersAtOnce(boolean virtual) throws Exception {
    try (ExecutorService callers =
        virtual ? Executors.newVirtualThreadPerTaskExecutor() : Executors.newFixedThreadPool(8)) {
      List<Callable<Integer>> calls = new ArrayList<>();
      for (int c = 0; c < 64; c++) {
        calls.add(
            () -> {
              int total = 0;
              for (int round = 0; round < 50; round++) {
                AtomicInteger sum = new AtomicInteger();
                pool.run(16, 3, (task, worker) -> sum.addAndGet(task));
                total += sum.get();
              }
              return total;
            });
      }
      for (Future<Integer> result : callers.invokeAll(calls)) {
        assertThat(result.get()).isEqualTo(50 * 120);
      }
    }
  }

  @Test
  void anInterruptedCallerStillGetsItsResult() {
    Thread.currentThread().interrupt();
    AtomicInteger done = new AtomicInteger();
    pool.run(50, 3, (task, worker) -> done.incrementAndGet());
    assertThat(Thread.interrupted()).isTrue();
    assertThat(done).hasValue(50);
  }
}
