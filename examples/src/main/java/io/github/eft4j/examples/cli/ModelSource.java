package io.github.eft4j.examples.cli;

import static java.util.Objects.requireNonNull;

import io.github.eft4j.LanguageModel;
import io.github.eft4j.LogitCombiner;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What is sampled or scored: one model, the up-scaled combination of three, or an expression. */
final class ModelSource {
  @Option(names = "--model", required = true, paramLabel = "MODEL", description = "The one model.")
  @Nullable String model;

  @ArgGroup(exclusive = false)
  @Nullable UpScaling upScaling;

  @ArgGroup(exclusive = false)
  @Nullable Combination combination;

  /** The up-scaled combination. */
  static final class UpScaling {
    @Option(
        names = "--large",
        required = true,
        paramLabel = "MODEL",
        description = "A large pre-trained model.")
    String large;

    @Option(
        names = "--tuned",
        required = true,
        paramLabel = "MODEL",
        description = "A small fine-tuned model.")
    String tuned;

    @Option(
        names = "--base",
        required = true,
        paramLabel = "MODEL",
        description = "The small model that --tuned was made from.")
    String base;

    @Option(
        names = "--beta",
        paramLabel = "BETA",
        description =
            "The weight of what fine-tuning changed: LARGE + BETA * (TUNED - BASE). 1 unless"
                + " given.")
    @Nullable Double beta;

    @Option(
        names = "--conservative",
        paramLabel = "P",
        description =
            "Up-scales only the likeliest tokens of TUNED, as many as reach the probability P; all"
                + " others keep the probability that TUNED gives them. Not with --beta.")
    @Nullable Double conservative;

    private LogitCombiner combiner(ModelLoader.Models models) {
      if (beta != null && conservative != null) {
        throw new IllegalArgumentException("--beta and --conservative cannot be combined");
      }
      if (beta != null && !Double.isFinite(beta)) {
        throw new IllegalArgumentException("beta is " + beta + ", expected a finite number");
      }
      if (conservative != null && !(conservative > 0 && conservative <= 1)) {
        throw new IllegalArgumentException(
            "conservative is " + conservative + ", expected above 0 and at most 1");
      }
      LanguageModel l = models.load(large);
      LanguageModel t = models.load(tuned);
      LanguageModel b = models.load(base);
      return conservative == null
          ? LogitCombiner.upScale(l, t, b, beta == null ? 1 : beta)
          : LogitCombiner.conservative(l, t, b, conservative);
    }
  }

  /** An expression over named models. */
  static final class Combination {
    @Option(
        names = "--combine",
        required = true,
        paramLabel = "EXPR",
        description = {
          "An expression over the models that --named names, such as"
              + " 'large + 0.7*(tuned - base)': numbers, + - *, brackets, and the functions",
          "  conservative(large, tuned, base, P)",
          "  contrast(expert, amateur, ALPHA)",
          "  expertAgainst(base, expert, antiExpert, ALPHA, P)",
          "  union(a, b, ...) and intersection(a, b, ...)"
        })
    String expression;

    @Option(
        names = "--named",
        required = true,
        paramLabel = "NAME=MODEL",
        converter = Named.Converter.class,
        description =
            "A model and its name: letters, digits, _ and ., not beginning with a digit. Once for"
                + " each model.")
    List<Named> named;

    private LogitCombiner combiner(ModelLoader.Models models, @Nullable String draft) {
      Map<String, LanguageModel> byName = new LinkedHashMap<>();
      paths().forEach((name, path) -> byName.put(name, models.load(path)));
      LogitCombiner combiner = LogitCombiner.parse(expression, byName);
      // Not the models that are run: a weight of 0 is allowed.
      Set<String> used =
          Named.NAME
              .matcher(expression)
              .results()
              .map(MatchResult::group)
              .collect(Collectors.toSet());
      for (String name : byName.keySet()) {
        if (!used.contains(name) && !name.equals(draft)) {
          throw new IllegalArgumentException(
              "--named %s is not in the expression '%s'".formatted(name, expression));
        }
      }
      return combiner;
    }

    private Map<String, String> paths() {
      Map<String, String> paths = new LinkedHashMap<>();
      for (Named model : named) {
        if (paths.put(model.name, model.path) != null) {
          throw new IllegalArgumentException("--named names two models " + model.name);
        }
      }
      return paths;
    }
  }

  /** A model and the name that an expression gives it. */
  record Named(String name, String path) {
    private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{Nd}_.]*");

    /** Reads {@code NAME=MODEL}. */
    static final class Converter implements ITypeConverter<Named> {
      @Override
      public Named convert(String value) {
        int end = value.indexOf('=');
        if (end < 0 || !NAME.matcher(value.substring(0, end)).matches()) {
          throw new TypeConversionException("'%s' is not of the form NAME=MODEL".formatted(value));
        }
        return new Named(value.substring(0, end), value.substring(end + 1));
      }
    }
  }

  /**
   * Loads the models and combines them.
   *
   * @param models loads them
   * @param draft the model that drafts as the user gave it, which the expression need not use, or
   *     null
   * @return what is sampled or scored
   * @throws IllegalArgumentException if an option is out of its range, the expression cannot be
   *     read, or it does not use a named model
   */
  LogitCombiner combiner(ModelLoader.Models models, @Nullable String draft) {
    List<String> all = new ArrayList<>(paths());
    if (draft != null) {
      all.add(path(draft));
    }
    models.loadAll(all);
    if (upScaling != null) {
      return upScaling.combiner(models);
    }
    if (combination != null) {
      return combination.combiner(models, draft);
    }
    return LogitCombiner.of(models.load(requireNonNull(model)));
  }

  /** The model that drafts where the user names none. */
  Optional<String> usualDraft() {
    return Optional.ofNullable(upScaling).map(u -> u.tuned);
  }

  /** The path or address of a model that the user gave by its name, path or address. */
  String path(String nameOrPath) {
    String named = combination == null ? null : combination.paths().get(nameOrPath);
    return named == null ? nameOrPath : named;
  }

  /** The paths and addresses of all models. */
  private List<String> paths() {
    if (upScaling != null) {
      return List.of(upScaling.large, upScaling.tuned, upScaling.base);
    }
    return combination != null
        ? List.copyOf(combination.paths().values())
        : List.of(requireNonNull(model));
  }
}
