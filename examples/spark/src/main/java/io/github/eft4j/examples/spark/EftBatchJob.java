package io.github.eft4j.examples.spark;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.apache.spark.sql.functions.col;

import io.github.eft4j.EftSampler;
import io.github.eft4j.SamplingOptions;
import io.github.eft4j.examples.cli.Failures;
import io.github.eft4j.examples.cli.FormatOption;
import io.github.eft4j.examples.cli.ModelLoader;
import io.github.eft4j.examples.cli.SamplerOptions;
import io.github.eft4j.examples.cli.TopLogProbabilities;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkFiles;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.IntegralType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A Spark job that samples completions of many prompts. */
@Command(
    name = "EftBatchJob",
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Reads prompts with their keys, and writes a completion for each. A row's completion depends"
          + " on --seed (0 unless given), the row's key and its prompt, and on nothing else: not on"
          + " how rows are spread over the cluster, nor on what is computed again.",
      "A prompt that cannot be served has the reason in the column error, and no completion.",
      "A MODEL is a Hugging Face directory or a GGUF file: an absolute path is that on every node,"
          + " a relative one that of a file shipped with the job (spark-submit --files x.gguf or"
          + " --archives x.zip#x)."
    })
public final class EftBatchJob implements Runnable {
  private static final int FAILED = 1;

  /** The columns of a text file. */
  private static final StructType LINES =
      new StructType().add("line", DataTypes.LongType).add("prompt", DataTypes.StringType);

  @Option(
      names = "--input",
      required = true,
      paramLabel = "PATH",
      description = "The prompts: a file or a directory, anywhere that Spark reads from.")
  private String input;

  @Option(
      names = "--input-format",
      paramLabel = "FORMAT",
      defaultValue = "parquet",
      description = {
        "parquet, json (JSON Lines) or text; ${DEFAULT-VALUE} unless given.",
        "With text, a line is a prompt, and its number, from 1 on, is its key."
      })
  private InputFormat inputFormat;

  @Option(
      names = "--key",
      paramLabel = "COLUMN",
      description =
          "The column that tells rows apart, of text or integers (key unless given). It is written"
              + " beside the completion.")
  private @Nullable String keyColumn;

