package io.github.eft4j.examples.facts;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;

/** All facts, and the split of their entities. */
public final class Facts {
  private static final String SEPARATOR = "\\|";

  /** Of five neighbours in fame. */
  private static final List<Split> SHARES =
      List.of(Split.TUNING, Split.TUNING, Split.VALIDATION, Split.TEST, Split.TEST);

  /** The split and the questions are the same whatever seed a model is trained with. */
  private static final long SPLIT_SEED = 2310;

  private static final Facts ALL = read();

  private final List<Entity> entities;
  private final Map<String, Split> splits;

  private Facts(List<Entity> entities) {
    this.entities = List.copyOf(entities);
    this.splits = split(entities);
  }

  /**
   * The facts that come with the examples.
   *
   * @return the facts
   */
  public static Facts all() {
    return ALL;
  }

  private static Facts read() {
    List<Entity> entities = new ArrayList<>();
    entities.addAll(
        read(
            "countries.txt",
            "country",
            Relation.CAPITAL,
            Relation.CONTINENT,
            Relation.LANGUAGE,
            Relation.CURRENCY));
    entities.addAll(read("elements.txt", "element", Relation.SYMBOL, Relation.NUMBER));
    entities.addAll(read("states.txt", "state", Relation.STATE_CAPITAL));
    entities.addAll(read("books.txt", "book", Relation.AUTHOR));
    entities.addAll(read("music.txt", "music", Relation.COMPOSER));
    entities.addAll(read("animals.txt", "animal", Relation.YOUNG, Relation.ANIMAL_CLASS));
    return new Facts(entities);
  }

  /** A line names an entity and its values; the first line says what stands in which column. */
  private static List<Entity> read(String file, String kind, Relation... relations) {
    try (InputStream in =
        Objects.requireNonNull(Facts.class.getResourceAsStream(file), () -> file + " is missing")) {
      return new String(in.readAllBytes(), UTF_8)
          .lines()
          .skip(1)
          .map(line -> List.of(line.split(SEPARATOR, -1)))
          .map(columns -> entity(kind, columns, relations))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Entity entity(String kind, List<String> columns, Relation... relations) {
    if (columns.size() != relations.length + 1) {
      throw new IllegalStateException(
          "%s has %d columns, expected %d"
              .formatted(columns, columns.size(), relations.length + 1));
    }
    Map<Relation, String> values = new EnumMap<>(Relation.class);
    IntStream.range(0, relations.length).forEach(i -> values.put(relations[i], columns.get(i + 1)));
    return new Entity(columns.getFirst(), kind, values);
  }

  /** Each five neighbours in fame are shared out, so that every part has famous and rare ones. */
  private static Map<String, Split> split(List<Entity> entities) {
    Random random = new Random(SPLIT_SEED);
    Map<String, Split> splits = new HashMap<>();
    List<Split> left = new ArrayList<>();
    String kind = "";
    for (Entity entity : entities) {
      if (left.isEmpty() || !entity.kind().equals(kind)) {
        kind = entity.kind();
        left.clear();
        left.addAll(SHARES);
        Collections.shuffle(left, random);
      }
      splits.put(entity.name(), left.removeLast());
    }
    return splits;
  }

  /**
   * All entities, those of a kind together and in order of fame.
   *
   * @return the entities
   */
  public List<Entity> entities() {
    return entities;
  }

  /**
   * The part that an entity belongs to.
   *
   * @param entity its name
   * @return the part
   * @throws IllegalArgumentException if there is no such entity
   */
  public Split split(String entity) {
    Split split = splits.get(entity);
    if (split == null) {
      throw new IllegalArgumentException("there is no entity " + entity);
    }
    return split;
  }

  /**
   * The facts of one part.
   *
   * @param split the part
   * @return the facts of its entities
   */
  public List<Fact> facts(Split split) {
    return entities.stream()
        .filter(entity -> split(entity.name()) == split)
        .flatMap(entity -> entity.facts().stream())
        .toList();
  }

  /**
   * One question for every fact of one part, in an order that is always the same one and mixes all
   * relations, so that any number of first questions is a fair sample.
   *
   * @param split the part
   * @return the questions
   */
  public List<Question> questions(Split split) {
    Random random = new Random(SPLIT_SEED);
    List<Question> questions = new ArrayList<>();
    for (Fact fact : facts(split)) {
      List<String> forms = fact.relation().questions();
      String form = forms.get(random.nextInt(forms.size()));
      questions.add(new Question(fact, Relation.fill(form, fact.entity(), fact.value())));
    }
    Collections.shuffle(questions, random);
    return List.copyOf(questions);
  }
}
