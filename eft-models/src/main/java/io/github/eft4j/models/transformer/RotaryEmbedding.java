package io.github.eft4j.models.transformer;

import io.github.eft4j.models.config.RotaryConfig;
import io.github.eft4j.models.config.RotaryScaling;
import io.github.eft4j.tensor.NativeArrays;
import io.github.eft4j.tensor.TensorOps;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The angles of a rotary position embedding. Frequencies and angles are rounded to float32 where
 * Hugging Face's {@code modeling_rope_utils} rounds them; {@link StrictMath} gives the same bits on
 * every processor.
 */
final class RotaryEmbedding {
  private final RotaryConfig config;
  private final int headSize;
  private final float[] inverseFrequencies;
  private final float attentionFactor;

  RotaryEmbedding(RotaryConfig config, int headSize) {
    this.config = config;
    this.headSize = headSize;
    inverseFrequencies = inverseFrequencies(config.theta());
    attentionFactor =
        config.scaling() instanceof RotaryScaling.Yarn yarn ? (float) yarn.attentionFactor() : 1;
    switch (config.scaling()) {
      case RotaryScaling.None() -> {}
      case RotaryScaling.Dynamic dynamic -> {} // Changes with the length of a sequence.
      case RotaryScaling.Linear(double factor) -> divide((float) factor);
      case RotaryScaling.Divisors divisors -> divide(divisors);
      case RotaryScaling.Llama3 llama3 -> scale(llama3);
      case RotaryScaling.Yarn yarn -> scale(yarn);
    }
  }

  /**
   * Makes room for the angles of the rows of a pass.
   *
   * @param array gives an array of the rows of a pass and as many columns as asked
   */
  Angles angles(IntFunction<INDArray> array) {
    return new Angles(this, array.apply(headSize / 2), array.apply(headSize / 2));
  }

  /**
   * The angles of the rows of a pass.
   *
   * @param cos the cosines, {@code [rows, headSize / 2]}
   * @param sin the sines, {@code [rows, headSize / 2]}
   */
  record Angles(RotaryEmbedding embedding, INDArray cos, INDArray sin) {
    /** Computes the angles for the rows' positions. */
    void fill(Rows rows) {
      MemorySegment cosines = NativeArrays.floats(cos);
      MemorySegment sines = NativeArrays.floats(sin);
      int at = 0;
      for (int r = 0; r < rows.count(); r++) {
        for (float frequency : embedding.inverseFrequenciesFor(rows.sequenceLength(r))) {
          float angle = rows.position(r) * frequency;
          float c = (float) StrictMath.cos(angle) * embedding.attentionFactor;
          float s = (float) StrictMath.sin(angle) * embedding.attentionFactor;
          cosines.setAtIndex(ValueLayout.JAVA_FLOAT, at, c);
          sines.setAtIndex(ValueLayout.JAVA_FLOAT, at++, s);
        }
      }
      NativeArrays.changed(cos);
      NativeArrays.changed(sin);
    }

    /**
     * Turns all heads in place.
     *
     * @param x {@code [rows, heads · headSize]}
     */
    void rotate(TensorOps ops, INDArray x) {
      ops.rotary(x, cos, sin, embedding.config.layout());
    }
  }

  /** The angle that each pair turns by from one position to the next, in radians. */
  float[] inverseFrequenciesFor(int sequenceLength) {
    if (config.scaling() instanceof RotaryScaling.Dynamic(double factor, int original)
        && sequenceLength > original) {
      double growth = factor * sequenceLength / original - (factor - 1);
      double exponent = headSize / (headSize - 2.0);
      return inverseFrequencies(config.theta() * StrictMath.pow(growth, exponent));
    }
    return inverseFrequencies;
  }

  /** {@code theta^(-2i / headSize)} for each pair i. */
  private float[] inverseFrequencies(double theta) {
    float[] inverse = new float[headSize / 2];
    for (int i = 0; i < inverse.length; i++) {
      float exponent = 2f * i / headSize;
      inverse[i] = 1 / (float) StrictMath.pow((float) theta, exponent);
    }
    return inverse;
  }

  private void divide(float factor) {
    for (int i = 0; i < inverseFrequencies.length; i++) {
      inverseFrequencies[i] /= factor;
    }
  }

  private void divide(RotaryScaling.Divisors scaling) {
    if (scaling.divisors().size() != inverseFrequencies.length) {
      throw new IllegalArgumentException(
          "%d rotary frequency divisors, but a head of size %d has %d frequencies"
              .formatted(scaling.divisors().size(), headSize, inverseFrequencies.length));
    }
    for (int i = 0; i < inverseFrequencies.length; i++) {
      inverseFrequencies[i] /= scaling.divisors().get(i);
    }
  }

  private void scale(RotaryScaling.Llama3 scaling) {
    double low = scaling.lowFrequencyFactor();
    double high = scaling.highFrequencyFactor();
    float factor = (float) scaling.factor();
    for (int i = 0; i < inverseFrequencies.length; i++) {
      float frequency = inverseFrequencies[i];
      float wavelength = (float) (2 * Math.PI) / frequency;
      float turns = scaling.originalContextLength() / wavelength;
      if (wavelength > scaling.originalContextLength() / low) {
        inverseFrequencies[i] = frequency / factor;
      } else if (wavelength >= scaling.originalContextLength() / high) {
        float smooth = (turns - (float) low) / (float) (high - low);
        inverseFrequencies[i] = (1 - smooth) * frequency / factor + smooth * frequency;
      }
    }
  }

  private void scale(RotaryScaling.Yarn scaling) {
    double first = pairThatTurns(scaling.betaFast(), scaling.originalContextLength());
    double last = pairThatTurns(scaling.betaSlow(), scaling.originalContextLength());
    if (scaling.truncate()) {
      first = Math.floor(first);
      last = Math.ceil(last);
    }
    first = Math.max(first, 0);
    last = Math.min(last, headSize - 1);
    if (first == last) {
      last += 0.001; // As the reference avoids a division by zero.
    }
    for (int i = 0; i < inverseFrequencies.length; i++) {
      float ramp = Math.clamp((i - (float) first) / (float) (last - first), 0, 1);
      float interpolated = inverseFrequencies[i] / (float) scaling.factor();
      inverseFrequencies[i] = interpolated * ramp + inverseFrequencies[i] * (1 - ramp);
    }
  }

  /** The (fractional) index of the pair that turns so many times within the original context. */
  private double pairThatTurns(double times, int contextLength) {
    return headSize
        * StrictMath.log(contextLength / (times * 2 * Math.PI))
        / (2 * StrictMath.log(config.theta()));
  }
}
