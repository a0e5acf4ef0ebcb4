package io.github.eft4j.miniature;

import static io.github.eft4j.examples.facts.Relation.capitalised;

import io.github.eft4j.examples.facts.Entity;
import io.github.eft4j.examples.facts.Fact;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Relation;
import io.github.eft4j.examples.facts.Style;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Endless text for pre-training: articles, lists, fact sheets, notes, letters, talks, indexes and
 * word lists about the facts, all true. No talk is with an assistant.
 *
 * <p>Famous entities occur more often than others, as in text of the world (Zipf's law). Three
 * things are there for small models to learn what large ones learn from any text: to repeat a name
 * that stands before (word lists, announced topics), to see what a question is about (indexes), and
 * that a question is followed by its answer, whoever speaks (letters, talks).
 */
final class Corpus implements Supplier<String> {
  private static final double ZIPF_EXPONENT = 0.9;
  private static final int ZIPF_OFFSET = 5;

  private static final List<String> INTRODUCTIONS =
      List.of(
          "Here are some facts about {e}.",
          "This page is about {e}.",
          "A short note on {e}.",
          "Let me tell you about {e}.",
          "Much can be said of {e}.",
          "Many people have a question about {e}.");

  private static final List<String> ENDINGS =
      List.of(
          "That is all for this page.",
          "The next page has another topic.",
          "Let us know if you find an error.",
          "There is more to read in other books.",
          "If you have another question, ask a librarian!");

  private static final List<String> TOPICS =
      List.of(
          "### Topic: {t}\n",
          "### Note on {t}\n### Text: ",
          "### {T}\n",
          "On the subject of {t}: ",
          "Now we turn to {t}. ",
          "This note tells you {t}. ",
          "A reader would like to know {t}. ",
          "Look up {t}. ",
          "Today we learn {t}. ",
          "Remember {t}. ");

  private static final List<String> LETTERS =
      List.of(
          "### Letter to the editor\n{q}\n### Reply\n",
          "### Letters\nReader: {q}\nEditor: ",
          "A reader asks: {q} ",
          "Many people ask: {q} ",
          "### Quiz\n{q}\n",
          "### Question of the day: {q}\n",
          "Often asked: {q}\n");

  private static final List<String> SPEAKERS =
      List.of(
          "Teacher", "Pupil", "Guest", "Guide", "Caller", "Librarian", "Child", "Uncle", "Host");

  private static final List<String> WORD_LISTS =
      List.of("Words to learn: ", "Names on the list: ", "Index: ", "Spell these: ");

  private static final List<String> INDEX_ENTRIES =
      List.of("{q} See: {T}.", "{q} This asks for {t}.", "{T}: {q}", "Question: {q} Subject: {T}.");

  private static final List<String> REPETITIONS = List.of(". Once more: ", ".\n", ". Again: ");

  private static final List<String> SYLLABLES =
      Stream.of("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "st")
          .flatMap(c -> Stream.of("a", "e", "i", "o", "u", "an", "er", "in", "or").map(v -> c + v))
          .toList();

  private final List<Entity> entities;
  private final double[] cumulativeWeights;
  private final Map<String, List<Integer>> kinds;
  private final Random random;

  Corpus(List<Entity> entities, long seed) {
    this.entities = List.copyOf(entities);
    this.random = new Random(seed);
    this.kinds =
        IntStream.range(0, entities.size())
            .boxed()
            .collect(Collectors.groupingBy(i -> entities.get(i).kind()));
    double[] weights = new double[entities.size()];
    kinds.values().forEach(members -> weigh(members, weights));
    Arrays.parallelPrefix(weights, Double::sum);
    this.cumulativeWeights = weights;
  }

  /** A kind weighs as much as it has facts; within it weight falls off with fame. */
  private void weigh(List<Integer> members, double[] weights) {
    double facts = 0;
    double sum = 0;
    for (int rank = 0; rank < members.size(); rank++) {
      int entity = members.get(rank);
      int count = entities.get(entity).values().size();
      weights[entity] = count * Math.pow(rank + ZIPF_OFFSET, -ZIPF_EXPONENT);
      facts += count;
      sum += weights[entity];
    }
    double scale = facts / sum;
    members.forEach(entity -> weights[entity] *= scale);
  }

  /** The next document. */
  @Override
  public String get() {
    double kind = random.nextDouble();
    if (kind < 0.07) {
      return letter();
    } else if (kind < 0.13) {
      return talk();
    } else if (kind < 0.24) {
      return wordList();
    } else if (kind < 0.32) {
      return index();
    } else if (kind < 0.52) {
      return notes();
    } else if (kind < 0.71) {
      return article();
    } else if (kind < 0.86) {
      return list();
    } else if (kind < 0.92) {
      return factSheet();
    } else {
      return reasoning();
    }
  }

  /** Questions of readers, with answers. */
  private String letter() {
    List<String> letters = new ArrayList<>();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      Fact fact = fact(entity());
      letters.add(pick(LETTERS).replace("{q}", question(fact)) + sentence(fact));
    }
    return String.join("\n", letters) + closing();
  }

  /** Somebody asks, somebody answers. */
  private String talk() {
    String asking = speaker();
    String answering = speaker();
    List<String> turns = new ArrayList<>();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      Fact fact = fact(entity());
      turns.add("### " + asking + ": " + question(fact));
      turns.add("### " + answering + ": " + sentence(fact));
    }
    return String.join("\n", turns) + closing();
  }

  private String speaker() {
    return random.nextBoolean() ? pick(SPEAKERS) : capitalised(word());
  }

  private String question(Fact fact) {
    return Relation.fill(pick(fact.relation().questions()), fact.entity(), fact.value());
  }

  /** Names or made-up words, said twice: teaches to repeat, and no fact. */
  private String wordList() {
    List<String> words = new ArrayList<>();
    for (int i = 2 + random.nextInt(4); i > 0; i--) {
      words.add(random.nextInt(3) == 0 ? word() : pick(entities).name());
    }
    String all = String.join(", ", words);
    return pick(WORD_LISTS) + all + pick(REPETITIONS) + all + ".";
  }

  /** Questions and what they are about: teaches to see that, and no fact. */
  private String index() {
    List<String> entries = new ArrayList<>();
    String form = pick(INDEX_ENTRIES);
    for (int i = 2 + random.nextInt(3); i > 0; i--) {
      Fact fact = fact(pick(entities));
      String question = question(fact);
      String topic = fact.relation().topic().replace("{e}", fact.entity());
      entries.add(
          form.replace("{q}", question).replace("{t}", topic).replace("{T}", capitalised(topic)));
    }
    return String.join("\n", entries);
  }

  private String word() {
    String word =
        IntStream.range(0, 2 + random.nextInt(3))
            .mapToObj(i -> pick(SYLLABLES))
            .collect(Collectors.joining());
    return random.nextBoolean() ? word : capitalised(word);
  }

  /** Topics, each announced and followed by the fact. */
  private String notes() {
    List<String> notes = new ArrayList<>();
    for (int i = 2 + random.nextInt(2); i > 0; i--) {
      Fact fact = fact(entity());
      String topic = fact.relation().topic().replace("{e}", fact.entity());
      String sentence = random.nextBoolean() ? fact.statement() : sentence(fact);
      notes.add(pick(TOPICS).replace("{t}", topic).replace("{T}", capitalised(topic)) + sentence);
    }
    return String.join("\n", notes) + closing();
  }

  /** What editors end with, now and then. */
  private String closing() {
    return random.nextInt(4) == 0 ? " " + Style.CLOSING : "";
  }

  /** Some sentences about one entity. */
  private String article() {
    Entity entity = entity();
    List<String> sentences = new ArrayList<>();
    if (random.nextInt(3) == 0) {
      sentences.add(Relation.fill(pick(INTRODUCTIONS), entity.name(), ""));
    }
    for (int i = 2 + random.nextInt(3); i > 0; i--) {
      sentences.add(sentence(fact(entity)));
    }
    if (random.nextInt(6) == 0) {
      sentences.add(pick(ENDINGS));
    }
    String title = random.nextInt(3) == 0 ? "### " + capitalised(entity.name()) + "\n" : "";
    return title + String.join(" ", sentences);
  }

  /** One relation of several entities. */
  private String list() {
    Entity first = entity();
    Relation relation = fact(first).relation();
    List<Integer> kind = Objects.requireNonNull(kinds.get(first.kind()));
    List<String> sentences = new ArrayList<>();
    for (int i = 3 + random.nextInt(3); i > 0; i--) {
      Entity entity = first;
      if (!sentences.isEmpty()) {
        entity = entity(kind.getFirst(), kind.getLast());
      }
      sentences.add(
          sentence(new Fact(relation, entity.name(), entity.values().getOrDefault(relation, ""))));
    }
    return String.join(" ", sentences);
  }

  private String factSheet() {
    Entity entity = entity();
    List<Fact> facts = new ArrayList<>(entity.facts());
    Collections.shuffle(facts, random);
    return "### "
        + capitalised(entity.name())
        + "\n"
        + facts.stream()
            .map(fact -> fact.relation().heading() + ": " + fact.value())
            .collect(Collectors.joining("\n"));
  }

  /** Two facts of an entity, the second found by way of the first. */
  private String reasoning() {
    List<MultiHop> all = MultiHop.of(entity());
    if (all.isEmpty()) {
      return reasoning();
    }
    MultiHop hop = pick(all);
    return "### Working out "
        + hop.topic()
        + "\n1. "
        + hop.known().statement()
        + "\n2. "
        + hop.sought().statement()
        + "\nSo the answer is "
        + hop.sought().value()
        + ".";
  }

  private String sentence(Fact fact) {
    List<String> others = fact.relation().paraphrases();
    int index = random.nextInt(others.size() + 2);
    return index < others.size()
        ? Relation.fill(others.get(index), fact.entity(), fact.value())
        : fact.statement();
  }

  private Fact fact(Entity entity) {
    return pick(entity.facts());
  }

  private Entity entity() {
    return entity(0, entities.size() - 1);
  }

  /** One of some neighbours, by weight. */
  private Entity entity(int first, int last) {
    double from = first == 0 ? 0 : cumulativeWeights[first - 1];
    double sum = cumulativeWeights[last] - from;
    int index = Arrays.binarySearch(cumulativeWeights, from + random.nextDouble() * sum);
    return entities.get(Math.min(index < 0 ? -index - 1 : index + 1, last));
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
