package io.github.eft4j.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.eft4j.models.format.TensorInfo;
import io.github.eft4j.tensor.TensorOps;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryNeedTest {
  private static final List<TensorInfo> TENSORS =
      List.of(
          new TensorInfo("a", "F16", List.of(1_000_000L, 3200L), 6_400_000_000L),
          new TensorInfo("b", "F32", List.of(100L), 400));

  private static final List<TensorInfo> PACKED =
      List.of(
          new TensorInfo("a", "Q4_0", List.of(1_000_000L, 3200L), 1_800_000_000L),
          new TensorInfo("b", "F32", List.of(100L), 400));

  @Test
  void weightsStayAsTheyAreStoredArePackedOrBecomeFloat32() {
    assertThat(MemoryNeed.of(TENSORS, TensorOps.jvm()))
        .isEqualTo(new MemoryNeed(0, 6_400_000_400L));
    assertThat(MemoryNeed.of(PACKED, TensorOps.jvm()))
        .isEqualTo(new MemoryNeed(1_800_000_000L, 400));
    // 5.5 bits a weight in the file, 6.625 in memory.
    assertThat(
            MemoryNeed.of(
                List.of(new TensorInfo("c", "Q5_K", List.of(8192L, 8192L), 46_137_344)),
                TensorOps.jvm()))
        .isEqualTo(new MemoryNeed(8192 * 8192L / 8 * 53 / 8, 0));
    assertThat(MemoryNeed.of(TENSORS, TensorOps.nd4j()))
        .isEqualTo(new MemoryNeed(12_800_000_400L, 0));
  }

  @Test
  void whatCannotBeLoadedIsRefused() {
    MemoryNeed need = MemoryNeed.of(TENSORS, TensorOps.nd4j());

    assertThatCode(() -> need.check("m", 12_800_000_400L)).doesNotThrowAnyException();
    assertThatIllegalStateException()
        .isThrownBy(() -> need.check("m", 8_000_000_000L))
        .withMessage(
            "m: the weights take 12.8 GB of memory of their own, this machine has 8.0 GB in all;"
                + " fewer bits a weight take less, and the operations \"jvm\" read most types as"
                + " they are stored");
    assertThatIllegalStateException()
        .isThrownBy(() -> MemoryNeed.of(PACKED, TensorOps.jvm()).check("m", 1_000_000_000))
        .withMessageStartingWith("m: the weights take 1.8 GB of memory of their own");
  }

  @Test
  void whatIsMappedLoadsAllTheSame() {
    assertThatCode(() -> MemoryNeed.of(TENSORS, TensorOps.jvm()).check("m", 1_000_000))
        .doesNotThrowAnyException();
  }

  @Test
  void thisMachineHasMemory() {
    assertThat(MemoryNeed.total()).isGreaterThan(1L << 28);
  }
}
