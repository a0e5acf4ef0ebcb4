package io.github.eft4j;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A factor in a {@link LogitCombiner}: a number, or a name that stands for a number which each
 * {@linkplain SampleRequest#withWeights request} may choose. Immutable.
 */
public final class Weight {
  /** The number one. */
  static final Weight ONE = of(1);

  /** A polynomial: the coefficient of each product of names, the names sorted. */
  private final Map<List<String>, Double> products;

  private final Map<String, Double> defaults;

  private Weight(Map<List<String>, Double> products, Map<String, Double> defaults) {
    products.values().removeIf(c -> c == 0);
    this.products = products;
    this.defaults = Map.copyOf(defaults);
  }

  /**
   * A number.
   *
   * @param value the number
   * @return the weight
   * @throws IllegalArgumentException if the number is not finite
   */
  public static Weight of(double value) {
    requireFinite("weight", value);
    return new Weight(new LinkedHashMap<>(Map.of(List.of(), value)), Map.of());
  }

  /**
   * A number that requests may choose.
   *
   * @param name its name
   * @param defaultValue its value where a request does not say
   * @return the weight
   * @throws IllegalArgumentException if the name is empty or the number is not finite
   */
  public static Weight named(String name, double defaultValue) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("the name of a weight is empty");
    }
    requireFinite("weight " + name, defaultValue);
    return new Weight(new LinkedHashMap<>(Map.of(List.of(name), 1.0)), Map.of(name, defaultValue));
  }

  static void requireFinite(String what, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(what + " is " + value + ", expected a finite number");
    }
  }

  /**
   * What is missing to one.
   *
   * @return {@code 1 − this}
   */
  public Weight complement() {
    return ONE.plus(times(of(-1)));
  }

  /**
   * The product of two weights.
   *
   * @param other the other weight
   * @return {@code this · other}
   */
  public Weight times(Weight other) {
    Map<List<String>, Double> result = new LinkedHashMap<>();
    products.forEach(
        (names, a) ->
            other.products.forEach(
                (more, b) -> {
                  List<String> all = Stream.concat(names.stream(), more.stream()).sorted().toList();
                  result.merge(all, a * b, Double::sum);
                }));
    return new Weight(result, allDefaults(other));
  }

  /**
   * The sum of two weights.
   *
   * @param other the other weight
   * @return {@code this + other}
   */
  public Weight plus(Weight other) {
    Map<List<String>, Double> result = new LinkedHashMap<>(products);
    other.products.forEach((names, b) -> result.merge(names, b, Double::sum));
    return new Weight(result, allDefaults(other));
  }

  private Map<String, Double> allDefaults(Weight other) {
    Map<String, Double> all = new HashMap<>(defaults);
    other.defaults.forEach(
        (name, value) -> {
          Double previous = all.put(name, value);
          if (previous != null && !previous.equals(value)) {
            throw new IllegalArgumentException(
                "weight %s has two defaults: %s and %s".formatted(name, previous, value));
          }
        });
    return all;
  }

  /** Whether this is zero whatever the names stand for. */
  boolean isZero() {
    return products.isEmpty();
  }

  /** The names, with the numbers that they stand for where a request does not say. */
  Map<String, Double> defaults() {
    return new TreeMap<>(defaults);
  }

  /** The number that this is when names stand for the given numbers, or their defaults. */
  double value(Map<String, Double> chosen) {
    double sum = 0;
    for (Map.Entry<List<String>, Double> product : products.entrySet()) {
      double value = product.getValue();
      for (String name : product.getKey()) {
        value *= chosen.getOrDefault(name, Objects.requireNonNull(defaults.get(name)));
      }
      sum += value;
    }
    return sum;
  }

  /** The weight as it would be written, such as {@code 0.5} or {@code (1 - lambda)}. */
  @Override
  public String toString() {
    List<String> terms = new ArrayList<>();
    products.forEach(
        (names, c) -> {
          String product = String.join("*", names);
          String size =
              names.isEmpty()
                  ? number(Math.abs(c))
                  : Math.abs(c) == 1 ? product : number(Math.abs(c)) + "*" + product;
          terms.add((c < 0 ? "- " : "+ ") + size);
        });
    if (terms.isEmpty()) {
      return "0";
    }
    String text =
        terms.stream()
            .collect(Collectors.joining(" "))
            .replaceFirst("^\\+ ", "")
            .replaceFirst("^- ", "-");
    return terms.size() == 1 ? text : "(" + text + ")";
  }

  private static String number(double value) {
    return value == Math.rint(value) && value < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
