package io.github.eft4j.models;

import com.sun.management.OperatingSystemMXBean;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.TensorOps;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a model's weights will take, estimated before they are loaded.
 *
 * @param bytes their size in memory, in bytes
 * @param mapped whether they stay in the file and are read in place: more than there is memory for
 *     is then slow, not impossible
 */
record MemoryNeed(long bytes, boolean mapped) {
  private static final Logger log = LoggerFactory.getLogger(MemoryNeed.class);
  private static final double GIGABYTE = 1e9;

  static MemoryNeed of(Collection<TensorInfo> tensors, TensorOps ops) {
    boolean mapped = ops instanceof JvmOps;
    long bytes =
        tensors.stream()
            .mapToLong(tensor -> mapped ? tensor.bytes() : Float.BYTES * tensor.weights())
            .sum();
    return new MemoryNeed(bytes, mapped);
  }

  /** The memory of this machine, or of the container that the process runs in, in bytes. */
  static long total() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  /**
   * Compares with the memory that there is.
   *
   * @param model the model's name, for messages
   * @param total the memory in all, in bytes
   * @throws IllegalStateException if the weights cannot be loaded
   */
  void check(String model, long total) {
    if (bytes <= total) {
      return;
    }
    if (mapped) {
      log.warn(
          "{}: the weights take {}, this machine has {} in all: every pass will read weights from"
              + " the disk",
          model,
          gigabytes(bytes),
          gigabytes(total));
    } else {
      throw new IllegalStateException(
          "%s: the weights take %s as float32, this machine has %s in all; the operations \"jvm\" read them as they are stored"
              .formatted(model, gigabytes(bytes), gigabytes(total)));
    }
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GB", bytes / GIGABYTE);
  }
}