  @Option(
      names = "--prompt",
      paramLabel = "COLUMN",
      description =
          "The column with the prompt: text, or a list of token ids (prompt unless given).")
  private @Nullable String promptColumn;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "PATH",
      description = "Where completions are written: a directory that does not exist yet.")
  private String output;

  @Option(
      names = "--output-format",
      paramLabel = "FORMAT",
      defaultValue = "parquet",
      description = "parquet or json (JSON Lines); ${DEFAULT-VALUE} unless given.")
  private OutputFormat outputFormat;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      description =
          "Spreads the prompts over N tasks. Unless given, there are as many as the input has"
              + " parts.")
  private @Nullable Integer partitions;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "8",
      description = "How many prompts a task decodes together (${DEFAULT-VALUE} unless given).")
  private int batchSize;

  @Option(
      names = "--timings",
      description =
          "Also writes what differs from run to run: times, and the statistics of speculation.")
  private boolean timings;

  @Mixin private final SamplerOptions sampler = new SamplerOptions();

  @Mixin private final FormatOption format = new FormatOption();

  @Mixin private final TopLogProbabilities topLogProbabilities = new TopLogProbabilities();

  @Mixin private final ModelLoader loader = new ModelLoader();

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this help.")
  boolean help;

  @Spec private CommandSpec spec;

  private final List<String> args;

  /** What prompts are read from. */
  enum InputFormat {
    PARQUET,
    JSON,
    TEXT
  }

  /** What completions are written to. */
  enum OutputFormat {
    PARQUET,
    JSON
  }

  private EftBatchJob(List<String> args) {
    this.args = args;
  }

  /**
   * Runs the job and, where it fails, ends the process.
   *
   * @param args the options
   */
  public static void main(String[] args) {
    int status = run(new PrintWriter(System.err, true, UTF_8), args);
    if (status != 0) {
      System.exit(status);
    }
  }

  /**
   * Runs the job.
   *
   * @param err receives the summary and messages
   * @param args the options
   * @return the exit status
   */
  static int run(PrintWriter err, String... args) {
    return commandLine(List.of(args))
        .setErr(err)
        .setExecutionExceptionHandler(
            (e, command, all) -> {
              err.println("EftBatchJob: " + Failures.message(origin(e), command));
              return FAILED;
            })
        .execute(args);
  }

  /** What failed on an executor stands at the end of what Spark says. */
  private static Throwable origin(Throwable failure) {
    Throwable origin = failure;
    while (origin.getCause() != null) {
      origin = origin.getCause();
    }
    return origin;
  }

  /** The sampler that the options of a job describe, for the rest of this process. */
  static EftSampler loadSampler(List<String> args) {
    CommandLine command = commandLine(args);
    command.parseArgs(args.toArray(String[]::new));
    EftBatchJob job = command.getCommand();
    return job.sampler
        .builder(
            job.loader.open(Path.of(SparkFiles.getRootDirectory())),
            job.samplingOptions(),
            job.format.get())
        .batchSize(job.batchSize)
        .build();
  }

  private SamplingOptions samplingOptions() {
    SamplingOptions.Builder options = sampler.samplingOptions();
    topLogProbabilities.apply(options);
    return options.build();
  }

  /** A command line that is yet to be given the same arguments. */
  static CommandLine commandLine(List<String> args) {
    return new CommandLine(new EftBatchJob(args))
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true);
  }

  @Override
  public void run() {
    long seed = samplingOptions().seed().orElse(0);
    requirePositive("--batch-size", batchSize);
    if (partitions != null) {
      requirePositive("--partitions", partitions);
    }
    if (inputFormat == InputFormat.TEXT && (keyColumn != null || promptColumn != null)) {
      throw new IllegalArgumentException(
          "--key and --prompt are for columns, but --input-format is text");
    }
    boolean alone = SparkSession.getDefaultSession().isEmpty();
    SparkSession spark = SparkSession.builder().appName("eft4j").getOrCreate();
    try {
      Counters counters = Counters.of(spark.sparkContext());
      long started = System.nanoTime();
      write(read(spark), seed, counters);
      double seconds = (System.nanoTime() - started) * 1e-9;
      counters.print(spec.commandLine().getErr(), seconds);
    } finally {
      if (alone) {
        spark.stop();
      }
    }
  }

  private void write(Dataset<Row> rows, long seed, Counters counters) {
    StructField key = rows.schema().fields()[PartitionSampler.KEY];
    StructType schema = new StructType().add(keyColumn(), key.dataType());
    for (StructField column : CompletionColumns.schema(timings).fields()) {
      schema = schema.add(column);
    }
    Dataset<Row> spread = partitions == null ? rows : rows.repartition(partitions);
    spread
        .mapPartitions(
            new PartitionSampler(args, seed, batchSize, timings, counters), Encoders.row(schema))
        .write()
        .format(outputFormat.name().toLowerCase(Locale.ROOT))
        .mode(SaveMode.ErrorIfExists)
        .save(output);
  }

  private String keyColumn() {
    return inputFormat == InputFormat.TEXT
        ? LINES.fieldNames()[0]
        : Objects.requireNonNullElse(keyColumn, "key");
  }

  /** The rows as {@link PartitionSampler} reads them: the key, the key as text, the prompt. */
  private Dataset<Row> read(SparkSession spark) {
    Dataset<Row> rows =
        switch (inputFormat) {
          case PARQUET -> spark.read().parquet(input);
          case JSON -> spark.read().option("mode", "FAILFAST").json(input);
          case TEXT -> lines(spark);
        };
    String key = keyColumn();
    DataType keyType = type(rows, key);
    if (!(keyType instanceof StringType || keyType instanceof IntegralType)) {
      throw new IllegalArgumentException(
          "--key %s is of type %s, expected text or integers".formatted(key, keyType.sql()));
    }
    if (List.of(CompletionColumns.schema(true).fieldNames()).contains(key)) {
      throw new IllegalArgumentException(
          "--key %s has the name of a column of completions".formatted(key));
    }
    String prompt = Objects.requireNonNullElse(promptColumn, "prompt");
    DataType promptType = type(rows, prompt);
    boolean ids =
        promptType instanceof ArrayType array && array.elementType() instanceof IntegralType;
    if (!ids && !(promptType instanceof StringType)) {
      throw new IllegalArgumentException(
          "--prompt %s is of type %s, expected text or a list of integers"
              .formatted(prompt, promptType.sql()));
    }
    return rows.select(
        col(key).as("key"),
        col(key).cast(DataTypes.StringType).as("keyText"),
        (ids ? col(prompt).cast("array<int>") : col(prompt)).as("prompt"));
  }

  private static DataType type(Dataset<Row> rows, String column) {
    return rows.select(col(column)).schema().fields()[0].dataType();
  }

  /** Lines of text with their numbers; the lines of several files would have no order. */
  private Dataset<Row> lines(SparkSession spark) {
    SparkContext context = spark.sparkContext();
    try {
      var path = new org.apache.hadoop.fs.Path(input);
      if (path.getFileSystem(context.hadoopConfiguration()).getFileStatus(path).isDirectory()) {
        throw new IllegalArgumentException(
            ("--input %s is a directory, but the keys of text are the numbers of its lines:"
                    + " expected one file")
                .formatted(input));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    JavaRDD<Row> lines =
        new JavaSparkContext(context)
            .textFile(input)
            .zipWithIndex()
            .map(line -> RowFactory.create(line._2() + 1, line._1()));
    return spark.createDataFrame(lines, LINES);
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(option + " is " + value + ", expected at least 1");
    }
  }
}
