package io.github.eft4j.tensor;

import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer: {@code y = x Wᵀ + b}.
 *
 * @param weight the weight W, {@code [out, in]}
 * @param bias the bias b, float32 {@code [out]}, or null for none
 */
public record Linear(Matrix weight, @Nullable INDArray bias) {}
