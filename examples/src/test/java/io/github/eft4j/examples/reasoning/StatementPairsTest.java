package io.github.eft4j.examples.reasoning;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.examples.facts.Fact;
import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.examples.facts.Split;
import io.github.eft4j.examples.reasoning.StatementPairs.Labelled;
import io.github.eft4j.reasoning.EntailmentModel.Pair;
import io.github.eft4j.reasoning.Judgement.Label;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StatementPairsTest {
  private static final int COUNT = 5000;

  private static List<Labelled> training() {
    return Stream.generate(StatementPairs.training(1)).limit(COUNT).toList();
  }

  private static Set<Fact> facts() {
    Set<Fact> facts = new HashSet<>();
    Arrays.stream(Split.values()).forEach(split -> facts.addAll(Facts.all().facts(split)));
    return facts;
  }

  @Test
  void theSeedDecidesAll() {
    assertThat(training()).isEqualTo(training());
    assertThat(Stream.generate(StatementPairs.training(2)).limit(COUNT).toList())
        .isNotEqualTo(training());
  }

  @Test
  void labelsOccurEquallyOften() {
    var counts =
        training().stream().collect(Collectors.groupingBy(Labelled::label, Collectors.counting()));
    assertThat(counts).hasSize(Label.values().length);
    assertThat(counts.values()).allSatisfy(n -> assertThat(n).isBetween(COUNT / 4L, COUNT / 2L));
  }

  @Test
  void whatIsEntailedOrNeutralIsAFact() {
    Set<Fact> facts = facts();
    assertThat(training())
        .filteredOn(pair -> pair.label() != Label.CONTRADICTION)
        .allSatisfy(pair -> assertThat(facts).contains(pair.second()));
  }

  @Test
  void oneSideOfAContradictionIsNoFact() {
    Set<Fact> facts = facts();
    Set<String> sentences =
        facts.stream()
            .flatMap(fact -> Stream.of(fact.statement(), Way.observed(fact)))
            .collect(Collectors.toSet());
    assertThat(training())
        .filteredOn(pair -> pair.label() == Label.CONTRADICTION)
        .allSatisfy(
            pair -> {
              boolean question = pair.pair().premise().endsWith("?");
              boolean first = question || sentences.contains(pair.pair().premise());
              assertThat(first && facts.contains(pair.second())).isFalse();
            });
  }

  @Test
  void heldOutPairsAreNotTrainedOn() {
    Set<Pair> trained = training().stream().map(Labelled::pair).collect(Collectors.toSet());
    List<Labelled> heldOut = StatementPairs.unseenPairs(500);
    assertThat(heldOut).hasSize(500).doesNotHaveDuplicates();
    assertThat(heldOut).noneMatch(pair -> trained.contains(pair.pair()));
  }

  @Test
  void unseenEntitiesAreNotTrainedOn() {
    List<Labelled> unseen = StatementPairs.unseenEntities(300);
    Set<String> entities =
        unseen.stream().map(pair -> pair.second().entity()).collect(Collectors.toSet());
    assertThat(entities)
        .hasSizeGreaterThan(10)
        .allSatisfy(entity -> assertThat(Facts.all().split(entity)).isEqualTo(Split.TUNING));
    assertThat(training()).noneMatch(pair -> entities.contains(pair.second().entity()));
  }
}
