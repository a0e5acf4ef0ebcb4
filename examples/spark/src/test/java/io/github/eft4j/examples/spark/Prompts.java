package io.github.eft4j.examples.spark;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** Prompts for tests, and the models that continue them. */
final class Prompts {
  static final Path MODELS = Path.of("../models").toAbsolutePath().normalize();
  private static final List<String> COUNTRIES =
      List.of("Finland", "Norway", "Japan", "Peru", "Kenya", "Italy", "Chile");

  private Prompts() {}

  /** Questions, each another. */
  static List<String> questions(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i -> "What is number %d about %s?".formatted(i, COUNTRIES.get(i % COUNTRIES.size())))
        .toList();
  }

  static String model(String name) {
    return MODELS.resolve(name).toString();
  }
}
