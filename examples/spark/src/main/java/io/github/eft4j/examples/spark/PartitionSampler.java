package io.github.eft4j.examples.spark;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.Prompt;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.SamplingOptions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Queue;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * Samples the completions of a partition, a few batches at a time: only theirs are kept in memory.
 *
 * @param args the job's arguments, by which an executor makes its sampler
 * @param seed the job's seed
 * @param batchSize how many prompts the sampler decodes together
 * @param timings whether to report what differs from run to run
 * @param counters counts what is done
 */
record PartitionSampler(
    List<String> args, long seed, int batchSize, boolean timings, Counters counters)
    implements MapPartitionsFunction<Row, Row> {
  /** The columns that are read. */
  static final int KEY = 0;

  static final int KEY_TEXT = 1;
  static final int PROMPT = 2;

  /** How many batches are served together, so that one prompt begins as another ends. */
  private static final int BATCHES_TOGETHER = 4;

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    EftSampler sampler = ExecutorSampler.of(args);
    return new Iterator<>() {
      private final Queue<Row> done = new ArrayDeque<>();

      @Override
      public boolean hasNext() {
        while (done.isEmpty() && rows.hasNext()) {
          List<Row> batch = new ArrayList<>();
          while (batch.size() < BATCHES_TOGETHER * batchSize && rows.hasNext()) {
            batch.add(rows.next());
          }
          sample(sampler, batch, done);
        }
        return !done.isEmpty();
      }

      @Override
      public Row next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return done.remove();
      }
    };
  }

  private void sample(EftSampler sampler, List<Row> rows, Queue<Row> done) {
    TaskContext task = TaskContext.get();
    List<Object> keys = new ArrayList<>();
    List<SampleRequest> requests = new ArrayList<>();
    for (Row row : rows) {
      try {
        SampleRequest request = request(sampler, row);
        // Finds a prompt that cannot be served: one that is cancelled is checked.
        sampler.sample(request.cancelledWhen(() -> true));
        requests.add(request.cancelledWhen(task::isInterrupted));
        keys.add(row.get(KEY));
      } catch (IllegalArgumentException e) {
        counters.refused().add(1);
        done.add(
            CompletionColumns.refused(row.get(KEY), Objects.toString(e.getMessage()), timings));
      }
    }
    List<Completion> completions = sampler.sampleAll(requests);
    task.killTaskIfInterrupted();
    for (int i = 0; i < completions.size(); i++) {
      Completion completion = completions.get(i);
      done.add(CompletionColumns.row(keys.get(i), completion, timings));
      counters.completions().add(1);
      counters.promptTokens().add(completion.promptTokens());
      counters.newTokens().add(completion.tokenIds().size());
    }
  }

  private SampleRequest request(EftSampler sampler, Row row) {
    String key = row.getString(KEY_TEXT);
    if (key == null) {
      throw new IllegalArgumentException("the key is null");
    }
    SamplingOptions options = sampler.options().toBuilder().seed(RowSeed.of(seed, key)).build();
    return SampleRequest.of(prompt(row)).withOptions(options);
  }

  private static Prompt prompt(Row row) {
    @Nullable Object prompt = row.get(PROMPT);
    if (prompt == null) {
      throw new IllegalArgumentException("the prompt is null");
    }
    if (prompt instanceof String text) {
      return Prompt.text(text);
    }
    List<Integer> ids = row.getList(PROMPT);
    if (ids.stream().anyMatch(Objects::isNull)) {
      throw new IllegalArgumentException("the prompt has a token id that is null");
    }
    return new Prompt.Ids(ids);
  }
}
