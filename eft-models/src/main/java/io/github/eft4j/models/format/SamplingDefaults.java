package io.github.eft4j.models.format;

import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * How a model's publishers recommend to sample from it. Empty where they say nothing.
 *
 * @param sample whether to sample rather than to take the likeliest token
 * @param temperature what logits are divided by
 * @param topK the number of likeliest tokens to keep
 * @param topP the probability that the kept tokens must reach together
 */
public record SamplingDefaults(
    boolean sample, OptionalDouble temperature, OptionalInt topK, OptionalDouble topP) {}
