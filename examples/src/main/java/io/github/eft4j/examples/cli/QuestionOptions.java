package io.github.eft4j.examples.cli;

import io.github.eft4j.examples.facts.Split;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which questions a study asks. */
final class QuestionOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--split",
      paramLabel = "SPLIT",
      converter = SplitConverter.class,
      defaultValue = "test",
      description =
          "Which questions: validation, on which the recipe was chosen, or test."
              + " ${DEFAULT-VALUE} unless given.")
  private QuestionSplit split;

  @Option(
      names = "--questions",
      paramLabel = "N",
      description = "The number of questions. All of the split unless given.")
  private Integer count = Integer.MAX_VALUE;

  /** The splits that hold questions. */
  enum QuestionSplit {
    VALIDATION(Split.VALIDATION),
    TEST(Split.TEST);

    private final Split split;

    QuestionSplit(Split split) {
      this.split = split;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Reads a split as users type it. */
  static final class SplitConverter extends WordConverter<QuestionSplit> {
    SplitConverter() {
      super(QuestionSplit.class);
    }
  }

  Split split() {
    return split.split;
  }

  /** The first of the questions, as many as are wanted. */
  <T> List<T> first(List<T> questions) {
    if (count < 1) {
      throw new ParameterException(
          spec.commandLine(), "--questions is " + count + ", expected at least 1");
    }
    return questions.stream().limit(count).toList();
  }
}
