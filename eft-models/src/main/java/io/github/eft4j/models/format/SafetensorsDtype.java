package io.github.eft4j.models.format;

import io.github.eft4j.tensor.WeightType;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The types of safetensors files, of which some can be multiplied with. */
enum SafetensorsDtype {
  F64(64, null),
  F32(32, WeightType.F32),
  F16(16, WeightType.F16),
  BF16(16, WeightType.BF16),
  F8_E5M2(8, null),
  F8_E4M3(8, null),
  F8_E8M0(8, null),
  F6_E3M2(6, null),
  F6_E2M3(6, null),
  F4(4, null),
  C64(64, null),
  I64(64, null),
  U64(64, null),
  I32(32, null),
  U32(32, null),
  I16(16, null),
  U16(16, null),
  I8(8, null),
  U8(8, null),
  BOOL(8, null);

  private final int bits;
  private final @Nullable WeightType weightType;

  SafetensorsDtype(int bits, @Nullable WeightType weightType) {
    this.bits = bits;
    this.weightType = weightType;
  }

  /** The size of a number in bits. */
  int bits() {
    return bits;
  }

  Optional<WeightType> weightType() {
    return Optional.ofNullable(weightType);
  }

  static Optional<SafetensorsDtype> of(String name) {
    return Arrays.stream(values()).filter(dtype -> dtype.name().equals(name)).findFirst();
  }
}
