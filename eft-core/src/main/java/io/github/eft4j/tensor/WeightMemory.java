package io.github.eft4j.tensor;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory for weights, of any content at first. Not an arena's: that would count as direct memory of
 * the JVM, be limited by it, and filled with zeros first.
 *
 * <p>On Linux it asks for huge pages, with which weights come about a tenth faster: fewer addresses
 * have to be looked up. Where they are not to be had it stays at ordinary ones.
 */
final class WeightMemory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WeightMemory.class);
  private static final String LIMIT = "org.bytedeco.javacpp.maxPhysicalBytes";
  private static final long HUGE_PAGE = 2 << 20;
  private static final int MADV_HUGEPAGE = 14;
  private static final @Nullable MethodHandle MADVISE = madvise();

  private final long address;
  private @Nullable Pointer memory;

  /**
   * Makes memory.
   *
   * @param bytes the size
   * @throws OutOfMemoryError if there is none
   * @throws IllegalStateException if ND4J would refuse to make arrays beside it
   */
  WeightMemory(long bytes) {
    long limit = Pointer.maxPhysicalBytes();
    long used = Pointer.physicalBytes();
    if (limit > 0 && used + bytes > limit) {
      throw new IllegalStateException(
          "%d bytes of packed weights beside %d of this process would pass the limit of %d that ND4J has: start java with -D%s=0, or with a larger -Xmx"
              .formatted(bytes, used, limit, LIMIT));
    }
    Pointer whole = Pointer.malloc(bytes + HUGE_PAGE);
    if (whole == null || whole.isNull()) {
      throw new OutOfMemoryError("no memory for %d bytes of packed weights".formatted(bytes));
    }
    memory = whole;
    address = (whole.address() + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    askForHugePages(bytes);
  }

  /**
   * Lifts the limit that JavaCPP, which ND4J allocates with, sets for the memory of a process, if
   * it is not set: it is twice the Java heap, whatever there is outside, and weights count. To be
   * called before ND4J's first use; later it has no effect.
   */
  static void liftLimit() {
    if (System.getProperty(LIMIT) == null
        && System.getProperty(LIMIT.toLowerCase(Locale.ROOT)) == null) {
      System.setProperty(LIMIT, "0");
    }
  }

  @SuppressWarnings("restricted") // a function of the C library, with the types it has
  private static @Nullable MethodHandle madvise() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return null;
    }
    Linker linker = Linker.nativeLinker();
    return linker
        .defaultLookup()
        .find("madvise")
        .map(
            function ->
                linker.downcallHandle(
                    function,
                    FunctionDescriptor.of(
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT)))
        .orElse(null);
  }

  private void askForHugePages(long bytes) {
    if (MADVISE == null || bytes < HUGE_PAGE) {
      return;
    }
    try {
      int result = (int) MADVISE.invokeExact(address, bytes, MADV_HUGEPAGE);
      if (result != 0) {
        log.debug("no huge pages for {} bytes of weights", bytes);
      }
    } catch (Throwable e) {
      throw new IllegalStateException("madvise cannot be called", e);
    }
  }

  long address() {
    return address;
  }

  /** Frees the memory. Closing twice has no effect. */
  @Override
  public void close() {
    Pointer whole = memory;
    if (whole != null) {
      memory = null;
      Pointer.free(whole);
    }
  }
}
