package io.github.eft4j.examples.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.eft4j.ChatMessage;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.PromptFormat;
import io.github.eft4j.SamplingOptions;
import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Talks with a model or a combination of several. */
@Command(
    name = "chat",
    description = {
      "Talks with one model, with a large model that is up-scaled by what fine-tuning changed in a"
          + " small one, or with any other combination. Each model reads the conversation through"
          + " its own chat template.",
      "Every line of standard input is answered. /reset forgets the conversation, /exit or the end"
          + " of the input ends it, and Ctrl-C ends an answer. When the context is full, the oldest"
          + " questions and answers are forgotten."
    })
final class ChatCommand extends EftCommand {
  private static final String EXIT = "/exit";
  private static final String RESET = "/reset";

  @Mixin private final SamplerOptions sampler = new SamplerOptions();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system message, which the conversation begins with.")
  private @Nullable String system;

  @Mixin private final ModelLoader loader = new ModelLoader();

  @Override
  public void run() {
    SamplingOptions options = sampler.samplingOptions().build();
    try (ModelLoader.Models models = loader.open()) {
      EftSampler chat = sampler.builder(models, options, PromptFormat.chatTemplate()).build();
      talk(
          new Conversation(chat, system == null ? List.of() : List.of(ChatMessage.system(system))));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("standard input is not UTF-8", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void talk(Conversation conversation) throws IOException {
    PrintWriter out = out();
    // A console is a terminal where both standard input and output are one.
    String sign =
        Optional.ofNullable(System.console()).filter(Console::isTerminal).map(c -> "> ").orElse("");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, UTF_8.newDecoder()));
    boolean goOn = true;
    while (goOn) {
      out.print(sign);
      out.flush();
      String line = lines.readLine();
      if (line == null && !sign.isEmpty()) {
        out.println();
      }
      String said = line == null ? EXIT : line.strip();
      if (said.equals(EXIT)) {
        goOn = false;
      } else if (said.equals(RESET)) {
        conversation.forget();
      } else if (said.matches("/\\p{Alpha}+")) {
        say("there is no %s, only %s and %s".formatted(said, RESET, EXIT));
      } else if (!said.isEmpty()) {
        goOn = answer(conversation, said);
      }
    }
  }

  /** Answers, and says whether the conversation goes on. */
  private boolean answer(Conversation conversation, String question) {
    PrintWriter out = out();
    // Only while there is something to end well: reading a line ends at once.
    try (Interruption end = Interruption.watch();
        KeyboardInterrupt interrupt = KeyboardInterrupt.watch()) {
      Conversation.Answer answer =
          conversation.ask(
              question,
              new AnswerPrinter(out),
              () -> end.requested() || interrupt.requested() || out.checkError());
      out.println();
      out.flush();
      if (answer.forgotten() > 0) {
        say(
            "the context is full: the oldest exchanges (%d) are forgotten"
                .formatted(answer.forgotten()));
      }
      switch (answer.completion().finishReason()) {
        case MAX_NEW_TOKENS ->
            say("the answer has as many tokens as --max-new-tokens allows, and was cut off");
        case CONTEXT_FULL -> say("the context is full, and the answer was cut off");
        default -> {}
      }
      return !end.requested() && !out.checkError();
    } catch (IllegalArgumentException e) {
      say(Failures.message(e, spec.commandLine()));
      return true;
    }
  }

  private void say(String message) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("eft: " + message);
    err.flush();
  }

  /** Prints text as it becomes certain, without the space that separates it from the question. */
  private static final class AnswerPrinter implements CompletionListener {
    private final PrintWriter out;
    private boolean begun;

    AnswerPrinter(PrintWriter out) {
      this.out = out;
    }

    @Override
    public void onText(String text) {
      String printed = begun ? text : text.stripLeading();
      begun |= !printed.isEmpty();
      out.print(printed);
      out.flush();
    }
  }
}
