package io.github.eft4j.examples.spark;

import java.io.PrintWriter;
import java.io.Serializable;
import java.util.Locale;
import org.apache.spark.SparkContext;
import org.apache.spark.util.LongAccumulator;

/**
 * What a job has done, as Spark's accumulators: its web interface shows them for every stage. A row
 * that Spark computes again is counted again.
 *
 * @param completions the number of completions
 * @param refused the number of prompts that were refused
 * @param promptTokens the number of tokens of the prompts, each as the model with the longest reads
 *     it
 * @param newTokens the number of tokens of the completions
 */
record Counters(
    LongAccumulator completions,
    LongAccumulator refused,
    LongAccumulator promptTokens,
    LongAccumulator newTokens)
    implements Serializable {
  static Counters of(SparkContext spark) {
    return new Counters(
        spark.longAccumulator("completions"),
        spark.longAccumulator("refused prompts"),
        spark.longAccumulator("prompt tokens"),
        spark.longAccumulator("new tokens"));
  }

  void print(PrintWriter out, double seconds) {
    long rows = completions.value() + refused.value();
    out.printf(
        Locale.ROOT,
        "%d completions with %d tokens, %d prompts refused, in %.1f s: %.1f rows/s%n",
        completions.value(),
        newTokens.value(),
        refused.value(),
        seconds,
        rows / seconds);
  }
}
