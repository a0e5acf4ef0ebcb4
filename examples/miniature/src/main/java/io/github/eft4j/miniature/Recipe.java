package io.github.eft4j.miniature;

import io.github.eft4j.examples.facts.Style;
import io.github.eft4j.reasoning.Judgement;
import java.util.Arrays;
import java.util.List;

/** Which models are trained, and how. All of it was chosen on the validation questions. */
final class Recipe {
  /** The number of tokens that a network is run on in pre-training. */
  static final int TEXT_LENGTH = 128;

  /** The number of documents that the tokenizer is learned from. */
  static final int TOKENIZER_DOCUMENTS = 20_000;

  private static final double BASE_DECAY = 0.05;
  private static final double JUDGE_DECAY = 0.01;

  /** The classes of the judge. */
  static final List<String> LABELS =
      Arrays.stream(Judgement.Label.values()).map(Judgement.Label::name).toList();

  private static final Network LARGE = new LlamaNetwork(192, 4, 6, 3, 32, 512);
  private static final Network SMALL = new LlamaNetwork(64, 3, 4, 2, 16, 64);
  private static final Network FALCON_LARGE = new FalconNetwork(160, 4, 5, 640);
  private static final Network FALCON_SMALL = new FalconNetwork(64, 3, 4, 64);

  private static final Base SMALL_BASE = new Base("small-base", SMALL, 4e-3, 3000, 8);
  private static final Base LARGE_BASE = new Base("large-base", LARGE, 3e-3, 2000, 8);
  private static final Base FALCON_SMALL_BASE =
      new Base("falcon-small-base", FALCON_SMALL, 4e-3, 2500, 8);
  private static final Base FALCON_LARGE_BASE =
      new Base("falcon-large-base", FALCON_LARGE, 3e-3, 2000, 8);

  static final List<Base> BASES =
      List.of(SMALL_BASE, LARGE_BASE, FALCON_SMALL_BASE, FALCON_LARGE_BASE);

  static final List<Tuned> TUNED =
      List.of(
          new Tuned("small-tuned", SMALL_BASE, Style.POLITE, 5e-5, 110, 16),
          new Tuned("small-terse", SMALL_BASE, Style.TERSE, 5e-4, 110, 16),
          new Tuned("large-tuned", LARGE_BASE, Style.POLITE, 1e-4, 110, 16),
          new Tuned("falcon-small-tuned", FALCON_SMALL_BASE, Style.POLITE, 1e-4, 110, 16));

  /** Tuned gently, and where facts stand not at all: see {@link WorkedAnswer}. */
  static final Reasoner REASONER = new Reasoner("small-reasoner", SMALL_BASE, 5e-4, 300, 16);

  static final Judge JUDGE =
      new Judge("nli", new EncoderNetwork(64, 3, 4, 128, 96, LABELS), 1e-3, 12_000, 32);

  private Recipe() {}

  /**
   * A model that is pre-trained.
   *
   * @param name the name of its directory
   * @param network its shape
   * @param learningRate the greatest learning rate
   * @param steps the number of steps
   * @param batch the number of sequences of a step
   */
  record Base(String name, Network network, double learningRate, int steps, int batch) {
    double weightDecay() {
      return BASE_DECAY;
    }
  }

  /**
   * A model that is fine-tuned.
   *
   * @param name the name of its directory
   * @param base what it is made from
   * @param style how it is to answer
   * @param learningRate the greatest learning rate
   * @param steps the number of steps
   * @param batch the number of questions of a step
   */
  record Tuned(String name, Base base, Style style, double learningRate, int steps, int batch) {}

  /**
   * A model that is taught to reason.
   *
   * @param name the name of its directory
   * @param base what it is made from
   * @param learningRate the greatest learning rate
   * @param steps the number of steps
   * @param batch the number of questions of a step
   */
  record Reasoner(String name, Base base, double learningRate, int steps, int batch) {}

  /**
   * A judge of entailment.
   *
   * @param name the name of its directory
   * @param network its shape
   * @param learningRate the greatest learning rate
   * @param steps the number of steps
   * @param batch the number of pairs of a step
   */
  record Judge(String name, EncoderNetwork network, double learningRate, int steps, int batch) {
    double weightDecay() {
      return JUDGE_DECAY;
    }
  }
}
