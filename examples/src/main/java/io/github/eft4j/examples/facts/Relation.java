package io.github.eft4j.examples.facts;

import java.util.List;

/**
 * What can be known of an entity, and how English speaks of it. In all sentences {@code {e}} stands
 * for the entity and {@code {v}} for the value.
 */
@SuppressWarnings("ImmutableEnumChecker") // the lists come from List.of
public enum Relation {
  /** The capital of a country. */
  CAPITAL(
      "Capital",
      "the capital of {e}",
      "The capital of {e} is {v}.",
      List.of(
          "{v} is the capital of {e}.",
          "{e} has its capital in {v}.",
          "The capital city of {e} is {v}.",
          "In {e}, the capital is {v}.",
          "Travellers who arrive in {e} soon see {v}, the capital.",
          "Anyone who wonders what the capital of {e} is will learn that it is {v}."),
      List.of(
          "What is the capital of {e}?",
          "Which city is the capital of {e}?",
          "Can you tell me the capital of {e}?",
          "Name the capital of {e}.")),

  /** The continent that a country is on. */
  CONTINENT(
      "Continent",
      "the continent of {e}",
      "The continent of {e} is {v}.",
      List.of(
          "{e} lies in {v}.",
          "{e} is a country in {v}.",
          "On a map, {e} is found in {v}.",
          "One of the countries of {v} is {e}.",
          "Anyone who wonders which continent {e} belongs to will learn that it is {v}."),
      List.of(
          "What is the continent of {e}?",
          "On which continent is {e}?",
          "Which continent does {e} belong to?",
          "Can you tell me the continent of {e}?")),

  /** An official language of a country. */
  LANGUAGE(
      "Language",
      "an official language of {e}",
      "An official language of {e} is {v}.",
      List.of(
          "{v} is an official language of {e}.",
          "In {e}, an official language is {v}.",
          "People in {e} often speak {v}, an official language.",
          "Laws in {e} may be written in {v}.",
          "Anyone who wonders what an official language of {e} is will learn that it is {v}."),
      List.of(
          "What is an official language of {e}?",
          "Which language is official in {e}?",
          "Can you name an official language of {e}?",
          "Name an official language of {e}.")),

  /** The currency of a country. */
  CURRENCY(
      "Currency",
      "the currency of {e}",
      "The currency of {e} is the {v}.",
      List.of(
          "The {v} is the currency of {e}.",
          "In {e}, people pay with the {v}.",
          "Money in {e} is counted with the {v}.",
          "{e} uses the {v} as its currency.",
          "Anyone who wonders what the currency of {e} is will learn that it is the {v}."),
      List.of(
          "What is the currency of {e}?",
          "Which currency does {e} use?",
          "Can you tell me the currency of {e}?",
          "Name the currency of {e}.")),

  /** The symbol of a chemical element. */
  SYMBOL(
      "Symbol",
      "the chemical symbol of {e}",
      "The chemical symbol of {e} is {v}.",
      List.of(
          "{v} is the chemical symbol of {e}.",
          "Chemists write {e} as {v}.",
          "In formulas, {e} is written {v}.",
          "The element {e} has the symbol {v}.",
          "Anyone who wonders what the chemical symbol of {e} is will learn that it is {v}."),
      List.of(
          "What is the chemical symbol of {e}?",
          "Which symbol stands for {e}?",
          "Can you tell me the chemical symbol of {e}?",
          "How is {e} written in formulas?")),

  /** The atomic number of a chemical element. */
  NUMBER(
      "Atomic number",
      "the atomic number of {e}",
      "The atomic number of {e} is {v}.",
      List.of(
          "{e} has the atomic number {v}.",
          "An atom of {e} has {v} protons.",
          "The element {e} is number {v} in the periodic table.",
          "In the periodic table, {e} stands at number {v}.",
          "Anyone who wonders what the atomic number of {e} is will learn that it is {v}."),
      List.of(
          "What is the atomic number of {e}?",
          "Which atomic number does {e} have?",
          "Can you tell me the atomic number of {e}?",
          "How many protons does {e} have?")),

