package io.github.eft4j.models;

import com.sun.management.OperatingSystemMXBean;
import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.tensor.JvmOps;
import io.github.eft4j.tensor.TensorOps;
import io.github.eft4j.tensor.WeightType;
import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a model's weights will take, estimated before they are loaded.
 *
 * @param bytes the size of those that get memory of their own, in bytes
 * @param mapped the size of those that stay in the file and are read in place, in bytes: more than
 *     there is memory for is then slow, not impossible
 */
record MemoryNeed(long bytes, long mapped) {
  private static final Logger log = LoggerFactory.getLogger(MemoryNeed.class);
  private static final double GIGABYTE = 1e9;

  static MemoryNeed of(Collection<TensorInfo> tensors, TensorOps ops) {
    long bytes = 0;
    long mapped = 0;
    for (TensorInfo tensor : tensors) {
      Optional<WeightType> packed = packed(tensor);
      if (!(ops instanceof JvmOps)) {
        bytes += Float.BYTES * tensor.weights();
      } else if (packed.isPresent()) {
        bytes += JvmOps.packedBytes(packed.get(), tensor.weights());
      } else {
        mapped += tensor.bytes();
      }
    }
    return new MemoryNeed(bytes, mapped);
  }

  /** The type of a tensor if it is one that is packed. */
  private static Optional<WeightType> packed(TensorInfo tensor) {
    return Stream.of(WeightType.values())
        .filter(type -> JvmOps.packs(type) && type.name().equals(tensor.type()))
        .findFirst();
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
    if (bytes > total) {
      throw new IllegalStateException(
          "%s: the weights take %s of memory of their own, this machine has %s in all; fewer bits a weight take less, and the operations \"jvm\" read most types as they are stored"
              .formatted(model, gigabytes(bytes), gigabytes(total)));
    }
    if (bytes + mapped > total) {
      log.warn(
          "{}: the weights take {}, this machine has {} in all: every pass will read weights from"
              + " the disk",
          model,
          gigabytes(bytes + mapped),
          gigabytes(total));
    }
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GB", bytes / GIGABYTE);
  }
}
