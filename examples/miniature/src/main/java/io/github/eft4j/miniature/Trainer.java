package io.github.eft4j.miniature;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Trains a network by AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101). All weights lie in one
 * vector, so that the optimiser is a few operations on vectors.
 *
 * <p>What a step computes belongs to a manager of its own and is freed with it.
 */
final class Trainer implements AutoCloseable {
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.98;
  private static final double EPSILON = 1e-8;
  private static final double GREATEST_GRADIENT_NORM = 1;

  private final Network network;
  private final List<Parameter> parameters;
  private final long[] offsets;
  private final NDManager manager;
  private final NDArray weights;
  private final NDArray before;
  private final NDArray mean;
  private final NDArray variance;
  private final NDArray decay;
  private int step;

  /**
   * Prepares to train.
   *
   * @param network the network
   * @param initial its weights
   * @param weightDecay the share of a matrix that a step takes away, per learning rate
   */
  Trainer(Network network, float[] initial, double weightDecay) {
    this.network = network;
    parameters = network.parameters();
    long[] ends = parameters.stream().mapToLong(Parameter::size).toArray();
    Arrays.parallelPrefix(ends, Long::sum);
    offsets = Arrays.copyOf(ends, ends.length - 1);
    manager = Engine.getEngine("PyTorch").newBaseManager();
    Shape shape = new Shape(initial.length);
    weights = manager.create(initial, shape);
    before = manager.create(initial, shape);
    mean = manager.zeros(shape);
    variance = manager.zeros(shape);
    decay = manager.create(decays(weightDecay), shape);
  }

  private float[] decays(double weightDecay) {
    float[] decays = new float[network.size()];
    int offset = 0;
    for (Parameter parameter : parameters) {
      if (parameter.decays()) {
        Arrays.fill(decays, offset, offset + parameter.size(), (float) weightDecay);
      }
      offset += parameter.size();
    }
    return decays;
  }

  /** Weights before training. */
  static float[] initial(Network network, long seed) {
    Random random = new Random(seed);
    float[] weights = new float[network.size()];
    int offset = 0;
    for (Parameter parameter : network.parameters()) {
      for (int i = 0; i < parameter.size(); i++) {
        weights[offset++] =
            parameter.mean() + parameter.deviation() * (float) random.nextGaussian();
      }
    }
    return weights;
  }

  /**
   * One step.
   *
   * @param batch what is taught, and what is kept
   * @param learningRate the learning rate
   * @return the loss before the step: the mean of −log p over the targets, and of the cross-entropy
   *     with what the network said before training over the tokens that are kept
   */
  float step(Batch batch, double learningRate) {
    step++;
    try (NDManager now = manager.newSubManager()) {
      NDArray leaf = weights.duplicate();
      leaf.attach(now);
      leaf.setRequiresGradient(true);
      float loss;
      try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
        NDArray value = loss(leaf, batch, now);
        collector.backward(value);
        loss = value.getFloat();
      }
      NDArray gradient = leaf.getGradient();
      gradient.attach(now);
      update(now, gradient, learningRate);
      return loss;
    }
  }

  private void update(NDManager now, NDArray gradient, double learningRate) {
    double norm = Math.sqrt(gradient.square().sum().getFloat());
    if (norm > GREATEST_GRADIENT_NORM) {
      gradient.muli(GREATEST_GRADIENT_NORM / norm);
    }
    mean.muli(BETA_1).addi(gradient.mul(1 - BETA_1));
    variance.muli(BETA_2).addi(gradient.square().muli(1 - BETA_2));
    NDArray root = variance.div(1 - Math.pow(BETA_2, step));
    root.attach(now);
    NDArray direction = mean.div(1 - Math.pow(BETA_1, step));
    direction.attach(now);
    direction.divi(root.sqrt().addi(EPSILON));
    NDArray decayed = weights.mul(decay);
    decayed.attach(now);
    weights.subi(direction.addi(decayed).muli(learningRate));
  }

  private NDArray loss(NDArray vector, Batch batch, NDManager now) {
    NDArray ids = now.create(batch.ids(), new Shape(batch.rows(), batch.length()));
    long[] taught = batch.taught();
    long[] kept = batch.kept();
    NDArray logits = network.logits(named(vector), ids);
    NDArray index = now.create(batch.targets(), new Shape(taught.length, 1));
    NDArray right = rows(logits, taught, batch).logSoftmax(1).gather(index, 1);
    if (kept.length == 0) {
      return right.mean().neg();
    }
    NDArray old = before.duplicate();
    old.attach(now);
    NDArray goal = rows(network.logits(named(old), ids), kept, batch).softmax(1);
    NDArray same = rows(logits, kept, batch).logSoftmax(1).mul(goal);
    return right.sum().add(same.sum()).neg().div(taught.length + kept.length);
  }

  private static NDArray rows(NDArray logits, long[] which, Batch batch) {
    return which.length < batch.rows() * batch.length()
        ? logits.get(logits.getManager().create(which))
        : logits;
  }

  private Weights named(NDArray vector) {
    return new Weights(parameters, vector.split(offsets, 0));
  }

  /**
   * The network's logits.
   *
   * @param ids the tokens of one sequence
   * @return a row for each token
   */
  float[][] logits(int... ids) {
    try (NDManager now = manager.newSubManager()) {
      NDArray vector = weights.duplicate();
      vector.attach(now);
      NDArray input =
          now.create(Arrays.stream(ids).asLongStream().toArray(), new Shape(1, ids.length));
      float[] flat = network.logits(named(vector), input).toFloatArray();
      int width = flat.length / ids.length;
      return IntStream.range(0, ids.length)
          .mapToObj(row -> Arrays.copyOfRange(flat, row * width, (row + 1) * width))
          .toArray(float[][]::new);
    }
  }

  float[] weights() {
    return weights.toFloatArray();
  }

  @Override
  public void close() {
    manager.close();
  }
}
