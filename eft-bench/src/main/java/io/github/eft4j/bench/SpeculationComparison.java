package io.github.eft4j.bench;

import io.github.eft4j.Completion;
import io.github.eft4j.EftSampler;
import io.github.eft4j.Speculation.AcceptanceRule;
import io.github.eft4j.SpeculationStatistics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Compares ways to draft, by turns in one process with the models of {@link SpeculationBenchmark}:
 * what slows one down slows the other, so that a difference shows on machines on which two runs
 * differ by half.
 *
 * <p>{@code SpeculationComparison [name=value …]} takes the parameters of that benchmark; {@code
 * speculation} is a list, of which the first is compared with each, and {@code seconds} how long to
 * measure after a fifth of that.
 */
public final class SpeculationComparison {
  /** Completions with one way to draft. */
  private static final class Side {
    final String speculation;
    final EftSampler sampler;
    final List<Double> rates = new ArrayList<>();
    final List<SpeculationStatistics> statistics = new ArrayList<>();

    Side(SpeculationBenchmark benchmark, String speculation) {
      this.speculation = speculation;
      this.sampler = benchmark.sampler(speculation);
    }

    void turn(SpeculationBenchmark benchmark, boolean counts) {
      long start = System.nanoTime();
      List<Completion> completions = benchmark.complete(sampler);
      double seconds = (System.nanoTime() - start) / 1e9;
      if (counts) {
        rates.add(completions.stream().mapToInt(c -> c.tokenIds().size()).sum() / seconds);
        completions.forEach(c -> statistics.add(c.speculation()));
      }
    }

    String report(Side first) {
      double[] times =
          Comparison.sorted(
              IntStream.range(0, rates.size()).mapToDouble(i -> rates.get(i) / first.rates.get(i)));
      double[] sorted = Comparison.sorted(rates.stream().mapToDouble(rate -> rate));
      return String.format(
          Locale.ROOT,
          "%s: %.2f tokens a second, %.3f times as many as %s (%.3f to %.3f, %d turns); mean block"
              + " %.2f, acceptance %.3f",
          speculation,
          Comparison.middle(sorted),
          Comparison.middle(times),
          first.speculation,
          times[times.length / 4],
          times[times.length * 3 / 4],
          times.length,
          share(SpeculationStatistics::drafted, SpeculationStatistics::passes),
          share(SpeculationStatistics::accepted, SpeculationStatistics::checked));
    }

    private double share(
        ToIntFunction<SpeculationStatistics> part, ToIntFunction<SpeculationStatistics> of) {
      int all = statistics.stream().mapToInt(of).sum();
      return all == 0 ? 0 : (double) statistics.stream().mapToInt(part).sum() / all;
    }
  }

  private SpeculationComparison() {}

  /**
   * Compares ways to draft.
   *
   * @param args parameters
   */
  public static void main(String[] args) throws IOException {
    compare(Arrays.asList(args)).forEach(System.out::println);
  }

  /** Compares ways to draft: a line for each. */
  static List<String> compare(List<String> args) throws IOException {
    SpeculationBenchmark benchmark = new SpeculationBenchmark();
    benchmark.models = "7B:Q8_0/0.5B:Q8_0";
    benchmark.acceptance = 0.9;
    benchmark.rule = AcceptanceRule.RATIO;
    benchmark.sequences = 1;
    benchmark.newTokens = 64;
    benchmark.vectorBits = -1;
    benchmark.speculation = "off";
    List<String> ways = List.of("off", "adaptive");
    double seconds = 240;
    for (String arg : args) {
      int at = arg.indexOf('=');
      String value = arg.substring(at + 1);
      switch (at < 0 ? "" : arg.substring(0, at)) {
        case "models" -> benchmark.models = value;
        case "acceptance" -> benchmark.acceptance = Double.parseDouble(value);
        case "rule" -> benchmark.rule = AcceptanceRule.valueOf(value);
        case "sequences" -> benchmark.sequences = Integer.parseInt(value);
        case "newTokens" -> benchmark.newTokens = Integer.parseInt(value);
        case "vectorBits" -> benchmark.vectorBits = Integer.parseInt(value);
        case "threads" -> benchmark.threads = Integer.parseInt(value);
        case "speculation" -> ways = List.of(value.split(",", -1));
        case "seconds" -> seconds = Double.parseDouble(value);
        default ->
            throw new IllegalArgumentException(
                arg
                    + " is no parameter, expected one of models, acceptance, rule, sequences,"
                    + " newTokens, vectorBits, threads, speculation and seconds, = and a value");
      }
    }
    benchmark.load();
    try {
      return compare(benchmark, ways, seconds);
    } finally {
      benchmark.free();
    }
  }

  private static List<String> compare(
      SpeculationBenchmark benchmark, List<String> ways, double seconds) {
    List<Side> sides = ways.stream().map(way -> new Side(benchmark, way)).toList();
    // In no rhythm, or one side may always meet what another program does in one.
    Random random = new Random(1);
    long start = System.nanoTime();
    double time;
    do {
      boolean counts = (System.nanoTime() - start) / 1e9 >= seconds / 5;
      List<Side> turns = new ArrayList<>(sides);
      Collections.shuffle(turns, random);
      turns.forEach(side -> side.turn(benchmark, counts));
      time = (System.nanoTime() - start) / 1e9;
    } while (time < seconds * 6 / 5 || sides.getFirst().rates.isEmpty());
    return sides.stream().map(side -> side.report(sides.getFirst())).toList();
  }
}
