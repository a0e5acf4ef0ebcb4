package io.github.eft4j.examples.facts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FactsTest {
  private static Set<String> entities(Split split) {
    return Facts.all().facts(split).stream().map(Fact::entity).collect(Collectors.toSet());
  }

  @Test
  void everyEntityIsInOnePart() {
    Set<String> all = new HashSet<>();
    for (Split split : Split.values()) {
      Set<String> some = entities(split);
      assertThat(all).doesNotContainAnyElementsOf(some);
      all.addAll(some);
    }
    assertThat(all)
        .containsExactlyInAnyOrderElementsOf(
            Facts.all().entities().stream().map(Entity::name).toList());
  }

  @Test
  void partsHaveTheirShares() {
    int all = Facts.all().entities().size();
    assertThat(entities(Split.TUNING).size()).isBetween(all * 38 / 100, all * 42 / 100);
    assertThat(entities(Split.VALIDATION).size()).isBetween(all * 18 / 100, all * 22 / 100);
    assertThat(Facts.all().questions(Split.TEST)).hasSizeGreaterThan(300);
  }

  @ParameterizedTest
  @EnumSource(names = {"VALIDATION", "TEST"})
  void questionsAskForTheFactsOfTheirPart(Split split) {
    List<Question> questions = Facts.all().questions(split);
    assertThat(questions.stream().map(Question::fact))
        .containsExactlyInAnyOrderElementsOf(Facts.all().facts(split));
    assertThat(questions)
        .allSatisfy(q -> assertThat(q.text()).containsIgnoringCase(q.fact().entity()))
        .noneSatisfy(q -> assertThat(q.text()).contains("{"));
    assertThat(questions.subList(0, 40).stream().map(q -> q.fact().relation()).distinct())
        .hasSizeGreaterThan(7);
    assertThat(Facts.all().questions(split)).isEqualTo(questions);
  }

  @ParameterizedTest
  @CsvSource({
    "Finland, CAPITAL, Helsinki",
    "Suriname, CURRENCY, dollar",
    "tungsten, SYMBOL, W",
    "fermium, NUMBER, 100",
    "Vermont, STATE_CAPITAL, Montpelier",
    "Ulysses, AUTHOR, James Joyce",
    "Finlandia, COMPOSER, Jean Sibelius",
    "newt, YOUNG, eft",
    "newt, ANIMAL_CLASS, amphibian"
  })
  void knows(String entity, Relation relation, String value) {
    Fact fact = new Fact(relation, entity, value);
    assertThat(Facts.all().facts(Facts.all().split(entity))).contains(fact);
  }

  @Test
  void anUnknownEntityHasNoPart() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Facts.all().split("Atlantis"))
        .withMessage("there is no entity Atlantis");
  }

  @Test
  void sentencesNameWhatTheySpeakOf() {
    for (Relation relation : Relation.values()) {
      assertThat(relation.statement()).contains("{e}", "{v}");
      assertThat(relation.paraphrases()).allSatisfy(p -> assertThat(p).contains("{e}", "{v}"));
      assertThat(relation.questions())
          .hasSize(4)
          .allSatisfy(q -> assertThat(q).contains("{e}").doesNotContain("{v}"));
      assertThat(relation.topic()).contains("{e}").doesNotContain("{v}");
    }
    assertThat(Arrays.stream(Relation.values()).map(Relation::statement)).doesNotHaveDuplicates();
  }

  @Test
  void questionsOfTwoSteps() {
    Entity finland =
        Facts.all().entities().stream()
            .filter(e -> e.name().equals("Finland"))
            .findFirst()
            .orElseThrow();
    assertThat(MultiHop.of(finland).stream().map(MultiHop::question))
        .contains("What is the continent of the country whose capital is Helsinki?")
        .hasSize(3)
        .noneMatch(question -> question.contains("Finland"));
  }

  @Test
  void questionsOfTwoStepsByPart() {
    assertThat(MultiHop.of(Split.TEST))
        .hasSize(208)
        .doesNotHaveDuplicates()
        .isEqualTo(MultiHop.of(Split.TEST))
        .allSatisfy(
            hop -> assertThat(Facts.all().split(hop.known().entity())).isEqualTo(Split.TEST));
    assertThat(MultiHop.of(Split.TEST).stream().limit(20).map(hop -> hop.sought().relation()))
        .contains(Relation.CONTINENT, Relation.LANGUAGE, Relation.CURRENCY, Relation.NUMBER);
  }
}
