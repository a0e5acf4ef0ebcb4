package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.Tokenizer;
import io.github.eft4j.models.format.GgufFile;
import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.tokenizer.HuggingFaceTokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Splits texts into tokens. */
@Command(
    name = "tokenize",
    description = {
      "Splits texts into tokens, without special tokens around them.",
      "Prints one line a text: its ids, or with --json {\"ids\":[…],\"text\":DECODED}."
    })
final class TokenizeCommand extends EftCommand {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description = "Where the tokenizer is. No weights are needed.")
  private Path model;

  @Option(
      names = "--text",
      required = true,
      paramLabel = "TEXT",
      description = "A text. May be given several times.")
  private List<String> texts;

  @Option(names = "--json", description = "Prints one JSON object a text.")
  private boolean json;

  @Override
  public void run() {
    try (HuggingFaceTokenizer tokenizer = open()) {
      for (String text : texts) {
        int[] ids = tokenizer.encode(text, false);
        if (json) {
          Json.printLine(out(), generator -> write(generator, ids, tokenizer));
        } else {
          out()
              .println(
                  Arrays.stream(ids).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private HuggingFaceTokenizer open() throws IOException {
    if (!Files.exists(model)) {
      throw new ModelFormatException(model + " does not exist");
    }
    if (Files.isDirectory(model)) {
      return HuggingFaceTokenizer.read(model)
          .orElseThrow(() -> new ModelFormatException(model + " has no tokenizer.json"));
    }
    try (GgufFile file = GgufFile.open(model)) {
      return HuggingFaceTokenizer.of(
          model,
          file.vocabulary()
              .orElseThrow(() -> new ModelFormatException(model + " has no vocabulary")));
    }
  }

  private static void write(JsonGenerator json, int[] ids, Tokenizer tokenizer) throws IOException {
    json.writeStartObject();
    json.writeFieldName("ids");
    json.writeArray(ids, 0, ids.length);
    json.writeStringField("text", tokenizer.decode(ids, false));
    json.writeEndObject();
  }
}
