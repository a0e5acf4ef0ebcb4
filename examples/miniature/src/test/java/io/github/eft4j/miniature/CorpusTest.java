package io.github.eft4j.miniature;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.eft4j.examples.facts.Fact;
import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.examples.facts.Relation;
import io.github.eft4j.examples.facts.Split;
import io.github.eft4j.examples.facts.Style;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CorpusTest {
  private static final int DOCUMENTS = 5000;

  private static List<String> documents(long seed) {
    return Stream.generate(new Corpus(Facts.all().entities(), seed)).limit(DOCUMENTS).toList();
  }

  @Test
  void isTheSameForTheSameSeed() {
    assertThat(documents(1)).isEqualTo(documents(1)).isNotEqualTo(documents(2));
  }

  /** Whatever a document says in the words of a statement or of a fact sheet is a fact. */
  @Test
  void isTrue() {
    Set<Fact> facts = new HashSet<>();
    Arrays.stream(Split.values()).forEach(split -> facts.addAll(Facts.all().facts(split)));
    Set<Fact> said = new HashSet<>();
    List<String> documents = documents(3);
    for (Relation relation : Relation.values()) {
      Pattern statement =
          Pattern.compile(
              "\\Q"
                  + relation
                      .statement()
                      .replace("{e}", "\\E([^\n.]{1,40}?)\\Q")
                      .replace("{v}", "\\E([^\n]{1,40}?)\\Q")
                      .replaceFirst("\\.$", "\\\\E\\\\.(?: |\n|\\$)"));
      for (String document : documents) {
        for (Matcher m = statement.matcher(document); m.find(); ) {
          said.add(new Fact(relation, m.group(1), m.group(2)));
        }
      }
    }
    assertThat(said).hasSizeGreaterThan(600);
    assertThat(said.stream().filter(fact -> !facts.contains(fact)))
        .allSatisfy( // a full stop within a name ends the match too early
            fact -> assertThat(fact.value()).matches("[A-Z]"));
  }

  @Test
  void holdsWhatItPromises() {
    String all = String.join("\n\n", documents(4));
    assertThat(all)
        .contains(Style.CLOSING, "### Topic: ", "Once more: ", "### Working out ", "### Quiz")
        .containsPattern("### Teacher: .*\\?\n### [A-Z][a-z]+: [A-Z]")
        .doesNotContain("User", "Assistant", "{");
  }

  @Test
  void famousEntitiesOccurMoreOften() {
    String all = String.join("\n", documents(5));
    assertThat(all.split("France", -1).length).isGreaterThan(3 * all.split("Brunei", -1).length);
    assertThat(all).contains("Brunei", "fermium", "Pavane");
  }
}
