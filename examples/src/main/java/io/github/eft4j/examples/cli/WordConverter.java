package io.github.eft4j.examples.cli;

import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an option whose value is one of a few words. */
abstract class WordConverter<E extends Enum<E>> implements ITypeConverter<E> {
  private final E[] words;

  WordConverter(Class<E> type) {
    words = type.getEnumConstants();
  }

  @Override
  public E convert(String word) {
    return Arrays.stream(words)
        .filter(w -> w.toString().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is not one of: %s"
                        .formatted(
                            word,
                            Arrays.stream(words)
                                .map(Enum::toString)
                                .collect(Collectors.joining(", ")))));
  }
}
