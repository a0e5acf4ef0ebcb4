package io.github.eft4j.reasoning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.eft4j.reasoning.ReasoningGraph.Edge;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class BeliefPropagationTest {
  /** The reference values have four digits. */
  private static final double FOUR_DIGITS = 5e-5;

  /** Beliefs near 1 have few digits of 1 − P left, so log-odds lose as many. */
  private static final double LOG_ODDS = 1e-6;

  private static final double E = 0.95;
  private static final double N = 0.60;
  private static final double C = 0.10;

  private static ReasoningGraph chain(int nodes) {
    return new ReasoningGraph(
        Collections.nCopies(nodes, "a statement"),
        IntStream.range(1, nodes).mapToObj(i -> new Edge(i - 1, i)).toList());
  }

  private static List<Double> chainBeliefs(Double... trusts) {
    return BeliefPropagation.STANDARD.propagate(chain(trusts.length + 1), List.of(trusts)).values();
  }

  private static void assertClose(List<Double> actual, double... expected) {
    assertThat(actual).hasSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual.get(i)).isCloseTo(expected[i], within(FOUR_DIGITS));
    }
  }

  @Test
  void threeEntailments() {
    List<Double> beliefs = chainBeliefs(E, E, E);
    assertClose(beliefs, .5, .95, .9972, .9999);
    GraphScore score = GraphScore.of(beliefs, EntropyUnit.NATS);
    assertThat(score.meanBelief()).isCloseTo(.8618, within(FOUR_DIGITS));
    assertThat(score.meanEntropy()).isCloseTo(.2280, within(FOUR_DIGITS));
    assertThat(score.value()).isCloseTo(.6337, within(FOUR_DIGITS));
  }

  @Test
  void aContradictionInTheMiddle() {
    List<Double> beliefs = chainBeliefs(E, C, E);
    assertClose(beliefs, .5, .95, .6786, .9757);
    assertThat(GraphScore.of(beliefs, EntropyUnit.NATS).value())
        .isCloseTo(.3676, within(FOUR_DIGITS));
  }

  @Test
  void neutralStepsInNatsAndBits() {
    List<Double> beliefs = chainBeliefs(N, N, N);
    assertThat(GraphScore.of(beliefs, EntropyUnit.NATS).value())
        .isCloseTo(.0107, within(FOUR_DIGITS));
    assertThat(GraphScore.of(beliefs, EntropyUnit.BITS).value())
        .isCloseTo(-.2683, within(FOUR_DIGITS));
  }

  @Test
  void severalParentsGiveTheMeanOfTheirUpdates() {
    ReasoningGraph graph =
        new ReasoningGraph(
            List.of("a", "b", "c", "d"),
            List.of(new Edge(0, 1), new Edge(0, 2), new Edge(1, 3), new Edge(2, 3)));
    BeliefPropagation.Beliefs beliefs =
        BeliefPropagation.STANDARD.propagate(graph, List.of(E, C, E, N));
    assertThat(beliefs.values().get(3))
        .isEqualTo(
            (BeliefPropagation.update(beliefs.values().get(1), E)
                    + BeliefPropagation.update(beliefs.values().get(2), N))
                / 2);
    assertThat(beliefs.updates()).isEqualTo(3);
  }

  @Property
  void logOddsOfTheTrustsAddUpAlongAChain(
      @ForAll @DoubleRange(min = 0.05, max = 0.95) double root,
      @ForAll @Size(min = 1, max = 6) List<@DoubleRange(min = 0.05, max = 0.95) Double> trusts) {
    double expected =
        logOdds(root) + trusts.stream().mapToDouble(BeliefPropagationTest::logOdds).sum();
    double belief =
        new BeliefPropagation(root).propagate(chain(trusts.size() + 1), trusts).values().getLast();
    assertThat(logOdds(belief)).isCloseTo(expected, within(LOG_ODDS));
  }

  private static double logOdds(double p) {
    return Math.log(p) - Math.log1p(-p);
  }

  @Property
  void oneHalfChangesNothing(@ForAll @DoubleRange(min = 0, max = 1) double belief) {
    assertThat(BeliefPropagation.update(belief, 0.5)).isCloseTo(belief, within(1e-15));
  }

  @Test
  void beliefThatHasRoundedToOneStaysDefined() {
    List<Double> beliefs = chainBeliefs(Collections.nCopies(63, E).toArray(Double[]::new));
    assertThat(beliefs.getLast()).isEqualTo(1);
    assertThat(BeliefPropagation.update(1, C)).isEqualTo(1);
    assertThat(EntropyUnit.NATS.binaryEntropy(1)).isZero();
    assertThat(EntropyUnit.BITS.binaryEntropy(0)).isZero();
    assertThat(EntropyUnit.BITS.binaryEntropy(0.5)).isEqualTo(1);
    assertThat(GraphScore.of(beliefs, EntropyUnit.NATS).value()).isBetween(0.9, 1.0);
  }

  @Test
  void updatesAreCountedOncePerNodeWithParents() {
    for (int steps = 1; steps <= 64; steps++) {
      assertThat(
              BeliefPropagation.STANDARD
                  .propagate(chain(steps), Collections.nCopies(steps - 1, N))
                  .updates())
          .isEqualTo(steps - 1);
    }
  }

  @Test
  void refusesWhatIsOutOfRange() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new BeliefPropagation(1))
        .withMessage("belief of roots is 1.0, expected a number above 0 and below 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BeliefPropagation.STANDARD.propagate(chain(2), List.of(0.0)))
        .withMessage("trust is 0.0, expected a number above 0 and below 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BeliefPropagation.STANDARD.propagate(chain(3), List.of(E)))
        .withMessage("1 trusts for 2 edges");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GraphScore.of(List.of(), EntropyUnit.NATS))
        .withMessage("the graph has no nodes");
  }
}