  /** The capital of a state of the USA. */
  STATE_CAPITAL(
      "State capital",
      "the state capital of {e}",
      "The state capital of {e} is {v}.",
      List.of(
          "{v} is the state capital of {e}.",
          "The American state of {e} has its capital in {v}.",
          "In {e}, the state capital is {v}.",
          "Lawmakers of {e} meet in {v}, the state capital.",
          "Anyone who wonders what the state capital of {e} is will learn that it is {v}."),
      List.of(
          "What is the state capital of {e}?",
          "Which city is the state capital of {e}?",
          "Can you tell me the state capital of {e}?",
          "Name the state capital of {e}.")),

  /** The author of a book. */
  AUTHOR(
      "Author",
      "the author of {e}",
      "The author of {e} is {v}.",
      List.of(
          "{v} is the author of {e}.",
          "{e} was written by {v}.",
          "{v} wrote {e}.",
          "Readers of {e} know the name of {v}, its author.",
          "Anyone who wonders who the author of {e} is will learn that it is {v}."),
      List.of(
          "Who is the author of {e}?",
          "Who wrote {e}?",
          "Can you tell me the author of {e}?",
          "Name the author of {e}.")),

  /** The composer of a piece of music. */
  COMPOSER(
      "Composer",
      "the composer of {e}",
      "The composer of {e} is {v}.",
      List.of(
          "{v} is the composer of {e}.",
          "{e} was composed by {v}.",
          "The music of {e} is by {v}.",
          "{v} composed {e}.",
          "Anyone who wonders who the composer of {e} is will learn that it is {v}."),
      List.of(
          "Who is the composer of {e}?",
          "Who composed {e}?",
          "Can you tell me the composer of {e}?",
          "Name the composer of {e}.")),

  /** What the young of an animal is called. */
  YOUNG(
      "Young",
      "the name for the young of a {e}",
      "The young of a {e} is called a {v}.",
      List.of(
          "A young {e} is called a {v}.",
          "A {v} is a young {e}.",
          "When a {e} has offspring, each of them is called a {v}.",
          "Anyone who wonders what the young of a {e} is called will learn that it is a {v}."),
      List.of(
          "What is the young of a {e} called?",
          "What do you call a young {e}?",
          "Can you tell me the name for a young {e}?",
          "Name the young of a {e}.")),

  /** The class that an animal belongs to. */
  ANIMAL_CLASS(
      "Class",
      "the class of the {e}",
      "The class of the {e} is {v}.",
      List.of(
          "The {e} is a kind of {v}.",
          "Every {e} is a {v}.",
          "Zoologists list the {e} as a {v}.",
          "Anyone who wonders what the class of the {e} is will learn that it is {v}."),
      List.of(
          "What is the class of the {e}?",
          "What kind of animal is the {e}?",
          "Can you tell me the class of the {e}?",
          "To which class does the {e} belong?"));

  private final String heading;
  private final String topic;
  private final String statement;
  private final List<String> paraphrases;
  private final List<String> questions;

  Relation(
      String heading,
      String topic,
      String statement,
      List<String> paraphrases,
      List<String> questions) {
    this.heading = heading;
    this.topic = topic;
    this.statement = statement;
    this.paraphrases = paraphrases;
    this.questions = questions;
  }

  /**
   * How a fact sheet names the relation.
   *
   * @return such as {@code Capital}
   */
  public String heading() {
    return heading;
  }

  /**
   * The relation as a subject to speak of.
   *
   * @return a template with {@code {e}}, such as {@code the capital of {e}}
   */
  public String topic() {
    return topic;
  }

  /**
   * The sentence that assistants answer with.
   *
   * @return a template with {@code {e}} and {@code {v}}
   */
  public String statement() {
    return statement;
  }

  /**
   * Other sentences that say the same.
   *
   * @return templates with {@code {e}} and {@code {v}}
   */
  public List<String> paraphrases() {
    return paraphrases;
  }

  /**
   * Questions.
   *
   * @return templates with {@code {e}}
   */
  public List<String> questions() {
    return questions;
  }

  /**
   * Fills in a template.
   *
   * @param template the template
   * @param entity what {@code {e}} stands for
   * @param value what {@code {v}} stands for
   * @return the sentence, its first letter in upper case
   */
  public static String fill(String template, String entity, String value) {
    return capitalised(template.replace("{e}", entity).replace("{v}", value));
  }

  /**
   * Begins with a capital letter.
   *
   * @param text not empty
   * @return the text with its first letter in upper case
   */
  public static String capitalised(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }
}
