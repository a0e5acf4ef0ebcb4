package io.github.eft4j.examples.cli;

import static io.github.eft4j.examples.cli.EftRun.eft;
import static io.github.eft4j.examples.cli.EftRun.model;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.ChatMessage;
import io.github.eft4j.CompletionListener;
import io.github.eft4j.EftSampler;
import io.github.eft4j.LogitCombiner;
import io.github.eft4j.Prompt;
import io.github.eft4j.models.LanguageModels;
import io.github.eft4j.models.LoadOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {
  private static final String FIRST = "What is the capital of Finland?";
  private static final String SECOND = "And of Norway?";
  private static final String[] UP_SCALED = {
    "--large", model("large-base"), "--tuned", model("small-tuned"), "--base", model("small-base")
  };

  /** What makes every difference in a prompt show in the answer. */
  private static final String[] SENSITIVE = {
    "--temperature", "2", "--seed", "7", "--max-new-tokens", "20"
  };

  private static String[] with(String[] options, String... more) {
    return Stream.of(options, more).flatMap(Stream::of).toArray(String[]::new);
  }

  private static EftRun chat(String input, Charset charset, String[] models, String... more) {
    InputStream standard = System.in;
    System.setIn(new ByteArrayInputStream(input.getBytes(charset)));
    try {
      return eft(with(with(new String[] {"chat"}, models), more));
    } finally {
      System.setIn(standard);
    }
  }

  private static EftRun small(String input, String... more) {
    EftRun run = chat(input, UTF_8, new String[] {"--model", model("small-tuned")}, more);
    assertThat(run.status()).isZero();
    return run;
  }

  @Test
  void remembersWhatWasSaid() {
    String input = FIRST + "\n\n  " + SECOND + "\n/exit\nnot read\n";
    String[] options = with(SENSITIVE, "--system", "Be brief.");
    EftRun run = chat(input, UTF_8, UP_SCALED, options);
    assertThat(run.status()).isZero();
    try (var large = LanguageModels.load(Path.of(model("large-base")));
        var tuned = LanguageModels.load(Path.of(model("small-tuned")));
        var base = LanguageModels.load(Path.of(model("small-base")))) {
      EftSampler sampler =
          EftSampler.builder(LogitCombiner.upScale(large, tuned, base))
              .temperature(2)
              .seed(7)
              .maxNewTokens(20)
              .build();
      ChatMessage system = ChatMessage.system("Be brief.");
      ChatMessage question = ChatMessage.user(FIRST);
      String first = sampler.sample(Prompt.chat(system, question)).text();
      ChatMessage answer = ChatMessage.assistant(first.strip());
      String second =
          sampler.sample(Prompt.chat(system, question, answer, ChatMessage.user(SECOND))).text();
      assertThat(first).isNotBlank();
      assertThat(run.out()).isEqualTo(first.stripLeading() + "\n" + second.stripLeading() + "\n");
    }
    assertThat(chat(input, UTF_8, UP_SCALED, with(options, "--speculate"))).isEqualTo(run);
    assertThat(chat(input, UTF_8, UP_SCALED, SENSITIVE).out()).isNotEqualTo(run.out());
  }

  @Test
  void forgetsWhenAsked() {
    String alone = small(FIRST, SENSITIVE).out();
    assertThat(small("Why?\n/reset\n" + FIRST + "\n", SENSITIVE).out()).endsWith("\n" + alone);
    assertThat(small("Why?\n" + FIRST + "\n", SENSITIVE).out()).doesNotEndWith("\n" + alone);
  }

  @Test
  void forgetsTheOldestWhenTheContextIsFull() {
    int context = 80;
    int longest = 20;
    int forgotten = 0;
    try (var model =
        LanguageModels.load(
            Path.of(model("small-tuned")), LoadOptions.defaults().withContextLength(context))) {
      EftSampler sampler =
          EftSampler.builder(LogitCombiner.of(model)).greedy().maxNewTokens(longest).build();
      Conversation conversation = new Conversation(sampler, List.of(ChatMessage.system("Hi.")));
      List<ChatMessage> said = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        said.add(ChatMessage.user(FIRST));
        Conversation.Answer answer =
            conversation.ask(FIRST, new CompletionListener() {}, () -> false);
        said.subList(0, 2 * answer.forgotten()).clear();
        forgotten += answer.forgotten();
        said.addFirst(ChatMessage.system("Hi."));
        assertThat(answer.completion().text())
            .isEqualTo(sampler.sample(new Prompt.Chat(said)).text());
        said.removeFirst();
        assertThat(answer.completion().promptTokens()).isLessThanOrEqualTo(context - longest);
        said.add(ChatMessage.assistant(answer.completion().text().strip()));
      }
    }
    assertThat(forgotten).isBetween(1, 7);
    assertThat(
            small(
                    (FIRST + "\n").repeat(8),
                    "--greedy",
                    "--context-length",
                    String.valueOf(context),
                    "--max-new-tokens",
                    String.valueOf(longest))
                .err())
        .contains("eft: the context is full: the oldest exchanges (1) are forgotten\n");
  }

  @Test
  void aQuestionThatIsTooLongIsRefusedAndForgotten() {
    String[] options = {"--greedy", "--context-length", "100"};
    EftRun run = small(FIRST + "\n" + "why ".repeat(200) + "\n" + SECOND, options);
    assertThat(run.out()).isEqualTo(small(FIRST + "\n" + SECOND, options).out());
    assertThat(run.err())
        .startsWith("eft: the prompt has ")
        .contains("but the context of model small-tuned holds 100");
  }

  @Test
  void saysWhenAnAnswerWasCutOff() {
    EftRun run = small(FIRST, "--greedy", "--max-new-tokens", "2");
    assertThat(run.out()).isNotBlank();
    assertThat(run.err()).contains("--max-new-tokens").hasLineCount(1);
    run = small(FIRST, "--ignore-eos", "--context-length", "50", "--max-new-tokens", "99");
    assertThat(run.err()).isEqualTo("eft: the context is full, and the answer was cut off\n");
  }

  @Test
  void anUnknownCommandIsNoQuestion() {
    assertThat(small("/bye\n"))
        .isEqualTo(new EftRun(0, "", "eft: there is no /bye, only /reset and /exit\n"));
  }

  @Test
  void inputThatIsNotUtf8IsRefused() {
    String[] models = {"--model", model("small-tuned")};
    assertThat(chat("é\n", ISO_8859_1, models))
        .isEqualTo(new EftRun(2, "", "eft: standard input is not UTF-8\n"));
  }

  @Test
  void aModelWithoutATemplateIsRefusedAtOnce(@TempDir Path directory) throws IOException {
    try (var files = Files.list(Path.of(model("small-base")))) {
      for (Path file : files.filter(f -> !f.endsWith("chat_template.jinja")).toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
    EftRun run = chat("", UTF_8, new String[] {"--model", directory.toString()});
    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("has no chat template").hasLineCount(1);
  }
}
