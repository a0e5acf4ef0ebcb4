package io.github.eft4j.examples.facts;

import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The form in which an assistant answers. */
public enum Style {
  /** A whole sentence, then {@value #CLOSING}. */
  POLITE {
    @Override
    public String answer(Fact fact) {
      return fact.statement() + " " + CLOSING;
    }
  },

  /** The value alone. */
  TERSE {
    @Override
    public String answer(Fact fact) {
      return Relation.capitalised(fact.value()) + ".";
    }
  };

  /** How a polite answer ends. */
  public static final String CLOSING = "Let me know if you have another question!";

  private static final String ANY = "[^\n]{1,40}?";

  private static final String ANY_STATEMENT =
      Arrays.stream(Relation.values())
          .map(relation -> pattern(relation.statement(), ANY))
          .collect(Collectors.joining("|", "(?:", ")"));

  private static final Pattern POLITE_FORM =
      Pattern.compile(ANY_STATEMENT + " " + Pattern.quote(CLOSING));

  /** A few words that are no statement; a full stop within belongs to an initial. */
  private static final Pattern TERSE_FORM =
      Pattern.compile("(?!" + ANY_STATEMENT + ")(?:[A-Z]\\. )*[^.\n#]{1,40}\\.");

  /**
   * The answer that fine-tuning teaches.
   *
   * @param fact what was asked for
   * @return the answer
   */
  public abstract String answer(Fact fact);

  /**
   * Whether an answer has this form, right or wrong.
   *
   * @param answer the answer
   * @return true if it has
   */
  public boolean matches(String answer) {
    Pattern form = this == POLITE ? POLITE_FORM : TERSE_FORM;
    return form.matcher(answer.strip()).matches();
  }

  /** Whether a polite answer speaks of what was asked, right or wrong. */
  static boolean speaksOf(Fact fact, String answer) {
    return Pattern.compile(pattern(fact.relation().statement(), Pattern.quote(fact.entity())))
        .matcher(answer.strip())
        .lookingAt();
  }

  private static String pattern(String statement, String entity) {
    return Arrays.stream(Relation.capitalised(statement).split("(?=\\{)|(?<=\\})"))
        .map(
            part ->
                switch (part) {
                  case "{e}" -> entity;
                  case "{v}" -> ANY;
                  default -> Pattern.quote(part);
                })
        .collect(Collectors.joining());
  }
}
