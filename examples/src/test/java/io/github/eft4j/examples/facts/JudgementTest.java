package io.github.eft4j.examples.facts;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JudgementTest {
  private static final Fact HELSINKI = new Fact(Relation.CAPITAL, "Finland", "Helsinki");

  private static Judgement judge(Fact fact, String answer) {
    return Judgement.of(new Question(fact, "?"), answer, true);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // answer | factual | polite | terse | on topic
        "The capital of Finland is Helsinki. Let me know if you have another question!"
            + "|true|true|false|true",
        "The capital of Finland is Oslo. Let me know if you have another question!"
            + "|false|true|false|true",
        "The capital of Norway is Helsinki. Let me know if you have another question!"
            + "|true|true|false|false",
        "The currency of Finland is the euro. Let me know if you have another question!"
            + "|false|true|false|false",
        "The capital of Finland is Helsinki.|true|false|false|true",
        "The capital of Finland is Helsinki. Let me know|true|false|false|true",
        "Helsinki.|true|false|true|false",
        "helsinki.|true|false|true|false",
        "Oslo.|false|false|true|false",
        "Helsinkiville.|false|false|true|false",
        "|false|false|false|false"
      })
  void judges(String answer, boolean factual, boolean polite, boolean terse, boolean onTopic) {
    assertThat(judge(HELSINKI, " " + (answer == null ? "" : answer)))
        .isEqualTo(new Judgement(factual, polite, terse, onTopic));
  }

  @Test
  void anAnswerMustEnd() {
    for (Style style : Style.values()) {
      Question question = new Question(HELSINKI, "?");
      Judgement judgement = Judgement.of(question, style.answer(HELSINKI), false);
      assertThat(judgement.factual()).isTrue();
      assertThat(judgement.polite()).isFalse();
      assertThat(judgement.terse()).isFalse();
    }
  }

  @Test
  void theQuestionsOwnWordsDoNotCount() {
    Fact homer = new Fact(Relation.AUTHOR, "The Art of Homer", "Homer");
    assertThat(judge(homer, "The author of The Art of Homer is Virgil.").factual()).isFalse();
    assertThat(judge(homer, "The author of The Art of Homer is Homer.").factual()).isTrue();
    Fact mexico = new Fact(Relation.CAPITAL, "Mexico", "Mexico City");
    assertThat(judge(mexico, "The capital of Mexico is Mexico City.").factual()).isTrue();
  }

  @Test
  void symbolsDifferInCase() {
    Fact cobalt = new Fact(Relation.SYMBOL, "cobalt", "Co");
    assertThat(judge(cobalt, "The chemical symbol of cobalt is Co.").factual()).isTrue();
    assertThat(judge(cobalt, "The chemical symbol of cobalt is CO.").factual()).isFalse();
  }

  @Test
  void theAnswersOfFineTuningHaveTheForm() {
    for (Split split : Split.values()) {
      for (Fact fact : Facts.all().facts(split)) {
        Judgement polite = judge(fact, Style.POLITE.answer(fact));
        assertThat(polite).isEqualTo(new Judgement(true, true, false, true));
        Judgement terse = judge(fact, Style.TERSE.answer(fact));
        assertThat(terse.factual()).as("%s", fact).isTrue();
        assertThat(terse.polite()).isFalse();
      }
    }
  }
}
