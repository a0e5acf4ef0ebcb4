package io.github.eft4j.models.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The functions and filters that Hugging Face, or Jinja 2 where Jinjava has none, gives to
 * templates.
 */
final class TemplateFunctions {
  static final String STRFTIME_NOW = "strftime_now";

  private static final Pattern FIELD = Pattern.compile("%(.?)", Pattern.DOTALL);

  /** Thrown by a template that refuses a conversation. */
  static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message);
    }
  }

  private TemplateFunctions() {}

  static void register(Context context) {
    context.registerFunction(
        new ELFunctionDefinition(
            "", "raise_exception", TemplateFunctions.class, "raiseException", Object.class));
    context.registerFunction(
        new ELFunctionDefinition(
            "", STRFTIME_NOW, TemplateFunctions.class, "strftimeNow", Object.class));
    context.registerFilter(new ToJson());
    context.registerFilter(new Items());
  }

  /** Ends the rendering with a message of the template. */
  public static Object raiseException(Object message) {
    throw new Refusal(String.valueOf(message));
  }

  /** The time in the form that a pattern of the C function strftime describes. */
  public static String strftimeNow(Object pattern) {
    var config = JinjavaInterpreter.getCurrent().getConfig();
    return strftime(
        String.valueOf(pattern),
        Instant.ofEpochMilli(config.getDateTimeProvider().getCurrentTimeMillis())
            .atZone(config.getTimeZone()));
  }

  private static String strftime(String pattern, ZonedDateTime time) {
    return FIELD
        .matcher(pattern)
        .replaceAll(match -> Matcher.quoteReplacement(field(match.group(1), time)));
  }

  private static String field(String name, ZonedDateTime time) {
    String format =
        switch (name) {
          case "Y" -> "yyyy";
          case "y" -> "yy";
          case "m" -> "MM";
          case "B" -> "MMMM";
          case "b" -> "MMM";
          case "d" -> "dd";
          case "j" -> "DDD";
          case "A" -> "EEEE";
          case "a" -> "EEE";
          case "H" -> "HH";
          case "I" -> "hh";
          case "M" -> "mm";
          case "S" -> "ss";
          case "p" -> "a";
          case "Z" -> "zzz";
          case "z" -> "xx";
          case "%" -> "'%'";
          default -> throw new IllegalArgumentException("strftime_now does not know %" + name);
        };
    return DateTimeFormatter.ofPattern(format, Locale.ENGLISH).format(time);
  }

  /** Writes JSON as Python does: a space after commas and colons, nothing escaped for HTML. */
  private static final class ToJson implements Filter {
    private static final Separators SEPARATORS =
        Separators.createDefaultInstance()
            .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
            .withObjectEmptySeparator("")
            .withArrayEmptySeparator("");

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Override
    public String getName() {
      return "tojson";
    }

    @Override
    public @Nullable Object filter(
        @Nullable Object value,
        JinjavaInterpreter interpreter,
        Object[] arguments,
        Map<String, Object> named) {
      Object indent = named.getOrDefault("indent", arguments.length > 0 ? arguments[0] : null);
      try {
        return MAPPER.writer(printer(indent)).writeValueAsString(value);
      } catch (JsonProcessingException e) {
        throw new IllegalArgumentException("tojson: " + e.getOriginalMessage(), e);
      }
    }

    @Override
    public @Nullable Object filter(
        @Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
      return filter(value, interpreter, arguments, Map.of());
    }

    private static DefaultPrettyPrinter printer(@Nullable Object indent) {
      if (indent instanceof Number width) {
        var lines = new DefaultIndenter(" ".repeat(width.intValue()), "\n");
        return new DefaultPrettyPrinter(SEPARATORS)
            .withObjectIndenter(lines)
            .withArrayIndenter(lines);
      }
      return new DefaultPrettyPrinter(
              SEPARATORS
                  .withObjectEntrySpacing(Separators.Spacing.AFTER)
                  .withArrayValueSpacing(Separators.Spacing.AFTER))
          .withObjectIndenter(new DefaultPrettyPrinter.NopIndenter())
          .withArrayIndenter(new DefaultPrettyPrinter.NopIndenter());
    }
  }

  /** The pairs of a mapping, as Jinja 2's filter of this name. */
  private static final class Items implements Filter {
    @Override
    public String getName() {
      return "items";
    }

    @Override
    public @Nullable Object filter(
        @Nullable Object value, JinjavaInterpreter interpreter, String... arguments) {
      if (value == null) {
        return List.of();
      }
      if (value instanceof Map<?, ?> map) {
        return new ArrayList<>(map.entrySet());
      }
      throw new IllegalArgumentException("items: not a mapping");
    }
  }
}
