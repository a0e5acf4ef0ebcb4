package io.github.eft4j.examples.spark;

import io.github.eft4j.EftSampler;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The sampler of this process, which all its tasks share. It is made when the first task needs it,
 * and lives as long as the process: Spark has no other place for what belongs to an executor.
 */
final class ExecutorSampler {
  private static final Map<List<String>, EftSampler> SAMPLERS = new ConcurrentHashMap<>();

  private ExecutorSampler() {}

  /**
   * The sampler for the options of a job.
   *
   * @param args the job's arguments
   * @return the sampler
   */
  static EftSampler of(List<String> args) {
    return SAMPLERS.computeIfAbsent(args, EftBatchJob::loadSampler);
  }
}
