package io.github.eft4j.examples.spark;

import static org.apache.spark.sql.types.DataTypes.DoubleType;
import static org.apache.spark.sql.types.DataTypes.IntegerType;
import static org.apache.spark.sql.types.DataTypes.LongType;
import static org.apache.spark.sql.types.DataTypes.StringType;
import static org.apache.spark.sql.types.DataTypes.createArrayType;

import io.github.eft4j.Completion;
import io.github.eft4j.SpeculationStatistics;
import io.github.eft4j.TruncationReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** A completion as columns of a table, named as its fields. */
final class CompletionColumns {
  /** Why a prompt was refused; null where there is a completion. */
  static final String ERROR = "error";

  private CompletionColumns() {}

  /**
   * The columns.
   *
   * @param timings whether to have what differs from run to run: times, and the statistics of
   *     speculation, whose blocks are as long as measurements say
   * @return the columns in the order of {@link #row}, which puts the key in front
   */
  static StructType schema(boolean timings) {
    StructType schema =
        new StructType()
            .add("text", StringType)
            .add("tokenIds", createArrayType(IntegerType, false))
            .add("logProbabilities", createArrayType(DoubleType, false))
            .add(
                "topLogProbabilities",
                createArrayType(
                    createArrayType(
                        new StructType()
                            .add("id", IntegerType, false)
                            .add("logProbability", DoubleType, false),
                        false),
                    false))
            .add("finishReason", StringType)
            .add("promptTokens", IntegerType)
            .add("seed", LongType)
            .add(
                "truncation",
                new StructType()
                    .add("distributionBounds", createArrayType(DoubleType, false))
                    .add("logProbabilityBounds", createArrayType(DoubleType, false))
                    .add("askedAgain", IntegerType, false));
    if (timings) {
      schema =
          schema
              .add(
                  "speculation",
                  new StructType()
                      .add("drafted", IntegerType, false)
                      .add("checked", IntegerType, false)
                      .add("accepted", IntegerType, false)
                      .add("passes", IntegerType, false))
              .add("promptNanos", LongType)
              .add("decodeNanos", LongType);
    }
    return schema.add(ERROR, StringType);
  }

  /**
   * A row for a completion.
   *
   * @param key the row's key
   * @param completion the completion
   * @param timings as for {@link #schema}
   * @return the key and the columns
   */
  static Row row(Object key, Completion completion, boolean timings) {
    List<@Nullable Object> values = new ArrayList<>();
    values.add(key);
    values.add(completion.text());
    values.add(completion.tokenIds().toArray());
    values.add(completion.logProbabilities().toArray());
    values.add(
        completion.topLogProbabilities().stream()
            .map(
                likeliest ->
                    likeliest.stream()
                        .map(token -> RowFactory.create(token.id(), token.logProbability()))
                        .toArray())
            .toArray());
    values.add(completion.finishReason().name().toLowerCase(Locale.ROOT));
    values.add(completion.promptTokens());
    values.add(completion.seed());
    TruncationReport truncation = completion.truncation();
    values.add(
        RowFactory.create(
            truncation.distributionBounds().toArray(),
            truncation.logProbabilityBounds().toArray(),
            truncation.askedAgain()));
    if (timings) {
      SpeculationStatistics drafts = completion.speculation();
      values.add(
          RowFactory.create(
              drafts.drafted(), drafts.checked(), drafts.accepted(), drafts.passes()));
      values.add(completion.promptTime().toNanos());
      values.add(completion.decodeTime().toNanos());
    }
    values.add(null);
    return RowFactory.create(values.toArray());
  }

  /**
   * A row for a prompt that was refused.
   *
   * @param key the row's key
   * @param error why
   * @param timings as for {@link #schema}
   * @return the key and the columns
   */
  static Row refused(@Nullable Object key, String error, boolean timings) {
    @Nullable Object[] values = new @Nullable Object[1 + schema(timings).size()];
    values[0] = key;
    values[values.length - 1] = error;
    return RowFactory.create(values);
  }
}
