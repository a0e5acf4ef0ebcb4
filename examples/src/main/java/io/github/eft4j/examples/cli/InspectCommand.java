package io.github.eft4j.examples.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.ModelInfo;
import io.github.eft4j.models.config.ModelConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Says what a model is, without loading its weights. */
@Command(
    name = "inspect",
    description = "Says what a model is and needs, without loading its weights.")
final class InspectCommand extends EftCommand {
  @Parameters(paramLabel = "MODEL", description = "A Hugging Face directory or a GGUF file.")
  private Path model;

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  @Override
  public void run() {
    ModelInfo info = LanguageModels.inspect(model);
    PrintWriter out = out();
    if (json) {
      Json.printLine(out, generator -> write(generator, info));
    } else {
      print(out, info);
    }
  }

  private static void print(PrintWriter out, ModelInfo info) {
    ModelConfig config = info.config();
    line(out, "name", info.name());
    line(out, "format", info.format());
    line(out, "family", config.family());
    line(
        out,
        "parameters",
        "%,d (%s)",
        info.parameters(),
        String.join(", ", info.parametersByType().keySet()));
    line(
        out,
        "shape",
        "%d layers, hidden size %,d, feed-forward size %,d%s",
        config.layers(),
        config.hiddenSize(),
        config.feedForwardSize(),
        config.tiedEmbeddings() ? ", tied embeddings" : "");
    line(
        out,
        "attention",
        "%d heads of size %d, %d of keys and values",
        config.heads(),
        config.headSize(),
        config.keyValueHeads());
    line(out, "vocabulary", "%,d ids", config.vocabularySize());
    line(out, "context", context(config.contextLength()));
    line(
        out,
        "end of text",
        info.generation().endOfTextIds().stream()
            .sorted()
            .map(String::valueOf)
            .collect(Collectors.joining(", ")));
    line(
        out,
        "memory",
        "%s as stored, %s as float32; cache %s a token",
        bytes(info.storedBytes()),
        bytes(info.float32Bytes()),
        bytes(info.cacheBytesPerToken()));
    line(
        out,
        "tokenizer",
        info.tokenizer().map(t -> "%s, %,d ids".formatted(t.kind(), t.size())).orElse("none"));
    line(out, "chat template", info.chatTemplate() ? "yes" : "none");
    out.flush();
  }

  private static void line(PrintWriter out, String key, String value, Object... args) {
    out.printf(Locale.ROOT, "%-15s", key).printf(Locale.ROOT, value + "%n", args);
  }

  private static String context(int length) {
    return length == Integer.MAX_VALUE ? "unlimited" : "%,d tokens".formatted(length);
  }

  private static String bytes(long bytes) {
    String[] units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double size = bytes;
    int unit = 0;
    while (size >= 1024 && unit < units.length - 1) {
      size /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
  }

  private static void write(JsonGenerator json, ModelInfo info) throws IOException {
    ModelConfig config = info.config();
    json.writeStartObject();
    json.writeStringField("name", info.name());
    json.writeStringField("format", info.format());
    json.writeStringField("family", config.family());
    json.writeNumberField("parameters", info.parameters());
    json.writeObjectFieldStart("parametersByType");
    for (Map.Entry<String, Long> type : info.parametersByType().entrySet()) {
      json.writeNumberField(type.getKey(), type.getValue());
    }
    json.writeEndObject();
    json.writeNumberField("layers", config.layers());
    json.writeNumberField("hiddenSize", config.hiddenSize());
    json.writeNumberField("feedForwardSize", config.feedForwardSize());
    json.writeNumberField("heads", config.heads());
    json.writeNumberField("keyValueHeads", config.keyValueHeads());
    json.writeNumberField("headSize", config.headSize());
    json.writeNumberField("vocabularySize", config.vocabularySize());
    json.writeNumberField("contextLength", config.contextLength());
    json.writeBooleanField("tiedEmbeddings", config.tiedEmbeddings());
    json.writeArrayFieldStart("endOfTextIds");
    for (int id : new TreeSet<>(info.generation().endOfTextIds())) {
      json.writeNumber(id);
    }
    json.writeEndArray();
    json.writeObjectFieldStart("memory");
    json.writeNumberField("storedBytes", info.storedBytes());
    json.writeNumberField("float32Bytes", info.float32Bytes());
    json.writeNumberField("cacheBytesPerToken", info.cacheBytesPerToken());
    json.writeEndObject();
    json.writeFieldName("tokenizer");
    if (info.tokenizer().isPresent()) {
      json.writeStartObject();
      json.writeStringField("kind", info.tokenizer().get().kind());
      json.writeNumberField("size", info.tokenizer().get().size());
      json.writeEndObject();
    } else {
      json.writeNull();
    }
    json.writeBooleanField("chatTemplate", info.chatTemplate());
    json.writeEndObject();
  }
}
