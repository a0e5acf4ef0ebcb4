package io.github.eft4j.models.config;

/** Checks that the configurations of all families share. */
final class Checks {
  private Checks() {}

  static void positive(String what, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException(what + " is " + value + ", expected a positive number");
    }
  }

  static void positive(String what, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(
          what + " is " + value + ", expected a positive finite number");
    }
  }

  static void multiple(String what, int value, String ofWhat, int divisor) {
    if (value % divisor != 0) {
      throw new IllegalArgumentException(
          "%s %d is not a multiple of the %s %d".formatted(what, value, ofWhat, divisor));
    }
  }

  static void headSizes(int heads, int headSize) {
    if ((long) heads * headSize > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "%d attention heads of size %d are more than a row can hold".formatted(heads, headSize));
    }
  }

  static void evenHeadSize(int headSize) {
    if (headSize % 2 != 0) {
      throw new IllegalArgumentException(
          "head size is " + headSize + ", but rotary embeddings need an even one");
    }
  }
}
