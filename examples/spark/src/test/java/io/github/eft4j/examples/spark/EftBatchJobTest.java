package io.github.eft4j.examples.spark;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SampleRequest;
import io.github.eft4j.models.LanguageModels;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The job with Spark in this process. */
class EftBatchJobTest {
  private static SparkSession spark;
  @TempDir private Path directory;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 1)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  /** What a run printed, and its status. */
  private record Run(int status, String err) {}

  private Run job(String args) {
    StringWriter err = new StringWriter();
    int status =
        EftBatchJob.run(
            new PrintWriter(err),
            args.strip()
                .replaceAll("\\bM\\b", Prompts.model("small-tuned"))
                .replaceAll("\\bIN\\b", directory.resolve("in").toString())
                .replaceAll("\\bOUT\\b", directory.resolve("out").toString())
                .split("\\s+", -1));
    return new Run(status, err.toString());
  }

  private void input(String text) throws IOException {
    Files.writeString(directory.resolve("in"), text);
  }

  /** The rows that were written as JSON, in the order of their keys. */
  private List<JsonNode> output() throws IOException {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : ClusterIT.sortedLines(directory.resolve("out"))) {
      rows.add(new ObjectMapper().readTree(line));
    }
    return rows;
  }

  @Test
  void aRowIsACompletion() throws IOException {
    input(
        """
        {"key":"a","prompt":"What is the capital of Peru?"}
        {"key":"b","prompt":"What is the capital of Chile?"}
        {"key":"c","prompt":"What is the capital of Kenya?"}
        """);
    Run run =
        job(
            """
            --input IN --input-format json --output OUT --output-format JSON --partitions 2
            --combine large+0.7*(tuned-base) --named large=%s --named tuned=M --named base=%s
            --format chat --temperature 0.9 --top-k 50 --seed 11 --max-new-tokens 12
            --top-logprobs 2 --timings
            """
                .formatted(Prompts.model("large-base"), Prompts.model("small-base")));
    assertThat(run.err()).startsWith("3 completions with ").contains(" 0 prompts refused, in ");
    assertThat(run.status()).isZero();
    List<JsonNode> rows = output();
    assertThat(rows).extracting(row -> row.get("key").asText()).containsExactly("a", "b", "c");
    try (var large = LanguageModels.load(Prompts.MODELS.resolve("large-base"));
        var tuned = LanguageModels.load(Prompts.MODELS.resolve("small-tuned"));
        var base = LanguageModels.load(Prompts.MODELS.resolve("small-base"))) {
      EftSampler sampler =
          EftSampler.builder(
                  LogitCombiner.upScale(large, tuned, base, 0.7)
                      .prompted(PromptFormat.chatTemplate()))
              .build();
      JsonNode row = rows.get(1);
      Completion expected =
          sampler.sample(
              SampleRequest.of(Prompt.text("What is the capital of Chile?"))
                  .withOptions(
                      sampler.options().toBuilder()
                          .temperature(0.9)
                          .topK(50)
                          .maxNewTokens(12)
                          .topLogProbabilities(2)
                          .seed(RowSeed.of(11, "b"))
                          .build()));
      assertThat(row.get("text").asText()).isEqualTo(expected.text());
      assertThat(row.get("tokenIds").valueStream().map(JsonNode::asInt))
          .isEqualTo(expected.tokenIds());
      assertThat(row.get("logProbabilities").valueStream().map(JsonNode::asDouble))
          .isEqualTo(expected.logProbabilities());
      JsonNode second = row.get("topLogProbabilities").get(3).get(1);
      assertThat(second.get("id").asInt())
          .isEqualTo(expected.topLogProbabilities().get(3).get(1).id());
      assertThat(second.get("logProbability").asDouble())
          .isEqualTo(expected.topLogProbabilities().get(3).get(1).logProbability());
      assertThat(row.get("finishReason").asText())
          .isEqualToIgnoringCase(expected.finishReason().name());
      assertThat(row.get("promptTokens").asInt()).isEqualTo(expected.promptTokens());
      assertThat(row.get("seed").asLong()).isEqualTo(expected.seed());
      assertThat(row.get("speculation").get("drafted").asInt()).isZero();
      assertThat(row.get("promptNanos").asLong()).isPositive();
      assertThat(row.get("decodeNanos").asLong()).isPositive();
      assertThat(row.has("error")).isFalse();
    }
  }

  @Test
  void whatCannotBeServedSaysWhy() throws IOException {
    input(
        """
        {"id":1,"question":"Fine."}
        {"id":2,"question":""}
        {"id":3}
        {"id":4,"question":"%s"}
        {"question":"Who am I?"}
        {"id":6,"question":"Fine, too."}
        """
            .formatted("long ".repeat(300)));
    Run run =
        job(
            """
            --input IN --input-format json --key id --prompt question --output OUT
            --output-format json --model M --greedy --max-new-tokens 4
            """);
    assertThat(run.err()).contains("2 completions with ", " 4 prompts refused, in ");
    assertThat(run.status()).isZero();
    List<String> errors = new ArrayList<>();
    for (JsonNode row : output()) {
      assertThat(row.has("error")).isNotEqualTo(row.has("text"));
      errors.add(row.path("id").asText() + ": " + row.path("error").asText());
    }
    assertThat(errors)
        .hasSize(6)
        .contains("1: ", "6: ", "3: the prompt is null", ": the key is null")
        .anyMatch(e -> e.startsWith("2: the prompt is empty"))
        .anyMatch(e -> e.startsWith("4: ") && e.contains("the context of model"));
  }

  @Test
  void linesOfTextHaveTheirNumbersAsKeys() throws IOException {
    input("One is\nTwo is\nThree is\n");
    String options = "--output OUT --output-format json --model M --max-new-tokens 3";
    assertThat(job("--input IN --input-format text --partitions 3 " + options).status()).isZero();
    List<JsonNode> rows = output();
    assertThat(rows).extracting(row -> row.get("line").asInt()).containsExactly(1, 2, 3);
    assertThat(rows.get(2).get("seed").asLong()).isEqualTo(RowSeed.of(0, "3"));
    try (var model = LanguageModels.load(Prompts.MODELS.resolve("small-tuned"))) {
      EftSampler sampler =
          EftSampler.builder(LogitCombiner.of(model))
              .seed(RowSeed.of(0, "3"))
              .maxNewTokens(3)
              .build();
      assertThat(rows.get(2).get("text").asText()).isEqualTo(sampler.sample("Three is").text());
    }
  }

  @Test
  void tokenIdsAreReadAndParquetIsReadAndWritten() throws IOException {
    input(
        """
        {"key":7,"ids":[0,17,5]}
        {"key":8,"ids":[0,99999]}
        {"key":9,"ids":[null]}
        """);
    String parquet = directory.resolve("prompts").toString();
    spark.read().json(directory.resolve("in").toString()).write().parquet(parquet);
    Run run =
        job(
            "--input "
                + parquet
                + " --prompt ids --output OUT --model M --greedy --max-new-tokens 8");
    assertThat(run.status()).withFailMessage(run.err()).isZero();
    List<Row> rows =
        spark.read().parquet(directory.resolve("out").toString()).orderBy("key").collectAsList();
    assertThat(rows).hasSize(3);
    try (var model = LanguageModels.load(Prompts.MODELS.resolve("small-tuned"))) {
      Completion expected =
          EftSampler.builder(LogitCombiner.of(model))
              .greedy()
              .maxNewTokens(8)
              .build()
              .sample(Prompt.ids(0, 17, 5));
      assertThat(rows.get(0).<Integer>getList(rows.get(0).fieldIndex("tokenIds")))
          .isEqualTo(expected.tokenIds());
    }
    assertThat(rows.get(1).<String>getAs("error")).contains("99999");
    assertThat(rows.get(2).<String>getAs("error"))
        .isEqualTo("the prompt has a token id that is null");
    assertThat(rows.get(0).schema().fieldNames())
        .containsExactly(
            "key",
            "text",
            "tokenIds",
            "logProbabilities",
            "topLogProbabilities",
            "finishReason",
            "promptTokens",
            "seed",
            "truncation",
            "error");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          --input IN --output OUT                              | Missing required argument (specify one of these): (--model=MODEL
          --input IN --output OUT --model M --top-p 2          | --top-p is 2.0, expected above 0 and at most 1
          --input IN --output OUT --model M --batch-size 0     | --batch-size is 0, expected at least 1
          --input IN --output OUT --model M --partitions 0     | --partitions is 0, expected at least 1
          --input IN --output OUT --model M --input-format csv | Invalid value for option '--input-format'
          --input IN --output OUT --model M --input-format text --key a | --key and --prompt are for columns, but --input-format is text
          --input . --output OUT --model M --input-format text | --input . is a directory, but the keys of text are the numbers of its lines: expected one file
          --input missing --output OUT --model M --input-format text | missing does not exist
          --input missing --output OUT --model M               | PATH_NOT_FOUND
          --input IN --output OUT --model M --input-format json --key x | `x` cannot be resolved
          --input IN --output OUT --model M --input-format json --key d | --key d is of type DOUBLE, expected text or integers
          --input IN --output OUT --model M --input-format json --key text | --key text has the name of a column of completions
          --input IN --output OUT --model M --input-format json --prompt d | --prompt d is of type DOUBLE, expected text or a list of integers
          --input IN --output .   --model M --input-format json | PATH_ALREADY_EXISTS
          --input IN --output OUT --model /m --input-format json | /m does not exist
          --input IN --output OUT --model m --input-format json | m does not exist
          """)
  void saysWhatIsWrong(String args, String message) throws IOException {
    input("{\"key\":\"a\",\"prompt\":\"b\",\"d\":1.5,\"text\":\"c\"}\n");
    Run run = job(args);
    assertThat(run.err()).contains(message);
    assertThat(run.status()).isNotZero();
  }

  @Test
  void tasksOfAProcessShareOneSampler() {
    List<String> args =
        List.of("--input", "a", "--output", "b", "--model", Prompts.model("small-base"));
    EftSampler sampler = ExecutorSampler.of(args);
    assertThat(ExecutorSampler.of(new ArrayList<>(args))).isSameAs(sampler);
  }

  @Test
  void damagedJsonIsRefused() throws IOException {
    input("{\"key\":\"a\",\"prompt\":\"b\"}\n{\"key\":\"a\",\n");
    Run run = job("--input IN --input-format json --output OUT --model M");
    assertThat(run.status()).isNotZero();
    assertThat(run.err()).isNotEmpty();
  }

  @Test
  void helpNamesTheOptions() {
    StringWriter out = new StringWriter();
    CommandLine command = EftBatchJob.commandLine(List.of()).setOut(new PrintWriter(out));
    assertThat(command.execute("--help")).isZero();
    assertThat(out.toString()).contains("--input", "--combine", "--speculate", "--threads");
  }
}
