package io.github.eft4j.models.format;

import io.github.eft4j.tensor.WeightType;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The numbers that GGUF files give to the types of weights. */
final class GgufTensorType {
  private GgufTensorType() {}

  static int id(WeightType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q4_1 -> 3;
      case Q5_0 -> 6;
      case Q5_1 -> 7;
      case Q8_0 -> 8;
      case Q4_K -> 12;
      case Q5_K -> 13;
      case Q6_K -> 14;
      case BF16 -> 30;
    };
  }

  /** The type of a number, or null if it is not supported. */
  static @Nullable WeightType of(long id) {
    for (WeightType type : WeightType.values()) {
      if (id(type) == id) {
        return type;
      }
    }
    return null;
  }

  /** The supported types with their numbers, for messages. */
  static String supported() {
    return Arrays.stream(WeightType.values())
        .map(type -> type + " (" + id(type) + ")")
        .collect(Collectors.joining(", "));
  }
}
