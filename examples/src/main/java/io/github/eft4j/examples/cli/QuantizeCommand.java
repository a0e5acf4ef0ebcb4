package io.github.eft4j.examples.cli;

import io.github.eft4j.models.format.ModelFormatException;
import io.github.eft4j.models.format.Quantizer;
import io.github.eft4j.tensor.WeightType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes a model as a GGUF file. */
@Command(
    name = "quantize",
    description = {
      "Writes a Hugging Face directory as one GGUF file with smaller weights.",
      "Prints the size of the file."
    })
final class QuantizeCommand extends EftCommand {
  @Parameters(index = "0", paramLabel = "DIR", description = "The model's directory.")
  private Path directory;

  @Parameters(
      index = "1",
      paramLabel = "OUT.gguf",
      description = "The file to write. One that exists is replaced.")
  private Path file;

  @Option(
      names = "--type",
      required = true,
      paramLabel = "TYPE",
      converter = Type.Converter.class,
      description = "How matrices are stored: F32, F16, BF16, Q8_0 or Q4_0.")
  private Type type;

  /** The types that can be written. */
  enum Type {
    F32(WeightType.F32),
    F16(WeightType.F16),
    BF16(WeightType.BF16),
    Q8_0(WeightType.Q8_0),
    Q4_0(WeightType.Q4_0);

    private final WeightType weights;

    Type(WeightType weights) {
      this.weights = weights;
    }

    /** Reads the option. */
    static final class Converter extends WordConverter<Type> {
      Converter() {
        super(Type.class);
      }
    }
  }

  @Override
  public void run() {
    if (!Files.isDirectory(directory)) {
      throw new ModelFormatException(directory + " is not a directory");
    }
    try (TerminalBar bar =
        TerminalBar.onTerminal(
            file.toString(), TerminalBar.Unit.TENSORS, spec.commandLine().getErr())) {
      Quantizer.quantize(directory, file, type.weights, bar::show);
      out().printf("%s: %,d bytes%n", file, Files.size(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
