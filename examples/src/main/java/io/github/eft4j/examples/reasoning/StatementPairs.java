package io.github.eft4j.examples.reasoning;

import io.github.eft4j.examples.facts.Entity;
import io.github.eft4j.examples.facts.Fact;
import io.github.eft4j.examples.facts.Facts;
import io.github.eft4j.examples.facts.MultiHop;
import io.github.eft4j.examples.facts.Relation;
import io.github.eft4j.examples.facts.Split;
import io.github.eft4j.reasoning.EntailmentModel;
import io.github.eft4j.reasoning.Judgement.Label;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Pairs of steps as the agents write them, for a judge that knows the facts. A first step, which is
 * a question or a statement, and a second one
 *
 * <ul>
 *   <li>contradict each other if they cannot both hold, as when one of them is no fact;
 *   <li>entail each other if they are facts of the same entity;
 *   <li>are neutral if they are facts of different ones.
 * </ul>
 */
public final class StatementPairs implements Supplier<StatementPairs.Labelled> {
  /** Of a hundred pairs this many are never trained on. */
  private static final int HELD_OUT_PERCENT = 10;

  /** Of this many entities that the reasoner is tuned on, the judge never sees one. */
  private static final int UNSEEN_OF = 5;

  private static final int PERCENT = 100;

  private final List<Entity> entities;
  private final boolean aboutForm;
  private final boolean heldOut;
  private final Random random;

  private StatementPairs(List<Entity> entities, boolean aboutForm, boolean heldOut, long seed) {
    this.entities = List.copyOf(entities);
    this.aboutForm = aboutForm;
    this.heldOut = heldOut;
    this.random = new Random(seed);
  }

  /**
   * A pair with its label.
   *
   * @param pair the steps
   * @param label how the second stands to the first
   * @param second what the second says, right or wrong
   */
  public record Labelled(EntailmentModel.Pair pair, Label label, Fact second) {}

  /**
   * Endless pairs to train on.
   *
   * @param seed what they come from
   * @return the pairs
   */
  public static StatementPairs training(long seed) {
    return new StatementPairs(entities(false), false, false, seed);
  }

  /**
   * Pairs that are never trained on, about entities that are.
   *
   * @param count how many
   * @return the pairs, no two of them equal
   */
  public static List<Labelled> unseenPairs(int count) {
    return distinct(new StatementPairs(entities(false), false, true, 1), count);
  }

  /**
   * Pairs about entities that are never trained on, so that only the words can tell: the same fact
   * in other words, or with another value, or a fact of another entity.
   *
   * @param count how many
   * @return the pairs, no two of them equal
   */
  public static List<Labelled> unseenEntities(int count) {
    return distinct(new StatementPairs(entities(true), true, true, 1), count);
  }

  private static List<Labelled> distinct(StatementPairs pairs, int count) {
    Set<Labelled> all = new LinkedHashSet<>();
    while (all.size() < count) {
      all.add(pairs.get());
    }
    return List.copyOf(all);
  }

  /** Those that questions of two steps are about. */
  private static List<Entity> entities(boolean unseen) {
    List<Entity> chosen = new ArrayList<>();
    int tuning = 0;
    for (Entity entity : Facts.all().entities()) {
      if (MultiHop.of(entity).isEmpty()) {
        continue;
      }
      boolean hidden =
          Facts.all().split(entity.name()) == Split.TUNING && tuning++ % UNSEEN_OF == 0;
      if (hidden == unseen) {
        chosen.add(entity);
      }
    }
    return chosen;
  }

  /** The next pair. */
  @Override
  public Labelled get() {
    while (true) {
      Labelled next = draw();
      // Whether a pair is held out depends on its words alone.
      int words = 31 * next.pair().premise().hashCode() + next.pair().hypothesis().hashCode();
      boolean out = Math.floorMod(words, PERCENT) < HELD_OUT_PERCENT;
      if (out == heldOut) {
        return next;
      }
    }
  }

  private Labelled draw() {
    Entity entity = pick(entities);
    MultiHop hop = pick(MultiHop.of(entity));
    Label label = pick(List.of(Label.values()));
    boolean asked = random.nextInt(5) < 2;
    Fact first = asked ? hop.known() : pick(entity.facts());
    Fact same =
        aboutForm ? first : asked ? pick(List.of(hop.known(), hop.sought())) : pick(entity.facts());
    Fact second =
        switch (label) {
          case ENTAILMENT -> same;
          case NEUTRAL -> ofAnother(entity, same.relation());
          case CONTRADICTION -> wrong(entity, same);
        };
    if (label == Label.CONTRADICTION && !asked && !aboutForm && random.nextInt(4) == 0) {
      // The first is the one that is wrong, and the second a fact.
      Fact fact = first;
      first = second;
      second = fact.entity().equals(first.entity()) ? fact : pick(entity.facts());
    }
    String premise = asked ? hop.question() : sentence(first);
    return new Labelled(new EntailmentModel.Pair(premise, sentence(second)), label, second);
  }

  /** A fact of another entity of the same kind. */
  private Fact ofAnother(Entity entity, Relation relation) {
    while (true) {
      Entity other = pick(entities);
      String value = other.values().getOrDefault(relation, "");
      if (other.kind().equals(entity.kind()) && !value.equals(entity.values().get(relation))) {
        return new Fact(relation, other.name(), value);
      }
    }
  }

  /** The fact with the value or the name of another entity. */
  private Fact wrong(Entity entity, Fact fact) {
    Fact other = ofAnother(entity, fact.relation());
    return aboutForm || random.nextInt(3) > 0
        ? new Fact(fact.relation(), fact.entity(), other.value())
        : new Fact(fact.relation(), other.entity(), fact.value());
  }

  /** A statement as the agents write it. */
  private String sentence(Fact fact) {
    return random.nextInt(3) > 0 ? fact.statement() : Way.observed(fact);
  }

  private <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }
}
