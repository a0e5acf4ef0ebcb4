package io.github.eft4j.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses among the implementations of {@link Kernels}. */
final class KernelProvider {
  private static final Logger log = LoggerFactory.getLogger(KernelProvider.class);
  private static final String MODULE = "jdk.incubator.vector";

  private KernelProvider() {}

  /** The widest kernels, found once: their class is compiled once, whoever uses it. */
  private static final class Widest {
    static final Kernels KERNELS = of(widest());

    private static int widest() {
      if (!isVectorApiPresent()) {
        log.warn(
            "The Vector API is not available, so models run on scalar code, many times slower than"
                + " this processor could: start java with --add-modules {}",
            MODULE);
        return 0;
      }
      int greatest = VectorWidth.greatest();
      if (greatest < 512 && Processors.hasAvx512()) {
        log.warn(
            "This processor has registers of 512 bits, of which the JVM uses {}, as it does by"
                + " default on the first ones with AVX-512: -XX:UseAVX=3 makes models faster",
            greatest);
      }
      return greatest;
    }
  }

  /** In a class of its own: it links only where the module is present. */
  private static final class VectorWidth {
    static int greatest() {
      int preferred = jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.vectorBitSize();
      return IntStream.of(512, 256, 128).filter(bits -> bits <= preferred).findFirst().orElse(0);
    }
  }

  /**
   * The kernels of the widest registers.
   *
   * @return the kernels, the same at every call
   */
  static Kernels widest() {
    return Widest.KERNELS;
  }

  /**
   * The kernels of a width.
   *
   * @param bits the width of a register in bits; 0 for scalar code
   * @return the kernels
   * @throws IllegalArgumentException if there are none of that width, the processor has no such
   *     registers, or the Vector API is missing
   */
  static Kernels of(int bits) {
    if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
      throw new UnsupportedOperationException(
          "the JVM kernels need a little-endian processor, this one is " + ByteOrder.nativeOrder());
    }
    if (bits == 0) {
      return new ScalarKernels();
    }
    if (bits != 128 && bits != 256 && bits != 512) {
      throw new IllegalArgumentException(
          "vector width of " + bits + " bits, expected 0 (scalar), 128, 256 or 512");
    }
    if (!isVectorApiPresent()) {
      throw new IllegalArgumentException(
          "vector width of %d bits, but the Vector API is not available: start java with"
                  .formatted(bits)
              + " --add-modules "
              + MODULE);
    }
    if (bits > VectorWidth.greatest()) {
      throw new IllegalArgumentException(
          "vector width of %d bits, but this processor (as the JVM uses it) has at most %d"
              .formatted(bits, VectorWidth.greatest()));
    }
    return define(bits);
  }

  /**
   * The widths that {@link #of} accepts.
   *
   * @return the widths in bits, ascending, 0 first
   */
  static int[] supported() {
    int greatest = isVectorApiPresent() ? VectorWidth.greatest() : 0;
    return IntStream.of(0, 128, 256, 512).filter(bits -> bits <= greatest).toArray();
  }

  private static boolean isVectorApiPresent() {
    return ModuleLayer.boot().findModule(MODULE).isPresent();
  }

  private static Kernels define(int bits) {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try (InputStream in = KernelProvider.class.getResourceAsStream("VectorKernels.class")) {
      if (in == null) {
        throw new IllegalStateException("the class file of VectorKernels is missing");
      }
      return (Kernels)
          lookup
              .defineHiddenClassWithClassData(in.readAllBytes(), bits, true)
              .lookupClass()
              .getDeclaredConstructor()
              .newInstance();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the class file of VectorKernels", e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot define the kernels of " + bits + " bits", e);
    }
  }
}
