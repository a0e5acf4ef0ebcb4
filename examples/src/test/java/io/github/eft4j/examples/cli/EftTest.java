package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EftTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          sample --model M --ids 5 --top-p 1.5            | --top-p is 1.5, expected above 0 and at most 1
          sample --model M --ids 5 --top-k -1             | --top-k is -1, expected at least 0
          sample --model M --ids 5 --min-p 2              | --min-p is 2.0, expected between 0 and 1
          sample --model M --ids 5 --temperature NaN      | --temperature is NaN, expected at least 0
          sample --model M --ids 5 --max-new-tokens 0     | --max-new-tokens is 0, expected at least 1
          sample --model M --ids 5 --stop=                | a stop string is empty
          sample --model M --ids 5 --ops gpu              | Invalid value for option '--ops': 'gpu' is not one of: jvm, nd4j
          sample --model M --ids 5 --vector-bits 64       | --vector-bits: vector width of 64 bits, expected 0 (scalar code), 128, 256 or 512
          sample --model M --ids 5 --ops nd4j --vector-bits 128 | --vector-bits is for --ops jvm, not for nd4j
          sample --model M --ids 5 --context-length 0     | --context-length is 0, expected at least 1
          sample --model M --ids 5 --format none          | Invalid value for option '--format': 'none' is not one of: plain, chat, qa
          sample --model M --ids 5 --format chat          | a prompt of token ids cannot go through the chat template of model small-tuned
          sample --model M --ids 5,x                      | Invalid value for option '--ids' (ID): 'x' is not an int
          sample --model M --ids 5,1024                   | token id 1024 at position 1 of the prompt is outside the vocabulary of model small-tuned, which has 1024 ids
          sample --model M --prompt=                      | the prompt is empty: model small-tuned needs at least one token
          sample --model M --prompt a --ids 5             | --prompt=TEXT, --ids=ID are mutually exclusive (specify only one)
          sample --model M                                | Missing required argument (specify one of these): (--prompt=TEXT | --ids=ID[,ID...] [--ids=ID[,ID...]]... | [--prompts=FILE [--batch-size=N]])
          sample --prompt a --large M --base M            | Missing required argument(s): --tuned=MODEL
          sample --large M --tuned M --base M --ids 5 --beta Infinity | --beta is Infinity, expected a finite number
          sample --model M --ids 5 --greedy --seed 1      | --greedy and [[--temperature=T] [--top-k=K] [--top-p=P] [--min-p=M] [--seed=S]] are mutually exclusive (specify only one)
          sample --model M --ids 5 --nonsense             | Unknown option: '--nonsense'
          sample --model M --ids 5 --repetition-penalty 0 | --repetition-penalty is 0.0, expected above 0
          sample --model M --ids 5 --frequency-penalty NaN | --frequency-penalty is NaN, expected a finite number
          sample --model M --ids 5 --presence-penalty NaN | --presence-penalty is NaN, expected a finite number
          sample --model M --ids 5 --threads 0            | --threads is 0, expected at least 1
          sample --model M --ids 5 --ops nd4j --threads 2 | --threads is for --ops jvm, not for nd4j
          sample --model M --ids 5 -n 0                   | -n is 0, expected at least 1
          sample --model M --ids 5 --top-logprobs 5       | --top-logprobs is for --json and --prompts
          sample --model M --ids 5 --json --top-logprobs -1 | --top-logprobs is -1, expected at least 0
          sample --model M --ids 5 --json --top-logprobs 1025 | --top-logprobs is 1025, but the vocabulary has 1024 ids
          sample --model M --ids 5 --draft M              | Missing required argument(s): --speculate
          sample --model M --ids 5 --speculate            | --speculate needs --draft, the model that drafts, where there is no --tuned
          sample --model M --ids 5 --speculate --draft m  | m does not exist
          sample --model M --ids 5 --speculate --draft M --draft-length 65 | --draft-length is 65, expected between 1 and 64
          sample --model M --ids 5 --speculate --draft M --acceptance all | Invalid value for option '--acceptance': 'all' is not one of: coupled, ratio
          sample --large M --tuned M --base M --ids 5 --conservative 0 | --conservative is 0.0, expected above 0 and at most 1
          sample --large M --tuned M --base M --ids 5 --conservative 1 --beta 2 | --beta and --conservative cannot be combined
          sample --model M --ids 5 --conservative 0.5     | Missing required argument(s): --large=MODEL, --tuned=MODEL, --base=MODEL
          sample --combine a --ids 5                      | Missing required argument(s): --named=NAME=MODEL
          sample --combine a --named a --ids 5            | 'a' is not of the form NAME=MODEL
          sample --combine a --named 1a=M --ids 5         | '1a=models/small-tuned' is not of the form NAME=MODEL
          sample --combine a+b --named a=M --ids 5        | 'a+b', character 3: no model is named b, but [a]
          sample --combine contrast(a,a,2) --named a=M --ids 5 | 'contrast(a,a,2)', character 1: alpha is 2.0, expected above 0 and at most 1
          sample --combine a --named a=M --named b=M --ids 5 | --named b is not in the expression 'a'
          sample --combine a --named a=M --named a=M --ids 5 | --named names two models a
          sample --model M --prompts missing              | missing does not exist
          sample --model M --prompt a --batch-size 2      | Missing required argument(s): --prompts=FILE
          score --model M --ids 5                         | Missing required argument (specify one of these): (--text=TEXT | --text-ids=ID,...)
          score --model M --text a                        | Missing required argument (specify one of these): (--prompt=TEXT
          score --model M --ids 5 --text=                 | the text to be scored has no tokens
          score --model M --ids 5 --text-ids 1,x          | '1,x' is not a list of integers between commas
          score --model M --ids 5 --text-ids 1024         | token id 1024 to be scored is outside the vocabulary of 1024 ids
          score --model M --ids 5 --text a --reward 1     | --reward needs --large, --tuned and --base
          score --large M --tuned M --base M --ids 5 --text a --reward NaN | --reward is NaN, expected a finite number
          chat --model M --format chat                    | Unknown options: '--format', 'chat'
          chat --model M --top-p 1.5                      | --top-p is 1.5, expected above 0 and at most 1
          logits --model M                                | Missing required option: '--ids=ID'
          logits --model M --ids 5,-1                     | token id -1
          logits --model missing --ids 5                  | missing does not exist
          inspect                                         | Missing required parameter: 'MODEL'
          inspect missing                                 | missing does not exist
          inspect src                                     | config.json does not exist
          demo --models missing                           | missing/large-base does not exist
          trace --model M --ids 5                         | Missing required option: '--out=FILE'
          trace --model M --ids 5 --out missing/page.html | --out is missing/page.html, expected a file in a directory that exists
          trace --model M --ids 5 --out src               | --out is src, expected a file in a directory that exists
          trace --model M --ids 5 --out page.html --candidates -1 | --candidates is -1, expected at least 0
          trace --model M --ids 5 --out page.html --candidates 1025 | --candidates is 1025, but the vocabulary has 1024 ids
          nonsense                                        | Unmatched argument at index 0: 'nonsense'
          """)
  void saysWhatIsWrongInOneLine(String command, String message) {
    EftRun run =
        eft(
            (command + " ")
                .replaceAll("\\bM ", model("small-tuned") + " ")
                .strip()
                .split(" +", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).startsWith("eft: ").contains(message).hasLineCount(1);
  }

  @Test
  void withoutACommandNamesThem() {
    EftRun run = eft();
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err())
        .isEqualToIgnoringNewLines(
            "eft: which command? There are chat, classify, demo, inspect, logits, quantize, reason,"
                + " sample, score, study, study-reasoning, tokenize, trace");
  }

  @Test
  void vocabulariesThatDifferAreRefused(@TempDir Path directory) throws IOException {
    Path other = copyOfModel("small-base", directory);
    Path tokenizer = other.resolve("tokenizer.json");
    Files.writeString(
        tokenizer, Files.readString(tokenizer).replaceFirst("\"\\$\"\\s*:\\s*\\d+", "\"€\":5"));
    EftRun run =
        eft(
            "sample --large %s --tuned %s --base %s --ids 5"
                .formatted(model("large-base"), model("small-tuned"), other)
                .split(" ", -1));
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("5").hasLineCount(1);
  }

  @Test
  void aDamagedModelIsNamed(@TempDir Path directory) throws IOException {
    Path damaged = copyOfModel("small-base", directory);
    Path weights = damaged.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length / 2));
    EftRun run = eft("logits", "--model", damaged.toString(), "--ids", "5");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).startsWith("eft: " + weights).hasLineCount(1);
  }

  @Test
  void debugShowsTheStackTrace() {
    EftRun run = eft("inspect", "missing", "--debug");
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("\tat io.github.eft4j").endsWith("does not exist\n");
  }

  @Test
  void anArgumentWithAnAtSignIsNoFile(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("arguments"), "--help", StandardCharsets.UTF_8);
    assertThat(eft("inspect", "@" + file).err()).contains("@" + file + " does not exist");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "chat",
        "demo",
        "inspect",
        "logits",
        "quantize",
        "sample",
        "score",
        "study-reasoning",
        "tokenize",
        "trace"
      })
  void help(String command) {
    EftRun run = eft((command + " --help").strip().split(" ", -1));
    assertThat(run.status()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).startsWith("Usage: eft " + command);
  }

  private static Path copyOfModel(String name, Path directory) throws IOException {
    Path copy = directory.resolve(name);
    Files.createDirectory(copy);
    try (var files = Files.list(Path.of(model(name)))) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    return copy;
  }
}
