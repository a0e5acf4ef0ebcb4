package io.github.eft4j.bench;

import io.github.eft4j.tensor.WeightType;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Compares the linear layers of two builds of the library, which multiply by turns in one process:
 * what disturbs one disturbs the other, so that a difference of some percent shows on machines on
 * which two runs of {@link LinearBenchmark} differ by half.
 *
 * <p>{@code Comparison FIRST SECOND [name=value …]} takes two class paths, each of classes that
 * take the place of those of this program, or {@code -} for none, and parameters of {@link
 * LinearBenchmark}. It prints the median time of a product with each, how many times as fast the
 * second is, in the median and the middle half of all turns, and whether both gave the same bits.
 */
public final class Comparison {
  private static final String OURS = "io.github.eft4j.";
  private static final int SHORTEST_TURN_NANOS = 10_000_000;
  private static final int LONGEST_TURN_NANOS = 30_000_000;
  private static final long WARMUP_NANOS = 4_000_000_000L;
  private static final long MEASUREMENT_NANOS = 6_000_000_000L;

  /** A build of the library, loaded for itself. */
  private static final class Build extends URLClassLoader {
    Build(List<URL> classPath) {
      super(classPath.toArray(URL[]::new), Comparison.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(OURS)) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> known = findLoadedClass(name);
        return known == null ? findClass(name) : known;
      }
    }

    // The kernels are read as a resource.
    @Override
    public URL getResource(String name) {
      URL own = findResource(name);
      return own == null ? super.getResource(name) : own;
    }
  }

  /** The benchmark of one build. */
  private static final class Side {
    private final Object benchmark;
    private final Object counters;
    private final Method linear;
    private final Field out;

    Side(ClassLoader build, Map<String, String> parameters) throws ReflectiveOperationException {
      Class<?> type = build.loadClass(LinearBenchmark.class.getName());
      benchmark = type.getConstructor().newInstance();
      for (Map.Entry<String, String> parameter : parameters.entrySet()) {
        set(type.getField(parameter.getKey()), parameter.getValue());
      }
      Class<?> counting = build.loadClass(LinearBenchmark.Counters.class.getName());
      counters = counting.getConstructor().newInstance();
      linear = type.getMethod("linear", counting);
      out = type.getDeclaredField("out");
      out.setAccessible(true);
      type.getMethod("fill").invoke(benchmark);
    }

    private void set(Field field, String value) throws ReflectiveOperationException {
      if (field.getType().isEnum()) {
        field.set(
            benchmark, field.getType().getMethod("valueOf", String.class).invoke(null, value));
      } else if (field.getType() == int.class) {
        field.setInt(benchmark, Integer.parseInt(value));
      } else {
        field.set(benchmark, value);
      }
    }

    void multiply() throws ReflectiveOperationException {
      linear.invoke(benchmark, counters);
    }

    float[] result() throws ReflectiveOperationException {
      multiply();
      return ((INDArray) ((List<?>) out.get(benchmark)).getFirst()).data().asFloat();
    }

    /** Multiplies for a turn of a length: nanoseconds a product. */
    double turn(long length) throws ReflectiveOperationException {
      long start = System.nanoTime();
      long time;
      int count = 0;
      do {
        multiply();
        count++;
        time = System.nanoTime() - start;
      } while (time < length);
      return (double) time / count;
    }
  }

  private Comparison() {}

  /**
   * Compares two builds.
   *
   * @param args two class paths, and parameters
   */
  public static void main(String[] args) throws IOException, ReflectiveOperationException {
    if (args.length < 2) {
      throw new IllegalArgumentException(
          "expected two class paths, each of changed classes or -, and parameters of"
              + " LinearBenchmark such as type=Q8_0 rows=8 shape=4096x4096 threads=1"
              + " vectorBits=256");
    }
    List<String> parameters = Arrays.asList(args).subList(2, args.length);
    System.out.println(compare(args[0], args[1], parameters, WARMUP_NANOS, MEASUREMENT_NANOS));
  }

  /** Compares two builds for some time, after some that is not counted. */
  static String compare(
      String first, String second, List<String> args, long warmupNanos, long nanos)
      throws IOException, ReflectiveOperationException {
    Map<String, String> parameters = parameters(args);
    try (Build a = new Build(classPath(first));
        Build b = new Build(classPath(second))) {
      return parameters
          + " "
          + compare(new Side(a, parameters), new Side(b, parameters), warmupNanos, nanos);
    }
  }

  private static Map<String, String> parameters(List<String> args) {
    Map<String, String> parameters =
        new TreeMap<>(Map.of("type", WeightType.F32.name(), "rows", "1", "shape", "4096x4096"));
    List<String> known = List.of("type", "rows", "shape", "threads", "vectorBits", "megabytes");
    for (String arg : args) {
      int at = arg.indexOf('=');
      if (at < 0 || !known.contains(arg.substring(0, at))) {
        throw new IllegalArgumentException(
            "%s is no parameter, expected one of %s, = and a value".formatted(arg, known));
      }
      parameters.put(arg.substring(0, at), arg.substring(at + 1));
    }
    return parameters;
  }

  private static List<URL> classPath(String changed) throws MalformedURLException {
    List<URL> urls = new ArrayList<>();
    String all = System.getProperty("java.class.path", "");
    Stream<String> entries =
        changed.equals("-")
            ? Stream.of(all.split(File.pathSeparator, -1))
            : Stream.of(changed, all)
                .flatMap(path -> Stream.of(path.split(File.pathSeparator, -1)));
    for (String entry : entries.toList()) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    return urls;
  }

  private static String compare(Side a, Side b, long warmupNanos, long nanos)
      throws ReflectiveOperationException {
    boolean same = Arrays.equals(a.result(), b.result());
    List<double[]> turns = new ArrayList<>();
    // In no rhythm, or one side may always meet what another program does in one.
    Random random = new Random(1);
    long start = System.nanoTime();
    long time;
    do {
      int length = random.nextInt(SHORTEST_TURN_NANOS, LONGEST_TURN_NANOS);
      double[] turn = new double[2];
      if (random.nextBoolean()) {
        turn[0] = a.turn(length);
        turn[1] = b.turn(length);
      } else {
        turn[1] = b.turn(length);
        turn[0] = a.turn(length);
      }
      time = System.nanoTime() - start;
      if (time > warmupNanos) {
        turns.add(turn);
      }
    } while (time < warmupNanos + nanos);
    double[] ratios = sorted(turns.stream().mapToDouble(turn -> turn[0] / turn[1]));
    return String.format(
        Locale.ROOT,
        "first %.1f us, second %.1f us: %.3f times as fast (%.3f to %.3f), %s bits",
        middle(sorted(turns.stream().mapToDouble(turn -> turn[0]))) / 1e3,
        middle(sorted(turns.stream().mapToDouble(turn -> turn[1]))) / 1e3,
        middle(ratios),
        ratios[ratios.length / 4],
        ratios[ratios.length * 3 / 4],
        same ? "the same" : "OTHER");
  }

  static double[] sorted(DoubleStream values) {
    return values.sorted().toArray();
  }

  static double middle(double[] sorted) {
    return sorted[sorted.length / 2];
  }
}
